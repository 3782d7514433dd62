"""Tariffs: the list with how each reads to a driver, and the simple form."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, time
from fractions import Fraction
from typing import Any

from aiohttp import web

from onprem_csms.domain.money.currencies import CURRENCIES
from onprem_csms.domain.money.tariffs import (
    Dimension,
    SimplePrices,
    Tariff,
    describe_simple,
    price_components,
    simple_tariff,
    tariff_to_json,
)
from onprem_csms.domain.money.two_prices import SecondPrice, with_second_price, without_second_price
from onprem_csms.services.money import tariffs
from onprem_csms.services.money.tariffs import StoredTariff
from onprem_csms.web.admin.common import id_of
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import NO_FORM, Form, posted
from onprem_csms.web.languages import N_

PRICES = ("per_kwh", "per_minute", "start_fee", "idle_per_minute", "vat_percent")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a tariff reads to a driver: gross prices by dimension, and the second price with its hours."""

    currency: str
    components: list[tuple[Dimension, Fraction]]
    grace_minutes: int
    second: Fraction | None
    hours: tuple[time, time] | None


@dataclass(frozen=True, slots=True)
class TariffsPage:
    """Every tariff."""

    tariffs: list[tuple[StoredTariff, Reading]]


@dataclass(frozen=True, slots=True)
class TariffPage:
    """The form of a tariff; ``stored`` None: a new one. ``raw`` where the simple form can't say it."""

    stored: StoredTariff | None
    reading: Reading | None
    prices: dict[str, Any]
    raw: str
    form: Form
    currencies: list[tuple[str, str]]


def _currencies() -> list[tuple[str, str]]:
    return [(one.code, f"{one.code} ({one.symbol})") for one in CURRENCIES.values()]


async def show_list(request: web.Request) -> web.StreamResponse:
    """List the tariffs."""
    ctx = context(request)
    found = await ctx.read(tariffs.find)
    now = ctx.clock.now()
    return render(
        request, "admin/tariffs.html", TariffsPage([(one, reading(one.tariff, now)) for one in found])
    )


async def show_new(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show an empty form."""
    settings = context(request).settings
    prices = {"currency": settings.currency, "vat_percent": settings.vat_percent, "prices_include_vat": True}
    page = TariffPage(None, None, prices, "", form, _currencies())
    return render(request, "admin/tariff.html", page, form.status)


@posted(show_new)
async def create(request: web.Request, form: Form) -> web.StreamResponse:
    """Store a new tariff."""
    tariff = read(form, context(request).settings.timezone)
    stored = await context(request).write(tariffs.create, tariff, is_default=form.flag("is_default"))
    return redirect(request, f"/admin/tariffs/{stored.id}", said=N_("The tariff was stored."))


async def show(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show a tariff in the form, or as it is where the form can't say it."""
    ctx = context(request)
    stored = await ctx.read(tariffs.get, id_of(request))
    prices = describe(stored.tariff)
    raw = "" if prices else json.dumps(tariff_to_json(stored.tariff), indent=2, ensure_ascii=False)
    page = TariffPage(stored, reading(stored.tariff, ctx.clock.now()), prices or {}, raw, form, _currencies())
    return render(request, "admin/tariff.html", page, form.status)


@posted(show)
async def save(request: web.Request, form: Form) -> web.StreamResponse:
    """Replace a tariff's prices; running sessions keep theirs."""
    tariff_id = id_of(request)
    tariff = read(form, context(request).settings.timezone)
    await context(request).write(tariffs.change, tariff_id, tariff)
    said = N_("Saved. Sessions that run now keep the price they began with.")
    return redirect(request, f"/admin/tariffs/{tariff_id}", said=said)


async def make_default(request: web.Request) -> web.StreamResponse:
    """Let a tariff hold wherever no other is named."""
    tariff_id = id_of(request)
    await context(request).write(tariffs.make_default, tariff_id)
    return redirect(request, "/admin/tariffs", said=N_("This is the default tariff now."))


async def archive(request: web.Request) -> web.StreamResponse:
    """Archive a tariff."""
    tariff_id = id_of(request)
    await context(request).write(tariffs.archive, tariff_id)
    return redirect(request, "/admin/tariffs", said=N_("The tariff was archived."))


# --- Form and tariff ----------------------------------------------------------------------------------------


def read(form: Form, timezone: str) -> Tariff:
    """Make a tariff of the form; Invalid with every fault by field."""
    name, currency = form.text("name", max_length=100), form.choice("currency", CURRENCIES)
    texts = {field: form.decimal(field, required=False) for field in PRICES}
    grace = form.integer("idle_grace_minutes", 0, 1440) if form.typed.get("idle_grace_minutes") else 0
    second = _read_second(form, name, currency)
    form.check()
    prices: SimplePrices = {
        "per_kwh": texts["per_kwh"],
        "per_minute": texts["per_minute"],
        "start_fee": texts["start_fee"],
        "idle_per_minute": texts["idle_per_minute"],
        "vat_percent": texts["vat_percent"],
        "idle_grace_minutes": grace,
        "prices_include_vat": form.flag("prices_include_vat"),
        "timezone": timezone,
    }
    tariff = simple_tariff(name, currency, **prices)
    return tariff if second is None else with_second_price(tariff, second)


def _read_second(form: Form, name: str, currency: str) -> SecondPrice | None:
    """Read the second price; all three of its fields or none."""
    fields = ("second_per_kwh", "second_from", "second_until")
    given = [field for field in fields if form.typed.get(field, "").strip()]
    if not given:
        return None
    for field in fields:
        if field not in given:
            form.fault(field, N_("A second price needs the price, its begin and its end."))
    price = form.decimal("second_per_kwh", required=False)
    start, end = form.time("second_from"), form.time("second_until")
    if start == end and len(given) == len(fields):
        form.fault("second_until", N_("Begin and end must differ."))
    if form.faults:
        return None
    return SecondPrice(simple_tariff(name, currency, per_kwh=price).elements[0], start, end)


def describe(tariff: Tariff) -> dict[str, Any] | None:
    """Return the form's fields for a tariff, or None where the form can't say it."""
    base, second = without_second_price(tariff)
    simple = describe_simple(base)
    if simple is None:
        return None
    fields: dict[str, Any] = {**simple, "name": tariff.name, "currency": tariff.currency}
    if second is not None:
        one = describe_simple(replace(base, elements=(second.element,)))
        if one is None:
            return None
        fields |= {
            "second_per_kwh": one["per_kwh"],
            "second_from": second.start.strftime("%H:%M"),
            "second_until": second.end.strftime("%H:%M"),
        }
    return fields


def reading(tariff: Tariff, now: datetime) -> Reading:
    """Return how a tariff reads to a driver."""
    base, second = without_second_price(tariff)
    shown = price_components(base, now)
    other = None
    if second is not None:
        other = dict(price_components(replace(base, elements=(second.element,)), now)).get(
            "energy", Fraction(0)
        )
    hours = None if second is None else (second.start, second.end)
    return Reading(tariff.currency, shown, tariff.idle_grace_minutes, other, hours)
