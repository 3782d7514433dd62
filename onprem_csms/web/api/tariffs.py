"""``/tariffs``: price lists."""

from datetime import datetime
from typing import Annotated, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from onprem_csms.domain.money.tariffs import SimplePrices, describe_simple, tariff_to_json
from onprem_csms.services.money import tariff_drafts, tariffs
from onprem_csms.services.money.tariff_drafts import PRICES, Draft
from onprem_csms.web.api.fields import Currency, Given, Page, Paged, after, given, page
from onprem_csms.web.api.route import Call, Created, place

# A text keeps every decimal; a number is taken as it prints.
Exact = Annotated[str, Meta(max_length=40, description="An exact decimal number.")] | int | float
Dimension = Literal["energy", "time", "parking_time", "flat"]


class Component(Given, frozen=True, kw_only=True, omit_defaults=True):
    """One price in major units: per kWh (energy), per hour (time, parking_time), once (flat)."""

    dimension: Dimension
    price: Exact
    vat: Exact | None = None
    step_size: Annotated[
        int, Meta(ge=1, le=10**8, description="The block that is billed, in Wh or seconds.")
    ] = 1


class Restrictions(Given, frozen=True, kw_only=True, omit_defaults=True):
    """When an element holds, in local time; lower bounds count in, upper bounds do not."""

    start_time: str | None = None
    end_time: str | None = None
    weekdays: list[str] | None = None
    start_date: str | None = None
    end_date: str | None = None
    min_kwh: Exact | None = None
    max_kwh: Exact | None = None
    min_duration_s: int | None = None
    max_duration_s: int | None = None
    min_power_w: int | None = None
    max_power_w: int | None = None


class Element(Given, frozen=True, kw_only=True, omit_defaults=True):
    """Prices that hold together; for each dimension the first element that matches sets the price."""

    components: Annotated[list[Component], Meta(min_length=1, max_length=100)]
    restrictions: Restrictions | None = None


class Prices(Given, frozen=True, kw_only=True):
    """The everyday tariff, in major units: what is left out costs nothing."""

    start_fee: Exact | None = None
    per_kwh: Exact | None = None
    per_minute: Exact | None = None
    idle_per_minute: Exact | None = None


class TariffChange(Given, frozen=True, kw_only=True):
    """What changes of a tariff. Either ``prices`` (simple) or ``elements`` (anything that OCPI can say)."""

    name: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    vat: Annotated[Exact, Meta(description="Per cent; left out: the site's.")] | UnsetType = UNSET
    prices_include_vat: bool | UnsetType = UNSET
    idle_grace_minutes: Annotated[int, Meta(ge=0, le=10**6)] | UnsetType = UNSET
    min_price: Exact | UnsetType | None = UNSET
    max_price: Exact | UnsetType | None = UNSET
    timezone: str | UnsetType = UNSET
    prices: Prices | UnsetType = UNSET
    elements: Annotated[list[Element], Meta(min_length=1, max_length=100)] | UnsetType = UNSET


class NewTariff(TariffChange, frozen=True, kw_only=True):
    """A tariff to store; currency, VAT and time zone are the site's unless given."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    default: bool = False


class StoredTariff(Struct, frozen=True, kw_only=True):
    """A tariff. ``prices`` is null where the simple form can't say it; ``default`` holds where no other is named."""

    id: int
    name: str
    currency: Currency
    default: bool
    vat: str
    prices_include_vat: bool
    idle_grace_minutes: int
    min_price: str | None
    max_price: str | None
    timezone: str
    prices: dict[str, str] | None
    elements: list[Element]
    created_at: datetime
    updated_at: datetime


async def find(call: Call[None, Paged]) -> Page[StoredTariff]:
    """List tariffs."""
    query = call.query
    found = await call.read(tariffs.find, after(query), query.limit + 1)
    return page(found, query.limit, show, lambda stored: stored.id)


async def get(call: Call[None, None]) -> StoredTariff:
    """Show one tariff."""
    return show(await call.read(tariffs.get, call.number()))


async def create(call: Call[NewTariff, None]) -> Created[StoredTariff]:
    """Store a tariff; the first one is the default."""
    stored = await call.write(tariff_drafts.create, _draft(call.body), is_default=call.body.default)
    return Created(show(stored), place("tariffs", stored.id))


async def change(call: Call[TariffChange, None]) -> StoredTariff:
    """Change a tariff; sessions keep the one they began with."""
    return show(await call.write(tariff_drafts.change, call.number(), _draft(call.body)))


async def make_default(call: Call[None, None]) -> StoredTariff:
    """Let this tariff hold wherever no other is named."""
    return show(await call.write(tariffs.make_default, call.number()))


async def remove(call: Call[None, None]) -> None:
    """Archive a tariff."""
    await call.write(tariffs.archive, call.number())


def _draft(body: TariffChange) -> Draft:
    fields = given(body)
    fields.pop("default", None)
    prices: Prices | None = fields.pop("prices", None)
    if "elements" in fields:
        fields["elements"] = msgspec.to_builtins(fields["elements"])
    return Draft(fields, None if prices is None else _texts(prices))


def _texts(prices: Prices) -> SimplePrices:
    values = ((name, getattr(prices, name)) for name in PRICES)
    return cast(SimplePrices, {name: str(value) for name, value in values if value is not None})


def show(stored: tariffs.StoredTariff) -> StoredTariff:
    """Show a tariff as JSON."""
    document = tariff_to_json(stored.tariff)
    simple = describe_simple(stored.tariff)
    prices = None if simple is None else {name: str(simple[name]) for name in PRICES}  # type: ignore[literal-required]
    return msgspec.convert(
        {
            **document,
            "id": stored.id,
            "default": stored.is_default,
            "prices": prices,
            "created_at": stored.created_at,
            "updated_at": stored.updated_at,
        },
        StoredTariff,
    )
