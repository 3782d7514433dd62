"""The price of a connector as a driver reads it, in the order of EU 2023/1804 article 5(4)."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from babel.numbers import format_decimal

from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.domain.money.tariff_model import NO_RESTRICTIONS
from onprem_csms.domain.money.tariffs import Dimension, Tariff, price_components
from onprem_csms.web.formats import Formats
from onprem_csms.web.languages import N_

PER: dict[Dimension, str] = {
    "energy": N_("per kWh"),
    "time": N_("per minute"),
    "flat": N_("per charging, once"),
    "parking_time": N_("per minute when the vehicle is full but stays"),
}


@dataclass(frozen=True, slots=True)
class Price:
    """One component: the amount as text, and what it is paid for."""

    amount: str
    per: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """Everything a price says. ``changes``: it depends on time, energy or duration; amounts in minor units."""

    prices: list[Price]
    vat_percent: str
    grace_minutes: int
    changes: bool
    minimum: int | None
    maximum: int | None
    currency: str


def price_list(tariff: Tariff, at: datetime, formats: Formats) -> PriceList:
    """Return the prices of a session that begins at a moment."""
    components = price_components(tariff, at)
    idle = any(dimension == "parking_time" for dimension, _ in components)
    return PriceList(
        prices=[
            Price(exact(price, tariff.currency, formats), PER[dimension]) for dimension, price in components
        ],
        vat_percent=formats.number(float(tariff.vat), 2) if tariff.vat else "",
        grace_minutes=tariff.idle_grace_minutes if idle else 0,
        changes=any(element.restrictions != NO_RESTRICTIONS for element in tariff.elements),
        minimum=tariff.min_price if tariff.prices_include_vat else None,
        maximum=tariff.max_price if tariff.prices_include_vat else None,
        currency=tariff.currency,
    )


def exact(price: Fraction, currency: str, formats: Formats) -> str:
    """Write a price that may have parts of the minor unit, such as 10.5 Ft or 0.355 €."""
    if price.denominator == 1:
        return formats.money(int(price), currency)
    money = currency_of(currency)
    pattern = "#,##0." + "0" * money.decimals + "##"
    number = format_decimal(float(price / 10**money.decimals), pattern, locale=formats.locale)
    leads = money.leads(formats.language)
    return f"{money.symbol}{number}" if leads else f"{number}\u00a0{money.symbol}"
