"""What a tariff is: the structure of OCPI 2.2.1 (module Tariffs, section 11.3) plus an idle grace of our own.

Prices are exact fractions of the minor unit; nothing here is rounded.
"""

from dataclasses import dataclass
from datetime import date, time
from fractions import Fraction
from typing import Literal, get_args

Dimension = Literal["energy", "time", "parking_time", "flat"]

DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

MIDNIGHT = time(0, 0)


@dataclass(frozen=True, slots=True)
class PriceComponent:
    """One price. Units: minor units per kWh (energy), per hour (time, parking_time), once (flat).

    `vat` is a percentage that replaces the tariff's own; `step_size` is the block that is billed, in Wh or
    seconds.
    """

    dimension: Dimension
    price: Fraction
    vat: Fraction | None = None
    step_size: int = 1


@dataclass(frozen=True, slots=True)
class Restrictions:
    """When an element applies; every restriction given must hold (OCPI 2.2.1, TariffRestrictions).

    Times, weekdays (Monday is 0) and dates are local to the tariff's timezone. An end before or equal to the
    start wraps over midnight, so 00:00 is the end of the day. Lower bounds are inclusive, upper bounds and
    `end_date` exclusive. The duration is that of the whole session, idle time included.
    """

    start_time: time | None = None
    end_time: time | None = None
    weekdays: frozenset[int] | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_kwh: Fraction | None = None
    max_kwh: Fraction | None = None
    min_duration_s: int | None = None
    max_duration_s: int | None = None
    min_power_w: int | None = None
    max_power_w: int | None = None


NO_RESTRICTIONS = Restrictions()


@dataclass(frozen=True, slots=True)
class Element:
    """Price components that hold while the restrictions are met."""

    components: tuple[PriceComponent, ...]
    restrictions: Restrictions = NO_RESTRICTIONS


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price list. Per dimension the first element that matches and holds the dimension sets the price; none
    means free.

    `vat` is a percentage. `min_price` and `max_price` bound the total, in minor units, gross where
    `prices_include_vat` and net otherwise. `idle_grace_minutes` are free each time the vehicle stops asking
    for power.
    """

    name: str
    currency: str
    elements: tuple[Element, ...]
    vat: Fraction = Fraction(0)
    prices_include_vat: bool = True
    idle_grace_minutes: int = 0
    min_price: int | None = None
    max_price: int | None = None
    timezone: str = "UTC"

    def __hash__(self) -> int:
        """Hash by few fields: every session looks its plan up, and hashing fractions takes long."""
        return hash((self.name, self.currency, len(self.elements)))
