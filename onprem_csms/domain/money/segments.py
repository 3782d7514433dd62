"""A session as a chain of segments within which the same components of its tariff hold.

A reading within a segment only moves its end. Amounts become fractions only where a threshold cuts between
two readings, because energy between two readings is spread evenly in time.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from onprem_csms.domain.charging.sessions import Activity
from onprem_csms.domain.money.tariff_plan import FOREVER, MICRO, NO_LIMIT, NONE, Amount, Moment, Plan

# The activity of a span and its power in W, if known.
Span = tuple[Activity, Amount | None]


@dataclass(frozen=True, slots=True)
class Start:
    """What a session is priced by from its begin: the plan, the moment, the meter register in Wh."""

    plan: Plan
    at: datetime
    energy_wh: int


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the session: microseconds since its begin and the meter register in Wh."""

    us: Amount
    wh: Amount


@dataclass(frozen=True, slots=True)
class Closed:
    """What the segments before have summed up: the amount of every component, and microseconds.

    `last_energy` and `last_time` are the components that counted last: theirs is the step that is billed.
    `grace_us` is what the present stretch of idling has used of the grace.
    """

    amounts: tuple[Amount, ...]
    last_energy: int = NONE
    last_time: int = NONE
    charging_us: Amount = 0
    idle_us: Amount = 0
    grace_us: Amount = 0
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which the same components hold: from `begin` until `until` or `until_wh`, both
    exclusive.
    """

    start: Start
    closed: Closed
    begin: Point
    activity: Activity
    power_w: Amount | None
    energy: int
    time: int
    until: datetime
    until_us: Amount
    until_wh: Amount
    by_power: bool


def next_cut(segment: Segment, first: Point, last: Point) -> Point | None:
    """Where the straight line between two readings leaves the segment, if it does."""
    by_time: Point | None = None
    if segment.until_us <= last.us:
        share = Fraction(segment.until_us - first.us) / (last.us - first.us)
        by_time = Point(segment.until_us, whole(first.wh + share * (last.wh - first.wh)))
    if segment.until_wh <= last.wh and (by_time is None or segment.until_wh < by_time.wh):
        share = Fraction(segment.until_wh - first.wh) / (last.wh - first.wh)
        return Point(whole(first.us + share * (last.us - first.us)), segment.until_wh)
    return by_time


def reopen(segment: Segment, at: Point, span: Span) -> Segment:
    """The segment that follows at this point; the same one with later limits where nothing changes."""
    following = open_segment(segment.start, _close(segment, at), at, span)
    unchanged = (
        following.energy == segment.energy
        and following.time == segment.time
        and following.activity == segment.activity
        and following.closed.flat == segment.closed.flat
    )
    if not unchanged:
        return following
    return replace(following, closed=segment.closed, begin=segment.begin)


def _close(segment: Segment, at: Point) -> Closed:
    """The sums with this segment's amounts, from its begin up to a point."""
    closed = segment.closed
    us, wh = at.us - segment.begin.us, at.wh - segment.begin.wh
    amounts = list(closed.amounts)
    if segment.energy != NONE:
        amounts[segment.energy] = whole(amounts[segment.energy] + wh)
    if segment.time != NONE:
        amounts[segment.time] = whole(amounts[segment.time] + us)
    activity = segment.activity
    return Closed(
        amounts=tuple(amounts),
        last_energy=segment.energy if wh and segment.energy != NONE else closed.last_energy,
        last_time=segment.time if us and segment.time != NONE else closed.last_time,
        charging_us=closed.charging_us + (us if activity == "charging" else 0),
        idle_us=closed.idle_us + (us if activity == "idle" else 0),
        grace_us=_grace_used(closed.grace_us, us, activity),
        flat=closed.flat,
    )


def _grace_used(before: Amount, us: Amount, activity: Activity) -> Amount:
    """Idling uses the grace up, charging gives it back whole, the charger's own pause does neither."""
    if activity == "idle":
        return before + us
    return 0 if us and activity == "charging" else before


def open_segment(start: Start, closed: Closed, at: Point, span: Span) -> Segment:
    """The segment that begins at a point: what holds there, and where the next change may come."""
    plan = start.plan
    activity, power_w = span
    wh = at.wh - start.energy_wh
    moment = Moment(start.at + int(at.us) * MICRO, wh, at.us, power_w)
    match = plan.match(moment)
    if match.flat != NONE and not closed.flat:
        amounts = list(closed.amounts)
        amounts[match.flat] += 1
        closed = replace(closed, amounts=tuple(amounts), flat=True)
    in_grace = activity == "idle" and closed.grace_us < plan.grace_us
    by_activity = {"charging": match.time, "idle": NONE if in_grace else match.parking_time, "paused": NONE}
    limits_us = [limit for limit in plan.limits_us if limit > at.us]
    if in_grace:
        limits_us.append(int(at.us + plan.grace_us - closed.grace_us))
    until = plan.next_change(moment.at)
    if limits_us:
        until = min(until, start.at + min(limits_us) * MICRO)
    return Segment(
        start=start,
        closed=closed,
        begin=at,
        activity=activity,
        power_w=power_w,
        energy=match.energy,
        time=by_activity[activity],
        until=until,
        until_us=NO_LIMIT if until is FOREVER else (until - start.at) // MICRO,
        until_wh=next((start.energy_wh + limit for limit in plan.limits_wh if limit > wh), NO_LIMIT),
        by_power=plan.by_power,
    )


def whole(amount: Amount) -> Amount:
    """The same amount, as an int where it is one: ints are many times faster."""
    return amount.numerator if amount.denominator == 1 else amount
