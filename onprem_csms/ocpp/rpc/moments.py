"""The times of chargers, read leniently; the times of the csms, written the way every charger reads them."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

OLDEST = timedelta(days=400)
"""How far back a message may lie: chargers keep sessions while they are offline, not for years."""

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECONDS_FROM = 100_000_000_000


class Window(NamedTuple):
    """The span in which a charger's time is believed; ``received`` stands in for one that is not."""

    earliest: datetime
    latest: datetime
    received: datetime


Moment = tuple[datetime, str, bool]
"""A time that is believed; the name of the oddity when it was not as it should be; whether the charger's own time
was not believed and the time of receipt stands in. A plain tuple: one is made for every reading."""


def window(received: datetime, skew_s: int) -> Window:
    """Return the span in which a time is believed in a message received now."""
    return Window(received - OLDEST, received + timedelta(seconds=skew_s), received)


class Windows:
    """Makes windows; one serves all messages of the same second."""

    __slots__ = ("_last", "_skew", "_until")

    def __init__(self, skew_s: int) -> None:
        self._skew = skew_s
        self._until = FIRST
        self._last: Window

    def at(self, now: datetime) -> Window:
        """Return the window of a message received now, of which ``received`` may be a second old."""
        if not self._until - _SECOND < now < self._until:
            self._last = window(now, self._skew)
            self._until = now + _SECOND
        return self._last


def read(raw: object, believed: Window) -> Moment:
    """Read a charger's time; one that is missing, unreadable or not believed gives the time of receipt."""
    try:
        at = datetime.fromisoformat(raw)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _odd(raw, believed)
    if at.tzinfo is UTC:
        if believed.earliest <= at <= believed.latest:
            return at, "", False
        return _not_believed(at, believed)
    if at.tzinfo is None:
        return _check(at.replace(tzinfo=UTC), believed, "time_without_zone")
    try:
        return _check(at.astimezone(UTC), believed, "")
    except OverflowError:
        return believed.received, "time_unreadable", True


def wire(at: datetime) -> str:
    """Write a time as ``2026-11-22T07:00:00Z``: some chargers choke on fractions and on ``+00:00``."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="seconds")[:19] + "Z"


def _check(at: datetime, believed: Window, quirk: str) -> Moment:
    if believed.earliest <= at <= believed.latest:
        return at, quirk, False
    return _not_believed(at, believed)


def _not_believed(at: datetime, believed: Window) -> Moment:
    quirk = "time_in_future" if at > believed.latest else "time_too_old"
    return believed.received, quirk, True


def _odd(raw: object, believed: Window) -> Moment:
    """Try seconds or milliseconds since 1970, then text with spaces around it."""
    if raw is None or raw == "":
        return believed.received, "time_missing", True
    try:
        if isinstance(raw, str) and not raw.strip().isdigit():
            at = datetime.fromisoformat(raw.strip().replace(" ", ""))
            return _check(
                at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC), believed, "time_format"
            )
        seconds = float(raw)  # type: ignore[arg-type]
        seconds = seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds
        return _check(datetime.fromtimestamp(seconds, UTC), believed, "time_format")
    except (TypeError, ValueError, OverflowError, OSError):
        return believed.received, "time_unreadable", True
