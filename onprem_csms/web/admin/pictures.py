"""The geometry of small pictures; templates draw them as SVG. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from onprem_csms.domain.chargers.records import ConnectionSpan, StatusSpan

BARS_HEIGHT = 100
RIBBON_WIDTH = 1440


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: its value, and the bar's place in a picture 100 high; days are 20 apart."""

    day: date
    value: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a ribbon in minutes of a day's 1440; ``kind`` is a connector's status or "offline"."""

    kind: str
    x: float
    width: float
    since: datetime
    until: datetime


def bars(values: list[tuple[date, int]]) -> list[Bar]:
    """Return the bars of some days, the largest filling the height."""
    largest = max([value for _, value in values] + [1])
    return [
        Bar(day, value, 20 * at, BARS_HEIGHT - height, height)
        for at, (day, value) in enumerate(values)
        for height in [round(BARS_HEIGHT * max(0, value) / largest, 1)]
    ]


def ribbon(spans: Iterable[StatusSpan], since: datetime, until: datetime) -> list[Piece]:
    """Return the stretches of one connector between two moments."""
    return [
        piece
        for span in spans
        for piece in [_piece(span.status, (span.since, span.until or until), since, until)]
        if piece.width > 0
    ]


def gaps(spans: Iterable[ConnectionSpan], since: datetime, until: datetime) -> list[Piece]:
    """Return the stretches without a connection."""
    found, reached = [], since
    for span in spans:
        if span.since > reached:
            found.append(_piece("offline", (reached, span.since), since, until))
        reached = max(reached, span.until or until)
    if reached < until:
        found.append(_piece("offline", (reached, until), since, until))
    return found


def _piece(kind: str, stretch: tuple[datetime, datetime], since: datetime, until: datetime) -> Piece:
    begin, end = max(stretch[0], since), min(stretch[1], until)
    per_minute = RIBBON_WIDTH / (until - since).total_seconds()
    x = (begin - since).total_seconds() * per_minute
    return Piece(kind, round(x, 2), round((end - begin).total_seconds() * per_minute, 2), begin, end)
