"""The settings of a charger and of its connectors."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from onprem_csms.domain.chargers.chargers import (
    REGISTRATIONS,
    Charger,
    ChargerChange,
    ConnectorChange,
    Registration,
)
from onprem_csms.domain.chargers.places import by_label
from onprem_csms.services.chargers import inventory
from onprem_csms.services.core.context import Tx
from onprem_csms.services.money import tariffs
from onprem_csms.services.money.tariffs import StoredTariff
from onprem_csms.web.admin.common import charger_path
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import NO_FORM, Form, posted
from onprem_csms.web.languages import N_

# Rules by which a charger's spelling of card numbers is understood (domain/cards/numbers.py).
TRANSFORMS: tuple[tuple[str, str], ...] = (
    ("none", N_("As the charger sends them")),
    ("reverse", N_("Bytes in reverse order")),
    ("strip_zeros", N_("Without the zeros that fill them up")),
    ("strip_bcc", N_("Without the check byte at the end")),
    ("decimal", N_("One decimal number")),
    ("decimal-reversed", N_("One decimal number, bytes in reverse order")),
    ("first:4", N_("Only the first 4 bytes are sent")),
    ("first:7", N_("Only the first 7 bytes are sent")),
)
PROFILES = (
    ("0", N_("0: no password (only for a closed network)")),
    ("1", N_("1: password")),
    ("2", N_("2: password, encrypted connection")),
    ("3", N_("3: certificate, encrypted connection")),
)
_REGISTRATIONS: dict[str, Registration] = {str(name): name for name in REGISTRATIONS}


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """The form of a charger; the words of its choices come as msgids."""

    charger: Charger
    online: bool
    tariffs: list[StoredTariff]
    transforms: tuple[tuple[str, str], ...]
    profiles: tuple[tuple[str, str], ...]
    protocols: Mapping[str, str]
    form: Form


def _find(tx: Tx, charger_id: str) -> tuple[Charger, list[StoredTariff]]:
    return inventory.get(tx, charger_id), tariffs.find(tx)


async def show(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show a charger's settings."""
    ctx = context(request)
    charger, offered = await ctx.read(_find, request.match_info["id"])
    transforms = TRANSFORMS
    if charger.token_transform not in dict(TRANSFORMS):
        transforms = (*TRANSFORMS, (charger.token_transform, charger.token_transform))
    online = ctx.stations.online(charger.id)
    page = SettingsPage(charger, online, offered, transforms, PROFILES, ctx.stations.protocols(), form)
    return render(request, "admin/charger_settings.html", page, form.status)


@posted(show)
async def save(request: web.Request, form: Form) -> web.StreamResponse:
    """Change a charger's settings."""
    charger_id = request.match_info["id"]
    change = ChargerChange(
        name=form.text("name", required=False, max_length=100),
        registration=_REGISTRATIONS.get(form.choice("registration", REGISTRATIONS), "accepted"),
        security_profile=int(form.choice("security_profile", dict(PROFILES), "1") or 1),
        allow_missing_subprotocol=form.flag("allow_missing_subprotocol"),
        token_transform=form.text("token_transform", max_length=40),
        pinned_protocol=form.choice("pinned_protocol", ("", *context(request).stations.protocols()), ""),
        tariff_id=form.number_or_none("tariff_id"),
        max_power_w=_watts(form),
    )
    form.check()
    await context(request).write(inventory.update, charger_id, change)
    return redirect(request, charger_path(charger_id, "settings"), said=N_("Saved."))


@posted(show)
async def save_connector(request: web.Request, form: Form) -> web.StreamResponse:
    """Change a connector's name and tariff."""
    charger_id, number = request.match_info["id"], request.match_info["number"]
    change = ConnectorChange(
        name=form.text(f"connector-{number}-name", required=False, max_length=100),
        tariff_id=form.number_or_none(f"connector-{number}-tariff"),
    )
    form.check()
    await context(request).write(inventory.update_connector, charger_id, by_label(number), change)
    return redirect(request, charger_path(charger_id, "settings"), said=N_("Saved."))


def _watts(form: Form) -> int | None:
    """Read kilowatts, as people say them, into watts."""
    if not form.typed.get("max_power", "").strip():
        return None
    return round(float(form.decimal("max_power")) * 1000)
