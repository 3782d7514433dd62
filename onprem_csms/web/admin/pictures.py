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


CURVE_WIDTH, CURVE_HEIGHT = 640, 160
# More points than a picture has columns show nothing more.
MOST_POINTS = 320


@dataclass(frozen=True, slots=True)
class Told:
    """One reading as it came: W and Wh, None where the charger did not say."""

    at: datetime
    register_wh: int | None
    power_w: int | None


@dataclass(frozen=True, slots=True)
class Readings:
    """What a meter told over a session: lines as ``x,y`` pairs in a picture of 640 × 160, and what they span."""

    register: str
    power: str
    since: datetime
    until: datetime
    lowest_wh: int | None
    highest_wh: int | None
    highest_w: int | None


def readings(told: Iterable[Told]) -> Readings | None:
    """Return the picture of some readings; None where there is nothing to draw."""
    points = sorted(told, key=lambda one: one.at)
    registers = [(one.at, one.register_wh) for one in points if one.register_wh is not None]
    powers = [(one.at, one.power_w) for one in points if one.power_w is not None]
    if len(points) < 2 or not registers + powers:
        return None
    span = points[0].at, points[-1].at
    wh, watts = [value for _, value in registers], [value for _, value in powers]
    return Readings(
        _line(registers, span, (min(wh, default=0), max(wh, default=0))),
        _line(powers, span, (0, max(watts, default=0))),
        *span,
        min(wh, default=None),
        max(wh, default=None),
        max(watts, default=None),
    )


def _line(
    values: list[tuple[datetime, int]], span: tuple[datetime, datetime], bounds: tuple[int, int]
) -> str:
    """Write a line; the lowest value lies at the bottom. Of many points every so many are drawn, and the last."""
    step = max(1, -(-len(values) // MOST_POINTS))
    kept = [*values[::step], *values[-1:]]
    seconds, low, height = (span[1] - span[0]).total_seconds() or 1, bounds[0], bounds[1] - bounds[0] or 1
    return " ".join(
        f"{CURVE_WIDTH * (at - span[0]).total_seconds() / seconds:.1f},"
        f"{CURVE_HEIGHT - (CURVE_HEIGHT - 4) * (value - low) / height - 2:.1f}"
        for at, value in kept
    )
