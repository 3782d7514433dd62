"""Slows down those who guess: after some wrong tries in a row each further one costs a wait."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from onprem_csms.errors import Forbidden

# How many names or addresses are remembered; an attack with more of them starts over with the oldest.
LARGEST = 10_000


class Wrong(NamedTuple):
    """Wrong tries in a row, and the last of them."""

    times: int
    last: datetime


@dataclass(slots=True)
class Throttle:
    """Wrong tries per key, kept in memory; one per process."""

    free: int = 5
    first_wait_s: int = 15
    longest_wait_s: int = 900
    _wrong: dict[str, Wrong] = field(default_factory=dict)

    def begin(self, key: str, now: datetime, free: int | None = None) -> None:
        """Count a try as wrong before it is looked at; Forbidden while the key must wait.

        Counted first, so that a hundred guesses at the same moment are not a hundred free ones. The first
        ``free`` tries cost no wait: more of them for a key that many share, such as an address.
        """
        times, last = self._wrong.pop(key, Wrong(0, now))
        left = (last + timedelta(seconds=self._wait_s(times, free or self.free)) - now).total_seconds()
        if left > 0:
            self._wrong[key] = Wrong(times, last)
            raise Forbidden(
                "Too many wrong tries. Wait {seconds} seconds, then try again.", seconds=int(left) + 1
            )
        if len(self._wrong) >= LARGEST:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[key] = Wrong(times + 1, now)

    def succeed(self, key: str) -> None:
        """The try was right after all: begin to count anew."""
        self._wrong.pop(key, None)

    def _wait_s(self, times: int, free: int) -> int:
        if times < free:
            return 0
        return min(self.longest_wait_s, self.first_wait_s * int(2 ** min(times - free, 10)))
