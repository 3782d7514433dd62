"""A tariff made ready for pricing: which component holds at a moment, and where the next change may come."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import TypeVar
from zoneinfo import ZoneInfo

from onprem_csms.domain.money.tariff_model import (
    MIDNIGHT,
    NO_RESTRICTIONS,
    Dimension,
    PriceComponent,
    Restrictions,
    Tariff,
)

# Whole where it can be, a fraction where a threshold cut between two readings.
Amount = int | Fraction

MICRO = timedelta(microseconds=1)
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US

FOREVER = datetime.max.replace(tzinfo=UTC)
NO_LIMIT = 1 << 62
NONE = -1

Value = TypeVar("Value")

# One of a unit's price (kWh, hour, once) in what is counted: Wh, microseconds, times.
UNITS: dict[Dimension, int] = {"energy": 1000, "time": HOUR_US, "parking_time": HOUR_US, "flat": 1}
_STEP_UNITS: dict[Dimension, int] = {"energy": 1, "time": SECOND_US, "parking_time": SECOND_US, "flat": 1}


@dataclass(frozen=True, slots=True)
class Moment:
    """What restrictions look at: the instant, Wh delivered and microseconds passed since the begin, the
    power.
    """

    at: datetime
    wh: Amount
    us: Amount
    power_w: Amount | None


@dataclass(frozen=True, slots=True)
class Match:
    """The component that sets the price of each dimension, as an index into the plan's components, or
    NONE.
    """

    energy: int
    time: int
    parking_time: int
    flat: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled tariff. Amounts are counted per component: Wh, microseconds, or times.

    `factors` turns an amount into gross minor units as numerator and denominator, `halves` is the same for
    rounding half up: (amount × first + second) // third. `prices` are gross per kWh, hour or once, `vats` the
    rates of VAT. `steps` are billed blocks in counted units; `same` lists for each component those whose
    amounts are stepped up together.
    """

    tariff: Tariff
    components: tuple[PriceComponent, ...]
    factors: tuple[tuple[int, int], ...]
    halves: tuple[tuple[int, int, int], ...]
    prices: tuple[Fraction, ...]
    vats: tuple[Fraction, ...]
    steps: tuple[int, ...]
    same: tuple[tuple[int, ...], ...]
    choices: tuple[tuple[Restrictions, tuple[tuple[Dimension, int], ...]], ...]
    limits_wh: tuple[Amount, ...]
    limits_us: tuple[int, ...]
    times: tuple[time, ...]
    by_power: bool
    grace_us: int
    bounded: bool

    def match(self, moment: Moment) -> Match:
        """Per dimension the first element that holds it and whose restrictions are met."""
        found: dict[Dimension, int] = {}
        local: datetime | None = None
        for restrictions, prices in self.choices:
            if restrictions is not NO_RESTRICTIONS:
                local = local or moment.at.astimezone(ZoneInfo(self.tariff.timezone))
                if not (in_calendar(restrictions, local) and _in_bounds(restrictions, moment)):
                    continue
            for dimension, index in prices:
                found.setdefault(dimension, index)
        return Match(
            found.get("energy", NONE),
            found.get("time", NONE),
            found.get("parking_time", NONE),
            found.get("flat", NONE),
        )

    def next_change(self, at: datetime) -> datetime:
        """An instant after `at` and not after the next one at which local time may change the match."""
        if not self.times:
            return FOREVER
        cuts = _cuts_of_day(self.tariff.timezone, self.times, at.date())
        return next(cut for cut in cuts if cut > at)


