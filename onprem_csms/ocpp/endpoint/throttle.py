"""How often a wrong key may be tried, pure: a bucket of tries for each place, refilled with time.

Counted for each pair of address and identity, and for each identity from strange addresses, never for
an address alone: whoever guesses can't lock out a real charger that comes from elsewhere, nor the
others behind the same address.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_PLACES = 20_000


@dataclass(slots=True)
class Bucket:
    """Tries per place: ``burst`` at once, then one in ``refill_s`` seconds."""

    burst: int
    refill_s: float
    _spent: OrderedDict[object, tuple[float, float]] = field(default_factory=OrderedDict)

    def empty(self, place: object, now: float) -> bool:
        """Tell whether a place has no try left."""
        return self._level(place, now) > self.burst - 1

    def spend(self, place: object, now: float) -> None:
        """Count a wrong try."""
        self._spent[place] = (self._level(place, now) + 1, now)
        self._spent.move_to_end(place)
        if len(self._spent) > MOST_PLACES:
            self._spent.popitem(last=False)

    def forgive(self, place: object) -> None:
        """Forget the wrong tries of a place: the right key came."""
        self._spent.pop(place, None)

    def seconds(self, place: object, now: float) -> float:
        """Return in how many seconds all tries of a place will be there again."""
        return self._level(place, now) * self.refill_s

    def restore(self, place: object, seconds: float, now: float) -> None:
        """Take over what ``seconds`` said; never more than all tries."""
        self._spent[place] = (min(self.burst, seconds / self.refill_s), now)

    def places(self) -> list[object]:
        """List the places that have spent a try."""
        return list(self._spent)

    def _level(self, place: object, now: float) -> float:
        spent, since = self._spent.get(place, (0.0, now))
        return max(0.0, spent - (now - since) / self.refill_s)


class Throttle:
    """The failed tries at the charger endpoint."""

    __slots__ = ("_good", "_pairs", "_strangers")

    def __init__(self) -> None:
        self._pairs = Bucket(burst=10, refill_s=3.0)
        self._strangers = Bucket(burst=30, refill_s=1.0)
        self._good: OrderedDict[str, str] = OrderedDict()

    def blocks(self, address: str, identity: str, now: float) -> bool:
        """Tell whether an attempt is turned away unseen."""
        identity = identity.casefold()
        if self._pairs.empty((address, identity), now):
            return True
        return self._good.get(identity) != address and self._strangers.empty(identity, now)

    def failed(self, address: str, identity: str, now: float) -> None:
        """Count a wrong key."""
        identity = identity.casefold()
        self._pairs.spend((address, identity), now)
        if self._good.get(identity) != address:
            self._strangers.spend(identity, now)

    def state(self, address: str, identity: str, now: float) -> dict[str, float]:
        """Return what is to be kept of an attempt: place → seconds until all of its tries will be there again."""
        identity = identity.casefold()
        pair = self._pairs.seconds((address, identity), now)
        strangers = self._strangers.seconds(identity, now)
        return {f"pair {address} {identity}": pair, f"name {identity}": strangers}

    def restore(self, kept: Mapping[str, float], now: float) -> None:
        """Take over what ``state`` said to the process before this one."""
        for place, seconds in kept.items():
            scope, _, name = place.partition(" ")
            if scope == "name":
                self._strangers.restore(name, seconds, now)
            else:
                address, _, identity = name.partition(" ")
                self._pairs.restore((address, identity), seconds, now)

    def forgive(self, identity: str) -> None:
        """Forget the wrong tries of an identity: its settings have changed."""
        identity = identity.casefold()
        self._strangers.forgive(identity)
        for place in self._pairs.places():
            if isinstance(place, tuple) and place[1] == identity:
                self._pairs.forgive(place)

    def succeeded(self, address: str, identity: str) -> None:
        """Remember where the real charger comes from."""
        identity = identity.casefold()
        self._pairs.forgive((address, identity))
        self._good[identity] = address
        self._good.move_to_end(identity)
        if len(self._good) > MOST_PLACES:
            self._good.popitem(last=False)
