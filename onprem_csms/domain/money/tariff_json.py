"""Tariffs as JSON: every fault of a document is told in one run, each with its path.

    {"name": "Day and night", "currency": "…", "vat": "27", "prices_include_vat": true,
     "idle_grace_minutes": 10, "min_price": null, "max_price": "5000", "timezone": "Europe/Budapest",
     "elements": [{"components": [{"dimension": "energy", "price": "149", "vat": "27", "step_size": 1}],
                   "restrictions": {"start_time": "22:00", "end_time": "06:00", "weekdays": ["monday"]}}]}

Prices are in major units (forints, euros) per kWh, per hour or per session. `name`, `currency` and `elements`
must be there.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, time
from fractions import Fraction
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from onprem_csms.domain.money.currencies import CURRENCIES, DEFAULT_CURRENCY, Currency
from onprem_csms.domain.money.exact import exact, exact_text
from onprem_csms.domain.money.money import MAX_MINOR
from onprem_csms.domain.money.tariff_model import (
    DIMENSIONS,
    NO_RESTRICTIONS,
    Dimension,
    Element,
    PriceComponent,
    Restrictions,
    Tariff,
)
from onprem_csms.errors import Invalid

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

MAX_ELEMENTS = 100
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PAIRS = (
    ("min_kwh", "max_kwh"),
    ("min_duration_s", "max_duration_s"),
    ("min_power_w", "max_power_w"),
    ("start_date", "end_date"),
)

Value = TypeVar("Value")


class Faults:
    """Collects the faults of one document, so that its writer sees all of them at once."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def read(self, path: str, reader: Callable[[Any], Value], value: object, otherwise: Value) -> Value:
        """What `reader` makes of `value`; where it is Invalid, the fault is noted and `otherwise`
        returned.
        """
        try:
            return reader(value)
        except Invalid as fault:
            self.found.append((path, fault.message))
            return otherwise

    def unknown(self, path: str, data: Mapping[str, Any], known: tuple[str, ...]) -> None:
        """Note every key that nobody would read."""
        for key in data:
            if key not in known:
                self.read(f"{path}{key}", _refuse_key, None, otherwise=None)

    def settle(self) -> None:
        """Raise Invalid with all that was noted, if anything was."""
        if self.found:
            raise Invalid("The tariff has faults.", faults=self.found)


def tariff_from_json(data: object) -> Tariff:
    """Read a tariff. Raises Invalid with every fault of the document as (path, sentence)."""
    faults = Faults()
    document: dict[str, Any] = faults.read("", read_object, data, otherwise={})
    faults.settle()
    faults.unknown("", document, _TARIFF_KEYS)
    currency = faults.read(
        "currency", read_currency, document.get("currency"), otherwise=CURRENCIES[DEFAULT_CURRENCY]
    )
    read = _reading(faults, document)
    tariff = Tariff(
        name=read("name", read_name, ""),
        currency=currency.code,
        elements=_elements(faults, document.get("elements"), currency),
        vat=read("vat", read_percent, Fraction(0)),
        prices_include_vat=read("prices_include_vat", read_flag, otherwise=True),
        idle_grace_minutes=read("idle_grace_minutes", read_whole, 0),
        min_price=read("min_price", lambda value: _bound(value, currency), None),
        max_price=read("max_price", lambda value: _bound(value, currency), None),
        timezone=read("timezone", read_timezone, "UTC"),
    )
    faults.read("max_price", _check_bounds, tariff, otherwise=None)
    faults.settle()
    return tariff


def tariff_to_json(tariff: Tariff) -> dict[str, Any]:
    """Write a tariff as `tariff_from_json` reads it; prices that decimals can't say are texts such as
    "1/3".
    """
    currency = CURRENCIES[tariff.currency]
    return {
        "name": tariff.name,
        "currency": tariff.currency,
        "vat": exact_text(tariff.vat),
        "prices_include_vat": tariff.prices_include_vat,
        "idle_grace_minutes": tariff.idle_grace_minutes,
        "min_price": _major_or_none(tariff.min_price, currency),
        "max_price": _major_or_none(tariff.max_price, currency),
        "timezone": tariff.timezone,
        "elements": [_element_to_json(element, currency) for element in tariff.elements],
    }


