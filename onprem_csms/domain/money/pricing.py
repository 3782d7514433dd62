"""The one pricing function: for the running cost, the display, the bill and the export.

A fold over readings: `begin`, then `advance` per reading; `total` and `bill` at any point. States are
immutable and may be kept. Energy between two readings is spread evenly in time and the session is cut exactly
at every threshold (local time, weekday, date, energy, duration, end of the grace), so that the density of the
readings never changes the price.

A session is a chain of segments within which the same components hold. A reading within a segment only moves
its end, whatever the tariff; amounts become fractions only where a threshold cuts between two readings, and
are rounded once, in the lines of the bill.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from onprem_csms.domain.charging.sessions import Activity
from onprem_csms.domain.money.bills import Bill, BillLine, Measured, VatShare, make_bill
from onprem_csms.domain.money.segments import (
    Closed,
    Point,
    Segment,
    Span,
    Start,
    next_cut,
    open_segment,
    reopen,
)
from onprem_csms.domain.money.tariff_model import Tariff
from onprem_csms.domain.money.tariff_plan import HOUR_US, MICRO, NO_LIMIT, NONE, SECOND_US, Amount, plan_of

__all__ = [
    "Activity",
    "Bill",
    "BillLine",
    "Running",
    "VatShare",
    "advance",
    "affordable_energy",
    "at_start",
    "begin",
    "bill",
    "exhaustion",
    "rate_per_hour",
    "total",
]

# How far `exhaustion` looks ahead, in seconds.
HORIZON_S = 7 * 24 * 3600
# More than a session can deliver: what costs nothing up to here is free of limits.
_ENDLESS_WH = 10**9
# Any moment will do for a tariff that does not look at the time.
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


class Running(NamedTuple):
    """A session priced up to its last reading. `energy_wh` is the highest meter register seen, in Wh."""

    segment: Segment
    at: datetime
    energy_wh: int

    @property
    def tariff(self) -> Tariff:
        """The tariff that the session began with."""
        return self.segment.start.plan.tariff


def begin(tariff: Tariff, at: datetime, energy_wh: int) -> Running:
    """Open a session at the meter register `energy_wh`; the start fee is due at once."""
    plan = plan_of(tariff)
    start = Start(plan, at.astimezone(UTC), energy_wh)
    closed = Closed(amounts=(0,) * len(plan.components))
    return Running(open_segment(start, closed, Point(0, energy_wh), ("charging", None)), start.at, energy_wh)


def at_start(tariff: Tariff, at: datetime) -> int:
    """Gross minor units that a session costs which begins at `at` and ends at once."""
    return total(begin(tariff, at, 0)) if plan_of(tariff).times else _at_any_start(tariff)


@lru_cache(maxsize=256)
def _at_any_start(tariff: Tariff) -> int:
    """The same for a tariff without times of day, weekdays or dates."""
    return total(begin(tariff, _SOME_DAY, 0))


def advance(
    running: Running, at: datetime, energy_wh: int, *, activity: Activity, power_w: int | None = None
) -> Running:
    """Add the span that ends at `at` with the register at `energy_wh`.

    `activity` is that of the span: charging bills time, idle (the vehicle asks for no power) bills parking
    time after the grace, paused (the charger's own doing, not the driver's) bills neither. `power_w` decides
    restrictions on power; without it the span's mean does. A lower register counts as no change. Raises
    ValueError where time goes backwards.
    """
    segment = running.segment
    if energy_wh < running.energy_wh:  # noqa: PLR1730 (max() takes three times as long)
        energy_wh = running.energy_wh
    if (
        running.at <= at < segment.until
        and energy_wh < segment.until_wh
        and activity == segment.activity
        and not segment.by_power
    ):
        return Running(segment, at, energy_wh)
    if at < running.at:
        raise ValueError(f"a reading of {at} after one of {running.at}")
    return _across(running, at, energy_wh, (activity, power_w))


def total(running: Running) -> int:
    """Gross minor units if the session ended now; equal to `bill(running).gross`."""
    plan = running.segment.start.plan
    if plan.bounded:
        return bill(running).gross
    gross = 0
    for amount, (numerator, half, denominator) in zip(_amounts(running), plan.halves, strict=True):
        if amount:
            gross += (amount * numerator + half) // denominator
    return gross


def bill(running: Running) -> Bill:
    """The bill if the session ended now: lines rounded once each, net + vat = gross = their sum."""
    segment = running.segment
    start, closed = segment.start, segment.closed
    us = _microseconds(running) - segment.begin.us
    measured = Measured(
        energy_wh=running.energy_wh - start.energy_wh,
        seconds_charging=int(closed.charging_us + (us if segment.activity == "charging" else 0)) // SECOND_US,
        seconds_idle=int(closed.idle_us + (us if segment.activity == "idle" else 0)) // SECOND_US,
    )
    return make_bill(start.plan, _amounts(running), measured)


def rate_per_hour(running: Running, power_w: int) -> Fraction:
    """Gross minor units per hour at this power, with the prices and the activity of the last reading."""
    numerator, denominator = _rate(running, power_w)
    return Fraction(numerator, denominator)


def affordable_energy(source: Tariff | Running, amount: int, at: datetime | None = None) -> int | None:
    """How many more Wh `amount` minor units pay at the moment's prices, besides the session's other costs.

    None: without limit.

    For a tariff, of a session that would begin at `at`; only a tariff without times of day can do without that.
    """
    running = source if isinstance(source, Running) else _quote(source, at)
    segment = running.segment

    def too_much(wh: int) -> bool:
        later = advance(running, running.at, running.energy_wh + wh, activity=segment.activity)
        return _exact(later) > amount

    per_wh = float(Fraction(*segment.start.plan.factors[segment.energy])) if segment.energy != NONE else 0.0
    guess = (amount - float(_exact(running))) / per_wh if per_wh else _ENDLESS_WH
    first = _search(too_much, 0, guess, _ENDLESS_WH)
    return None if first is None else max(first - 1, 0)


def exhaustion(running: Running, amount: int, power_w: int, now: datetime) -> datetime | None:
    """The first whole second from `now` on at which the total has reached `amount` at a steady power.

    None where that is not within a week. Whole Wh are what is priced, so that it may be a second or two off where
    thresholds lie in between and a Wh takes that long.
    """
    base, now = running, max(now, running.at)
    passed = (now - base.at) // MICRO

    def after(seconds: int) -> Running:
        wh = power_w * (passed + seconds * SECOND_US) // HOUR_US
        at = now + timedelta(seconds=seconds)
        return advance(running, at, base.energy_wh + wh, activity=base.segment.activity, power_w=power_w)

    low, running = 0, after(0)
    while low < HORIZON_S:
        missing = amount - total(running)
        if missing <= 0:
            return now + timedelta(seconds=low)
        segment = running.segment
        leaves_us = min(
            segment.until_us - _microseconds(base),
            _us_until(math.ceil(segment.until_wh) - base.energy_wh, power_w),
        )
        high = min(math.ceil((leaves_us - passed) / SECOND_US), HORIZON_S)
        numerator, denominator = _rate(running, power_w)
        guess = low + 3600 * missing * denominator / numerator if numerator else high
        seconds = _search(lambda seconds: total(after(seconds)) >= amount, low, guess, high)
        if seconds is not None:
            return now + timedelta(seconds=seconds)
        # Nothing holds beyond this segment: go on from its end.
        running, low = after(high), high
    return None


# ------------------------------------------------------------------------------------------------- inside


def _rate(running: Running, power_w: int) -> tuple[int, int]:
    """The rate per hour in whole numbers: every reading of a prepaid session asks for it."""
    segment = running.segment
    factors = segment.start.plan.factors
    numerator, denominator = factors[segment.energy] if segment.energy != NONE else (0, 1)
    numerator *= power_w
    if segment.time != NONE:
        times, over = factors[segment.time]
        numerator, denominator = numerator * over + times * HOUR_US * denominator, denominator * over
    return numerator, denominator


def _microseconds(running: Running) -> int:
    """Since the begin of the session."""
    return (running.at - running.segment.start.at) // MICRO


def _amounts(running: Running) -> list[Amount]:
    """What every component counts up to the last reading, stepped up (OCPI 2.2.1, CDRs, "step_size").

    The step is applied once to all energy and once to the time or the parking time, whichever was counted
    last, and the surplus is charged at the component that counted last.
    """
    segment = running.segment
    closed, first, plan = segment.closed, segment.begin, segment.start.plan
    amounts = list(closed.amounts)
    last_energy, last_time = closed.last_energy, closed.last_time
    if segment.energy != NONE and (wh := running.energy_wh - first.wh):
        last_energy = segment.energy
        amounts[last_energy] += wh
    if segment.time != NONE and (us := (running.at - segment.start.at) // MICRO - first.us):
        last_time = segment.time
        amounts[last_time] += us
    for last in (last_energy, last_time):
        if last != NONE:
            same = plan.same[last]
            counted = amounts[last] if len(same) == 1 else sum(amounts[index] for index in same)
            amounts[last] += -counted % plan.steps[last]
    return amounts


def _exact(running: Running) -> Fraction:
    """The total before rounding; the rounded one where the tariff bounds it."""
    plan = running.segment.start.plan
    if plan.bounded:
        return Fraction(total(running))
    amounts = _amounts(running)
    return sum(
        (amount * Fraction(*factor) for amount, factor in zip(amounts, plan.factors, strict=True)),
        Fraction(0),
    )


def _across(running: Running, at: datetime, energy_wh: int, span: Span) -> Running:
    """The slow way: the span leaves the segment. Close it at every threshold in between and open the next."""
    segment = running.segment
    begin_at = segment.start.at
    first = Point((running.at - begin_at) // MICRO, running.energy_wh)
    last = Point((at - begin_at) // MICRO, energy_wh)
    if segment.by_power and span[1] is None:
        span = (span[0], _mean_power(first, last, otherwise=segment.power_w))
    if segment.activity != span[0] or segment.by_power:
        segment = reopen(segment, first, span)
    while (cut := next_cut(segment, first, last)) is not None:
        segment = reopen(segment, cut, span)
    return Running(segment, at, energy_wh)


def _mean_power(first: Point, last: Point, otherwise: Amount | None) -> Amount | None:
    """W over a span: Wh per hour; unknown for a span that takes no time."""
    if last.us == first.us:
        return otherwise
    return Fraction(last.wh - first.wh) * 3_600_000_000 / (last.us - first.us)


def _quote(tariff: Tariff, at: datetime | None) -> Running:
    """A session that has only begun."""
    if at is None:
        if plan_of(tariff).times:
            raise ValueError("the prices of this tariff depend on the time of day")
        at = datetime.fromtimestamp(0, UTC)
    return begin(tariff, at, 0)


def _us_until(wh: int, power_w: int) -> Amount:
    """Microseconds that it takes to deliver so much energy."""
    return Fraction(wh * HOUR_US, power_w) if power_w > 0 else NO_LIMIT


def _search(reached: Callable[[int], bool], start: int, guess: float, end: int) -> int | None:
    """The first number from `start` to `end` that reaches it, sought around a guess; None if none does."""
    step = 1
    at = min(max(int(guess), start), end)
    if reached(at):
        while at > start:
            before = max(at - step, start)
            if not reached(before):
                return _first(reached, before, at)
            at, step = before, 4 * step
        return start
    while at < end:
        after = min(at + step, end)
        if reached(after):
            return _first(reached, at, after)
        at, step = after, 4 * step
    return None


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first number after `low` at which it holds, where it does at `high` and not at `low`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
