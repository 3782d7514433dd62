"""Tariffs: the model, the admin form's simple tariff, JSON, and the prices to display."""

from datetime import datetime
from fractions import Fraction
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

from onprem_csms.domain.money.bills import DISPLAY_ORDER
from onprem_csms.domain.money.currencies import CURRENCIES, DEFAULT_CURRENCY
from onprem_csms.domain.money.exact import exact_text
from onprem_csms.domain.money.tariff_json import (
    Faults,
    major_text,
    read_currency,
    read_flag,
    read_name,
    read_percent,
    read_price,
    read_timezone,
    read_whole,
    tariff_from_json,
    tariff_to_json,
)
from onprem_csms.domain.money.tariff_model import (
    DIMENSIONS,
    NO_RESTRICTIONS,
    Dimension,
    Element,
    PriceComponent,
    Restrictions,
    Tariff,
)
from onprem_csms.domain.money.tariff_plan import NONE, UNITS, Moment, in_calendar, plan_of

__all__ = [
    "DIMENSIONS",
    "Dimension",
    "Element",
    "PriceComponent",
    "Restrictions",
    "SimplePrices",
    "Tariff",
    "describe_simple",
    "price_components",
    "simple_tariff",
    "tariff_from_json",
    "tariff_to_json",
]


class SimplePrices(TypedDict, total=False):
    """The fields of the admin form: texts or numbers in major units; what is left out, empty or None is
    zero.
    """

    start_fee: str | Fraction | int | None
    per_kwh: str | Fraction | int | None
    per_minute: str | Fraction | int | None
    idle_per_minute: str | Fraction | int | None
    idle_grace_minutes: str | int | None
    vat_percent: str | Fraction | int | None
    prices_include_vat: bool
    timezone: str


# The form's price fields: the dimension, and how many of the field's unit make the dimension's.
_FIELDS: dict[str, tuple[Dimension, int]] = {
    "per_kwh": ("energy", 1),
    "per_minute": ("time", 60),
    "start_fee": ("flat", 1),
    "idle_per_minute": ("parking_time", 60),
}


def simple_tariff(name: str, currency: str, **prices: Unpack[SimplePrices]) -> Tariff:
    """A tariff of one element without restrictions.

    Raises Invalid with every fault as (field, sentence).
    """
    faults = Faults()
    money = faults.read("currency", read_currency, currency, otherwise=CURRENCIES[DEFAULT_CURRENCY])
    given = {key: value for key, value in prices.items() if value is not None and value != ""}
    found: dict[Dimension, Fraction] = {}
    for field, (dimension, times) in _FIELDS.items():
        price = faults.read(
            field, lambda value: read_price(value, money), given.get(field, 0), otherwise=Fraction(0)
        )
        if price:
            found[dimension] = price * times
    tariff = Tariff(
        name=faults.read("name", read_name, name, otherwise=""),
        currency=money.code,
        # An element can't be empty: free energy says the same.
        elements=(
            Element(tuple(PriceComponent(*price) for price in (found or {"energy": Fraction(0)}).items())),
        ),
        vat=faults.read("vat_percent", read_percent, given.get("vat_percent", 0), otherwise=Fraction(0)),
        prices_include_vat=faults.read(
            "prices_include_vat", read_flag, given.get("prices_include_vat", True), otherwise=True
        ),
        idle_grace_minutes=faults.read(
            "idle_grace_minutes", read_whole, given.get("idle_grace_minutes", 0), otherwise=0
        ),
        timezone=faults.read("timezone", read_timezone, given.get("timezone", "UTC"), otherwise="UTC"),
    )
    faults.settle()
    return tariff


def describe_simple(tariff: Tariff) -> SimplePrices | None:
    """The form fields (as texts) that would make this tariff, or None where the simple form can't say it."""
    if len(tariff.elements) != 1 or tariff.min_price is not None or tariff.max_price is not None:
        return None
    element = tariff.elements[0]
    if element.restrictions != NO_RESTRICTIONS or any(
        component.step_size != 1 or component.vat not in (None, tariff.vat)
        for component in element.components
    ):
        return None
    currency = CURRENCIES[tariff.currency]
    prices = {component.dimension: component.price for component in element.components}
    texts = {
        field: major_text(prices.get(dimension, Fraction(0)) / times, currency)
        for field, (dimension, times) in _FIELDS.items()
    }
    return SimplePrices(
        start_fee=texts["start_fee"],
        per_kwh=texts["per_kwh"],
        per_minute=texts["per_minute"],
        idle_per_minute=texts["idle_per_minute"],
        idle_grace_minutes=str(tariff.idle_grace_minutes),
        vat_percent=exact_text(tariff.vat),
        prices_include_vat=tariff.prices_include_vat,
        timezone=tariff.timezone,
    )


def price_components(tariff: Tariff, at: datetime) -> list[tuple[Dimension, Fraction]]:
    """Gross prices in minor units for a session that begins at `at`: per kWh, per minute, per session, per
    idle minute.

    In the order that EU 2023/1804 article 5(4) asks for: energy, time, flat, parking_time. What costs nothing
    is left out. A dimension that is priced only later in a session (beyond so many kWh, hours, kW) shows the
    first such price.
    """
    plan = plan_of(tariff)
    match = plan.match(Moment(at, 0, 0, None))
    indices: dict[Dimension, int] = {
        "energy": match.energy,
        "time": match.time,
        "flat": match.flat,
        "parking_time": match.parking_time,
    }
    for dimension, index in _later(tariff, at).items():
        if indices[dimension] == NONE:
            indices[dimension] = index
    shown = []
    for dimension in DISPLAY_ORDER:
        if indices[dimension] != NONE and (factor := Fraction(*plan.factors[indices[dimension]])):
            minutes = 60 if dimension in {"time", "parking_time"} else 1
            shown.append((dimension, factor * UNITS[dimension] / minutes))
    return shown


def _later(tariff: Tariff, at: datetime) -> dict[Dimension, int]:
    """Per dimension the first component that the calendar allows, whatever energy, duration and power."""
    plan = plan_of(tariff)
    local = at.astimezone(ZoneInfo(tariff.timezone))
    found: dict[Dimension, int] = {}
    for restrictions, prices in plan.choices:
        if in_calendar(restrictions, local):
            for dimension, index in prices:
                found.setdefault(dimension, index)
    return found