def major_text(minor: Fraction | int, currency: Currency) -> str:
    """An exact number of minor units as text in major units."""
    return exact_text(Fraction(minor) / 10**currency.decimals)


# -------------------------------------------------------------------------------------- readers of one value


def read_object(value: object) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Invalid("An object is wanted here.")
    return value


def read_currency(value: object) -> Currency:
    """A currency known here, by its code."""
    if not isinstance(value, str) or value not in CURRENCIES:
        raise Invalid("The currency must be one of {codes}.", codes=", ".join(CURRENCIES))
    return CURRENCIES[value]


def read_name(value: object) -> str:
    """A name of up to 100 characters that is not blank."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Invalid("A tariff needs a name.")
    if len(value.strip()) > 100:
        raise Invalid("The name may have 100 characters at most.")
    return value.strip()


def read_percent(value: object) -> Fraction:
    """A percentage from 0 to 100."""
    percent = exact(value)
    if percent > 100:
        raise Invalid("A percentage lies between 0 and 100.")
    return percent


def read_flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Invalid("Write true or false.")
    return value


def read_whole(value: object) -> int:
    """A whole number that is not negative, below a thousand million."""
    number = exact(value)
    if number.denominator != 1 or number >= 10**9:
        raise Invalid("Write a whole number.")
    return int(number)


def read_timezone(value: object) -> str:
    """The name of a zone of the tz database."""
    try:
        return ZoneInfo(value).key if isinstance(value, str) and value else _refuse_timezone()
    except (KeyError, ValueError, OSError):
        return _refuse_timezone()


def read_price(value: object, currency: Currency) -> Fraction:
    """A price in major units, as minor units."""
    price = exact(value) * int(10**currency.decimals)
    if price > MAX_MINOR:
        raise Invalid("The amount is too large.")
    return price


def check_order(pair: tuple[Any, Any]) -> None:
    """Lower bound and upper bound, either of which may be missing."""
    lower, upper = pair
    if lower is not None and upper is not None and lower >= upper:
        raise Invalid("The upper bound must be above the lower one.")


def _refuse_timezone() -> str:
    raise Invalid("This time zone is not known; write one such as Europe/Budapest.")


def _refuse_key(_: object) -> None:
    raise Invalid("This field is not known.")


def _bound(value: object, currency: Currency) -> int | None:
    price = read_price(value, currency)
    if price.denominator != 1:
        raise Invalid("The amount has more decimals than its currency.")
    return int(price)


def _check_bounds(tariff: Tariff) -> None:
    if tariff.min_price is not None and tariff.max_price is not None and tariff.min_price > tariff.max_price:
        raise Invalid("The price cap must not be below the minimum price.")


def _list(value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Invalid("A list with at least one entry is wanted here.")
    if len(value) > MAX_ELEMENTS:
        raise Invalid("The list is too long.")
    return value


def _dimension(value: object) -> Dimension:
    for dimension in DIMENSIONS:
        if value == dimension:
            return dimension
    raise Invalid("The dimension must be energy, time, parking_time or flat.")


def _step_size(value: object) -> int:
    step = read_whole(value)
    if step < 1:
        raise Invalid("A step is at least 1.")
    return step


def _time_of_day(value: object) -> time:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Invalid("Write a time of day such as 22:00; the end of the day is 00:00.")
    return time(int(found[1]), int(found[2]))


def _date(value: object) -> date:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass  # the 31st of February is no better than a word
    raise Invalid("Write a date such as 2026-12-31.")


def _weekdays(value: object) -> frozenset[int]:
    days = _list(value)
    if any(not isinstance(day, str) or day not in WEEKDAYS for day in days):
        raise Invalid("Weekdays are written monday to sunday.")
    return frozenset(WEEKDAYS.index(day) for day in days)


# ----------------------------------------------------------------------------------------------- the document

_TARIFF_KEYS = tuple(field.name for field in fields(Tariff))
_ELEMENT_KEYS = tuple(field.name for field in fields(Element))
_COMPONENT_KEYS = tuple(field.name for field in fields(PriceComponent))
_RESTRICTIONS: dict[str, Callable[[Any], Any]] = {
    "start_time": _time_of_day,
    "end_time": _time_of_day,
    "weekdays": _weekdays,
    "start_date": _date,
    "end_date": _date,
    "min_kwh": exact,
    "max_kwh": exact,
    "min_duration_s": read_whole,
    "max_duration_s": read_whole,
    "min_power_w": read_whole,
    "max_power_w": read_whole,
}


def _reading(faults: Faults, data: Mapping[str, Any], path: str = "") -> Callable[..., Any]:
    """A reader of the object's fields; a missing or null one (`name` apart) is what `otherwise` says."""

    def read(key: str, reader: Callable[[Any], Any], otherwise: object) -> Any:
        if data.get(key) is None and key not in _REQUIRED:
            return otherwise
        return faults.read(f"{path}{key}", reader, data.get(key), otherwise)

    return read


