"""How often a secret may be tried: so many at once, then one in so many seconds; pure.

Each try is counted in several places at once: for the pair of name and network, for the network, for the name and for
the whole site. What is right is given back and wipes nothing else, so that a guesser with a card of their own
gains nothing by it. A browser that was signed in before is counted by itself alone, so that whoever guesses a name
can't keep its owner out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from onprem_csms.domain.access.networks import network_of

Kind = Literal["operator", "driver", "charger"]
Scope = Literal["pair", "network", "name", "site", "device"]


class Rule(NamedTuple):
    """``burst`` tries at once, then one in ``refill_s`` seconds."""

    burst: int
    refill_s: float

    def wait_ms(self, free_at: int, now: int) -> int:
        """Return how long the next try must wait, in ms; ``free_at`` is when all tries will be there again."""
        return max(0, free_at - round((self.burst - 1) * self.refill_s * 1000) - now)

    def spend(self, free_at: int, now: int) -> int:
        """Return when all tries will be there again, after one more."""
        return max(free_at, now) + round(self.refill_s * 1000)

    def give_back(self, free_at: int) -> int:
        """Return the same for one try less."""
        return free_at - round(self.refill_s * 1000)


RULES: Mapping[Kind, Mapping[Scope, Rule]] = {
    "operator": {
        "pair": Rule(5, 60),
        "network": Rule(25, 20),
        "name": Rule(20, 300),
        "site": Rule(100, 10),
        "device": Rule(10, 30),
    },
    "driver": {
        "pair": Rule(5, 60),
        "network": Rule(20, 30),
        "name": Rule(10, 600),
        "site": Rule(200, 5),
        "device": Rule(5, 300),
    },
    # A charger with its key tries again by itself for ever; what it sends wrong is not guessed.
    "charger": {
        "pair": Rule(10, 3),
        "network": Rule(60, 2),
        "name": Rule(30, 10),
        "site": Rule(300, 0.5),
    },
}


@dataclass(frozen=True, slots=True)
class Trying:
    """Somebody tries a secret; ``device`` names a browser that was signed in as this name before."""

    kind: Kind
    name: str
    address: str
    device: str = ""

    def places(self) -> Iterator[tuple[str, Rule]]:
        """Return where the try is counted, and by which rule."""
        rules = RULES[self.kind]
        if self.device:
            yield f"{self.kind} device {self.device}", rules["device"]
            return
        name, network = self.name.casefold()[:80], network_of(self.address)
        yield f"{self.kind} pair {network} {name}", rules["pair"]
        yield f"{self.kind} network {network}", rules["network"]
        yield name_place(self.kind, name), rules["name"]
        yield f"{self.kind} site", rules["site"]


def name_place(kind: Kind, name: str) -> str:
    """Return where the tries on a name are counted."""
    return f"{kind} name {name.casefold()[:80]}"
