"""The time of the program: aware UTC in Python, one fixed text form in the database."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; a test may hand in one that stands still."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


JUMP_S = 30.0
"""A machine's clock that moves by more at once has jumped."""
FOLLOW = 0.01
"""How much faster or slower than true time our time may go to follow the machine's clock."""
IMPOSSIBLE = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this release was made: a machine whose battery is empty tells such times."""
MOST_BEHIND = timedelta(days=1)


def _since_boot() -> float:
    # Unlike ``time.monotonic`` it goes on while the machine sleeps.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """Our own time: it begins as the machine's clock and goes on by true seconds.

    A small difference is followed slowly and never backward. A jump is not followed: deadlines, forecasts and ages go
    on as if nothing had happened, and ``apart`` tells by how much the machine's clock differs. The next start takes
    its time.
    """

    def __init__(
        self, machine: Callable[[], float] = time.time, steady: Callable[[], float] = _since_boot
    ) -> None:
        self._machine = machine
        self._steady = steady
        self._offset = machine() - steady()
        self._looked = steady()

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.fromtimestamp(self._offset + self._steady(), UTC)

    def look(self) -> None:
        """Follow the machine's clock where it differs a little; to be called every second or so."""
        steady = self._steady()
        passed, self._looked = steady - self._looked, steady
        apart = self._machine() - steady - self._offset
        if abs(apart) < JUMP_S:
            most = FOLLOW * max(0.0, passed)
            self._offset += max(-most, min(most, apart))

    @property
    def apart(self) -> timedelta:
        """By how much the machine's clock is ahead of our time (behind it: below zero); 0 where it has not jumped."""
        apart = self._machine() - self._steady() - self._offset
        return timedelta(seconds=round(apart)) if abs(apart) >= JUMP_S else timedelta(0)

    def begin_after(self, moment: datetime) -> None:
        """Don't begin before a moment that was written down as present: a clock that was set back repeats no time.

        A machine whose clock is more than a day behind is believed, unless it tells an impossible time: what was
        written down may have been wrong.
        """
        now = self.now()
        if now < moment and (moment - now <= MOST_BEHIND or now < IMPOSSIBLE):
            self._offset += (moment - now).total_seconds()


def apart(clock: Clock) -> timedelta:
    """Return by how much the machine's clock has jumped away from our time; 0 for the clock of a test."""
    return clock.apart if isinstance(clock, SteadyClock) else timedelta(0)


class ManualClock:
    """A clock that a test sets by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the moment that was set."""
        return self.at


_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_FORM = "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"


def to_text(at: datetime) -> str:
    """Write a moment as ``2026-11-22T07:00:00.000Z``: sortable, the form of every time column."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    # Half the time of isoformat, and every message writes two.
    return _FORM % (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond // 1000)


def from_text(text: str) -> datetime:
    """Read a moment from a time column."""
    return datetime.fromisoformat(text)


def maybe_text(at: datetime | None) -> str | None:
    """Write a moment, or keep None."""
    return None if at is None else to_text(at)


def maybe_from_text(text: str | None) -> datetime | None:
    """Read a moment, or keep None."""
    return None if text is None else from_text(text)


def to_millis(at: datetime) -> int:
    """Write a moment as milliseconds since 1970, UTC: the form of a time column that is a whole number."""
    return int((at - _EPOCH) / _MILLISECOND)


def from_millis(millis: int) -> datetime:
    """Read a moment from milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=millis)


def maybe_from_millis(millis: int | None) -> datetime | None:
    """Read a moment, or keep None."""
    return None if millis is None else from_millis(millis)


def maybe_millis(at: datetime | None) -> int | None:
    """Write a moment, or keep None."""
    return None if at is None else to_millis(at)
