"""What every reader has in common: what a decoder is, what it sees, and when two sights are one tap."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tap:
    """A card that was read; ``uid`` is canonical (see ``domain.tokens``)."""

    uid: str


@dataclass(frozen=True, slots=True)
class ReaderFault:
    """What was read is no card, or none to issue; ``sentence`` says why, untranslated and without places."""

    sentence: str


Sight = Tap | ReaderFault


class Decoder(Protocol):
    """Turns the bytes of one kind of reader into taps.

    Pure: no I/O, no clock, a bounded buffer. Any input, in pieces of any size, gives the same sights and
    never an exception.
    """

    def feed(self, data: bytes) -> list[Sight]:
        """Take the bytes that arrived and return what they complete."""


class Debounce:
    """Makes one tap of a card that is held over the reader, however often the reader repeats its number."""

    # More cards than fit into a reader's field; noise must not fill the memory.
    _MOST = 8

    def __init__(self, hold_s: float) -> None:
        self._hold = hold_s
        self._sights: dict[Sight, float] = {}

    def is_new(self, sight: Sight, at: float) -> bool:
        """Tell whether a sight at ``at`` (seconds, monotonic) begins a tap, and remember it.

        Every repetition prolongs the hold; several cards in turn are held each for itself.
        """
        last = self._sights.pop(sight, None)
        self._sights[sight] = at
        while len(self._sights) > self._MOST:
            del self._sights[next(iter(self._sights))]
        return last is None or at - last >= self._hold
