"""How much of the program one address may take: open connections, requests under way, streams. Plain bookkeeping.

Whoever has signed in, or sends a good API key, has a share of their own that strangers can't use up, and so has
each address: while strangers are many, one that asks for little still gets an answer. Connections on which nothing is
asked are the cheapest to open and the first to go; those of chargers are never counted once they are open.
"""

import hmac
import secrets
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from onprem_csms.domain.access.networks import network_of

MOST_KNOWN = 10_000
_MAC_KEY = secrets.token_bytes(16)

Kind = Literal["request", "stream"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be open at once; "own" is the share of one sign-in or API key, "few" what every network gets."""

    idle_by_network: int = 256
    idle: int = 2_000
    requests_by_network: int = 128
    requests: int = 512
    few: int = 4
    requests_own: int = 128
    streams_by_network: int = 200
    streams: int = 2_000
    streams_own: int = 100


class Open(Protocol):
    """An open connection."""

    address: str

    def drop(self) -> None:
        """Close it at once."""


class Idle:
    """The connections on which nothing is under way, the oldest first, by network."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._by_network: dict[str, OrderedDict[Open, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, connection: Open) -> None:
        """Take a connection in; where there are too many the oldest of the network with the most is closed."""
        network = network_of(connection.address)
        ours = self._by_network.setdefault(network, OrderedDict())
        if connection not in ours:
            ours[connection] = None
            self._count += 1
        if len(ours) > self._bounds.idle_by_network:
            self._drop_oldest(ours)
        elif self._count > self._bounds.idle:
            self._drop_oldest(max(self._by_network.values(), key=len))

    def remove(self, connection: Open) -> None:
        """Something is under way on a connection, or it is gone."""
        network = network_of(connection.address)
        ours = self._by_network.get(network)
        if ours is not None and connection in ours:
            del ours[connection]
            self._count -= 1
            if not ours:
                del self._by_network[network]

    def _drop_oldest(self, ours: OrderedDict[Open, None]) -> None:
        oldest = next(iter(ours))
        self.remove(oldest)
        oldest.drop()


@dataclass(frozen=True, slots=True)
class Share:
    """Whose share a request is counted in: a network's, or that of a sign-in."""

    name: str
    own: bool


class Shares:
    """What is under way now, by whose share."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.idle = Idle(self.bounds)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._counts: dict[Kind, Counter[Share]] = {"request": Counter(), "stream": Counter()}
        self._strangers: Counter[Kind] = Counter()

    def know(self, secret: str) -> None:
        """Remember that a cookie or an API key is good, so that it has a share of its own."""
        digest = _digest(secret)
        self._known[digest] = None
        self._known.move_to_end(digest)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def share_of(self, address: str, sent: Iterable[str]) -> Share:
        """Return in whose share a request is counted, by the secrets that it brings."""
        for secret in sent:
            digest = _digest(secret)
            if digest in self._known:
                return Share(digest.hex(), own=True)
        return Share(network_of(address), own=False)

    def enter(self, share: Share, kind: Kind = "request") -> bool:
        """Count something that begins; False where it is too much."""
        if not self._fits(share, kind):
            return False
        self._counts[kind][share] += 1
        self._strangers[kind] += not share.own
        return True

    def leave(self, share: Share, kind: Kind = "request") -> None:
        """Count something that has ended."""
        counts = self._counts[kind]
        counts[share] -= 1
        self._strangers[kind] -= not share.own
        if not counts[share]:
            del counts[share]

    def _fits(self, share: Share, kind: Kind) -> bool:
        bounds, there = self.bounds, self._counts[kind][share]
        if share.own:
            return there < (bounds.requests_own if kind == "request" else bounds.streams_own)
        each, most = (
            (bounds.requests_by_network, bounds.requests)
            if kind == "request"
            else (bounds.streams_by_network, bounds.streams)
        )
        strangers = self._strangers[kind]
        return there < each and (strangers < most or (there < bounds.few and strangers < 2 * most))


def _digest(secret: str) -> bytes:
    return hmac.digest(_MAC_KEY, secret.encode("utf-8", "surrogatepass"), "sha256")