@lru_cache(maxsize=256)
def plan_of(tariff: Tariff) -> Plan:
    """Compile a tariff, once for equal ones."""
    components = tuple(dict.fromkeys(chain.from_iterable(element.components for element in tariff.elements)))
    index = {component: n for n, component in enumerate(components)}
    factors = tuple(_factor(tariff, component).as_integer_ratio() for component in components)
    rules = [element.restrictions for element in tariff.elements]
    return Plan(
        tariff=tariff,
        components=components,
        factors=factors,
        halves=tuple((2 * numerator, denominator, 2 * denominator) for numerator, denominator in factors),
        prices=tuple(
            Fraction(*factor) * UNITS[component.dimension]
            for factor, component in zip(factors, components, strict=True)
        ),
        vats=tuple(tariff.vat if component.vat is None else component.vat for component in components),
        steps=tuple(component.step_size * _STEP_UNITS[component.dimension] for component in components),
        same=tuple(
            tuple(n for n, other in enumerate(components) if other.dimension == component.dimension)
            for component in components
        ),
        choices=tuple(
            (
                NO_RESTRICTIONS if element.restrictions == NO_RESTRICTIONS else element.restrictions,
                tuple((component.dimension, index[component]) for component in element.components),
            )
            for element in tariff.elements
        ),
        limits_wh=tuple(
            sorted({_plain(1000 * kwh) for rule in rules for kwh in _given(rule.min_kwh, rule.max_kwh)})
        ),
        limits_us=tuple(
            sorted(
                {s * SECOND_US for rule in rules for s in _given(rule.min_duration_s, rule.max_duration_s)}
            )
        ),
        times=_times(rules),
        by_power=any(rule.min_power_w is not None or rule.max_power_w is not None for rule in rules),
        grace_us=tariff.idle_grace_minutes * 60 * SECOND_US,
        bounded=tariff.min_price is not None or tariff.max_price is not None,
    )


def in_calendar(rule: Restrictions, local: datetime) -> bool:
    """Whether time of day, weekday and date allow this local moment; all of them must."""
    start, end = rule.start_time or MIDNIGHT, rule.end_time or MIDNIGHT
    clock = local.time()
    in_hours = start <= clock < end if start < end else clock >= start or clock < end
    return (
        in_hours
        and (rule.weekdays is None or local.weekday() in rule.weekdays)
        and (rule.start_date is None or local.date() >= rule.start_date)
        and (rule.end_date is None or local.date() < rule.end_date)
    )


def _in_bounds(rule: Restrictions, moment: Moment) -> bool:
    """Whether energy, duration and power lie between the bounds; an unknown power lies between none."""
    bounds: tuple[tuple[Amount | None, Amount | None, Amount | None], ...] = (
        (moment.wh, _times_1000(rule.min_kwh), _times_1000(rule.max_kwh)),
        (moment.us, _in_us(rule.min_duration_s), _in_us(rule.max_duration_s)),
        (moment.power_w, rule.min_power_w, rule.max_power_w),
    )
    return all(
        (lower is None and upper is None)
        or (value is not None and (lower is None or value >= lower) and (upper is None or value < upper))
        for value, lower, upper in bounds
    )


def _times_1000(kwh: Fraction | None) -> Fraction | None:
    return None if kwh is None else 1000 * kwh


def _in_us(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * SECOND_US


def _plain(number: Fraction) -> Amount:
    return number.numerator if number.denominator == 1 else number


def _given(*values: Value | None) -> list[Value]:
    return [value for value in values if value is not None]


def _factor(tariff: Tariff, component: PriceComponent) -> Fraction:
    """Gross minor units per counted unit."""
    price = component.price / UNITS[component.dimension]
    if tariff.prices_include_vat:
        return price
    return price * (1 + (tariff.vat if component.vat is None else component.vat) / 100)


def _times(rules: list[Restrictions]) -> tuple[time, ...]:
    """The local times of day at which a match may change; midnight changes weekday and date."""
    found: set[time] = set()
    for rule in rules:
        if rule.start_time or rule.end_time:
            found |= {rule.start_time or MIDNIGHT, rule.end_time or MIDNIGHT}
        if rule.weekdays is not None or rule.start_date or rule.end_date:
            found.add(MIDNIGHT)
    return tuple(sorted(found))


@lru_cache(maxsize=512)
def _cuts_of_day(timezone: str, times: tuple[time, ...], day: date) -> tuple[datetime, ...]:
    """The instants of one UTC day, its end included, at which one of the local times begins or the offset
    changes.
    """
    zone = ZoneInfo(timezone)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + timedelta(days=1)
    found = {end, _offset_change(zone, start, end)}
    for distance in (-1, 0, 1):
        for clock in times:
            for fold in (0, 1):
                local = datetime.combine(day + timedelta(days=distance), clock.replace(fold=fold), zone)
                found.add(local.astimezone(UTC))
    return tuple(sorted(cut for cut in found if start < cut <= end))


def _offset_change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """The instant at which the zone's offset changes between two, or the end where it doesn't."""
    before = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == before:
        return end
    low, high = 0, int((end - start).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        same = (start + timedelta(seconds=middle)).astimezone(zone).utcoffset() == before
        low, high = (middle, high) if same else (low, middle)
    return start + timedelta(seconds=high)
