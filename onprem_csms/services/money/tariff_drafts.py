"""A tariff as a program sends it: the fields that it names, with prices or with elements, made whole and stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.money.tariffs import (
    SimplePrices,
    Tariff,
    simple_tariff,
    tariff_from_json,
    tariff_to_json,
)
from onprem_csms.errors import Invalid
from onprem_csms.services.money import tariffs
from onprem_csms.services.money.tariffs import StoredTariff

PRICES = ("start_fee", "per_kwh", "per_minute", "idle_per_minute")


@dataclass(frozen=True, slots=True)
class Draft:
    """The named fields of a tariff's JSON form, elements among them, or the prices of the simple form instead."""

    fields: Mapping[str, Any]
    prices: SimplePrices | None = None


def create(tx: Tx, draft: Draft, *, is_default: bool = False) -> StoredTariff:
    """Store a tariff; currency, VAT and time zone are the site's unless named. Invalid with every fault."""
    site = tx.settings
    of_site = {"currency": site.currency, "vat": site.vat_percent, "timezone": site.timezone}
    return tariffs.create(tx, read(Draft({**of_site, **draft.fields}, draft.prices)), is_default=is_default)


def change(tx: Tx, tariff_id: int, draft: Draft) -> StoredTariff:
    """Change what is named of a tariff; new prices take the place of its elements. NotFound, Invalid."""
    before = tariff_to_json(tariffs.get(tx, tariff_id).tariff)
    if draft.prices is not None and "elements" not in draft.fields:
        del before["elements"]
    return tariffs.change(tx, tariff_id, read(Draft({**before, **draft.fields}, draft.prices)))


def read(draft: Draft) -> Tariff:
    """Make the tariff of a whole draft; Invalid with every fault by its path."""
    if (draft.prices is None) == ("elements" not in draft.fields):
        raise Invalid("A tariff has either prices or elements.", path="elements")
    if draft.prices is None:
        return tariff_from_json(draft.fields)
    # The whole is read as one document after its elements are made: bounds are fields of it too.
    return tariff_from_json({**draft.fields, "elements": _elements(draft.fields, draft.prices)})


def _elements(fields: Mapping[str, Any], prices: SimplePrices) -> list[dict[str, Any]]:
    try:
        simple = simple_tariff(fields["name"], fields["currency"], **prices)
    except Invalid as error:
        faults = [(f"prices.{path}" if path in PRICES else path, text) for path, text in error.faults]
        raise Invalid(error.message, faults=faults) from error
    elements: list[dict[str, Any]] = tariff_to_json(simple)["elements"]
    return elements
