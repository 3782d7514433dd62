"""The people who come by with their cards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random


class Visitors:
    """The cards in people's pockets; a card is at one connector at a time."""

    def __init__(self, cards: Sequence[str], strangers: Sequence[str] = ()) -> None:
        self._pocketed = list(cards)
        self._strangers = list(strangers)

    @contextmanager
    def one(self, random: Random) -> Iterator[str | None]:
        """Somebody comes; one in fifteen has a card that nobody here knows. None when nobody is left."""
        if self._strangers and random.randrange(15) == 0:
            yield random.choice(self._strangers)
            return
        if not self._pocketed:
            yield None
            return
        card = self._pocketed.pop(random.randrange(len(self._pocketed)))
        try:
            yield card
        finally:
            self._pocketed.append(card)