_REQUIRED = ("name", "dimension", "price")


def _elements(faults: Faults, value: object, currency: Currency) -> tuple[Element, ...]:
    entries: list[Any] = faults.read("elements", _list, value, otherwise=[])
    return tuple(_element(faults, entry, f"elements.{n}", currency) for n, entry in enumerate(entries))


def _element(faults: Faults, value: object, path: str, currency: Currency) -> Element:
    data: dict[str, Any] = faults.read(path, read_object, value, otherwise={})
    if value is not data:
        return Element(())
    faults.unknown(f"{path}.", data, _ELEMENT_KEYS)
    entries: list[Any] = faults.read(f"{path}.components", _list, data.get("components"), otherwise=[])
    components = tuple(
        _component(faults, entry, f"{path}.components.{n}", currency) for n, entry in enumerate(entries)
    )
    for n, component in enumerate(components):
        if component is not None and component.dimension in {c.dimension for c in components[:n] if c}:
            faults.read(f"{path}.components.{n}.dimension", _refuse_second, None, otherwise=None)
    restrictions = _restrictions(faults, data.get("restrictions"), f"{path}.restrictions")
    return Element(tuple(component for component in components if component), restrictions)


def _refuse_second(_: object) -> None:
    raise Invalid("This dimension has a price in this element already.")


def _component(faults: Faults, value: object, path: str, currency: Currency) -> PriceComponent | None:
    before = len(faults.found)
    data: dict[str, Any] = faults.read(path, read_object, value, otherwise={})
    if value is not data:
        return None
    faults.unknown(f"{path}.", data, _COMPONENT_KEYS)
    read = _reading(faults, data, f"{path}.")
    component = PriceComponent(
        dimension=read("dimension", _dimension, "energy"),
        price=read("price", lambda price: read_price(price, currency), Fraction(0)),
        vat=read("vat", read_percent, None),
        step_size=read("step_size", _step_size, 1),
    )
    return component if len(faults.found) == before else None


def _restrictions(faults: Faults, value: object, path: str) -> Restrictions:
    if value is None:
        return NO_RESTRICTIONS
    data: dict[str, Any] = faults.read(path, read_object, value, otherwise={})
    faults.unknown(f"{path}.", data, tuple(_RESTRICTIONS))
    read = _reading(faults, data, f"{path}.")
    values = {key: read(key, reader, None) for key, reader in _RESTRICTIONS.items()}
    for lower, upper in _PAIRS:
        faults.read(f"{path}.{upper}", check_order, (values[lower], values[upper]), otherwise=None)
    return Restrictions(**values)


def _major_or_none(minor: int | None, currency: Currency) -> str | None:
    return None if minor is None else major_text(minor, currency)


def _element_to_json(element: Element, currency: Currency) -> dict[str, Any]:
    written: dict[str, Any] = {
        "components": [_component_to_json(component, currency) for component in element.components]
    }
    restrictions = {
        key: _plain(getattr(element.restrictions, key))
        for key in _RESTRICTIONS
        if getattr(element.restrictions, key) is not None
    }
    return {**written, "restrictions": restrictions} if restrictions else written


def _component_to_json(component: PriceComponent, currency: Currency) -> dict[str, Any]:
    written: dict[str, Any] = {
        "dimension": component.dimension,
        "price": major_text(component.price, currency),
        "step_size": component.step_size,
    }
    return written if component.vat is None else {**written, "vat": exact_text(component.vat)}


def _plain(value: object) -> object:
    """A restriction's value in JSON."""
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return [WEEKDAYS[day] for day in sorted(value)]
    return exact_text(value) if isinstance(value, Fraction) else value
