"""Settings: what is in force, the operators, the API keys, what was done."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from aiohttp import web

from onprem_csms.domain.access.rights import ROLES
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.services.access import api_keys, operators
from onprem_csms.services.access.api_keys import ApiKey, NewApiKey
from onprem_csms.services.access.operators import NewOperator, Operator
from onprem_csms.services.core import audit
from onprem_csms.services.core.audit import AuditLine
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.ports import ReaderState
from onprem_csms.web.admin.common import id_of, link, whole
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import NO_FORM, Form, posted
from onprem_csms.web.languages import N_

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting: its key in the configuration file, its label (a text of the catalogue) and its value."""

    key: str
    label: str
    kind: str
    value: Any


# What a setting is called, how its value is written, and its key in the configuration file (empty: not there).
LABELS: dict[str, tuple[str, str, str]] = {
    "name": (N_("Name of the site"), "text", "site.name"),
    "currency": (N_("Currency"), "text", "site.currency"),
    "timezone": (N_("Local time"), "text", "site.timezone"),
    "vat_percent": (N_("VAT of new tariffs"), "percent", "site.vat_percent"),
    "vat_due": (N_("When VAT falls due"), "vat_due", "site.vat_due"),
    "language": (N_("Default language of drivers' pages"), "text", "site.language"),
    "public_url": (N_("Address in QR codes"), "text", "server.public_url"),
    "hosts": (N_("More names of this site"), "text", "server.hosts"),
    "proxies": (N_("Reverse proxies that are believed"), "text", "server.proxies"),
    "charger_origins": (N_("Origins of chargers' libraries"), "text", "ocpp.origins"),
    "heartbeat_interval_s": (N_("Heartbeat of chargers"), "seconds", "ocpp.heartbeat_interval"),
    "unknown_chargers": (N_("Unknown chargers"), "unknown", "ocpp.unknown_chargers"),
    "message_days": (N_("Raw messages are kept for"), "days", "ocpp.message_days"),
    "message_megabytes": (N_("Raw messages take at most"), "megabytes", "ocpp.message_megabytes"),
    "history_days": (N_("The history of chargers is kept for"), "days", "ocpp.history_days"),
    "prepaid.minimum_balance": (N_("Least balance to begin"), "money", "prepaid.minimum_balance"),
    "prepaid.stop_latency_s": (N_("Time a charger takes to stop"), "seconds", "prepaid.stop_latency"),
    "prepaid.sample_interval_s": (N_("Time between meter readings"), "seconds", "prepaid.sample_interval"),
    "prepaid.start_timeout_s": (
        N_("Time for a session to begin after a payment"),
        "seconds",
        "prepaid.start_timeout",
    ),
    "prepaid.block_below_zero": (N_("Block cards that went below zero"), "flag", "prepaid.block_below_zero"),
    "prepaid.hold_policy": (N_("What a session sets aside"), "hold_policy", "prepaid.hold"),
    "prepaid.hold_step": (N_("How much more is set aside at a time"), "money", "prepaid.hold_step"),
    "prepaid.escalate": (N_("Where a stop is not obeyed, at most"), "escalate", "prepaid.escalate"),
    "sessions.reboot_grace_s": (
        N_("Grace period after a charger's reboot"),
        "seconds",
        "sessions.reboot_grace",
    ),
    "sessions.free_grace_s": (
        N_("Grace period after a connector became free"),
        "seconds",
        "sessions.free_grace",
    ),
    "sessions.one_fee_within_s": (
        N_("A card that starts again pays no second start fee within"),
        "seconds",
        "sessions.one_fee_within",
    ),
    "sessions.start_doubt_s": (
        N_("A start told later than this is not believed"),
        "seconds",
        "sessions.start_doubt",
    ),
    "sessions.default_max_power_w": (
        N_("Maximum power of a charger that names none"),
        "watts",
        "sessions.default_max_power",
    ),
    "sessions.energy_allowance_wh": (
        N_("Plausibility tolerance of energy"),
        "energy",
        "sessions.energy_allowance",
    ),
    "sessions.wait_above_wh": (
        N_("A bill waits for a person above this energy"),
        "energy",
        "sessions.wait_above_energy",
    ),
    "sessions.wait_above_s": (
        N_("A bill waits for a person above this duration"),
        "seconds",
        "sessions.wait_above_duration",
    ),
    "sessions.wait_above": (
        N_("A bill waits for a person above this sum"),
        "money",
        "sessions.wait_above_sum",
    ),
    "sessions.late_after_s": (N_("A report is late after"), "seconds", "sessions.late_after"),
    "sessions.stop_blocked_cards": (
        N_("Stop sessions of cards that are blocked meanwhile"),
        "flag",
        "sessions.stop_blocked_cards",
    ),
    "sessions.clock_skew_s": (N_("Tolerance for wrong clocks"), "seconds", ""),
}


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """Everything that is in force; ``fresh`` is an API key that was just made, shown once."""

    in_force: list[InForce]
    readers: list[ReaderState]
    operators: list[Operator]
    keys: list[ApiKey]
    form: Form
    fresh: NewApiKey | None


@dataclass(frozen=True, slots=True)
class OperatorPage:
    """One operator, with the form of a new password."""

    who: Operator
    form: Form


@dataclass(frozen=True, slots=True)
class AuditPage:
    """What was done, newest first."""

    lines: list[AuditLine]
    next: str


def _find(tx: Tx) -> tuple[list[Operator], list[ApiKey]]:
    return operators.find(tx), api_keys.find(tx)


async def show(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the settings."""
    return await _show(request, form, None)


async def _show(request: web.Request, form: Form, fresh: NewApiKey | None) -> web.StreamResponse:
    ctx = context(request)
    who, keys = await ctx.read(_find)
    page = SettingsPage(list(in_force(ctx.settings)), ctx.readers.states(), who, keys, form, fresh)
    return render(request, "admin/settings.html", page, form.status)


def in_force(settings: SiteSettings) -> Iterator[InForce]:
    """Return every setting with its value, those of groups after the others."""
    plain = [(field.name, getattr(settings, field.name)) for field in fields(settings)]
    groups = [(name, group) for name, group in plain if is_dataclass(group)]
    alone = [(name, value) for name, value in plain if not is_dataclass(value)]
    inner = [
        (f"{name}.{one.name}", getattr(group, one.name)) for name, group in groups for one in fields(group)
    ]
    for name, value in alone + inner:
        label, kind, key = LABELS.get(name, (name, "text", ""))
        shown = ", ".join(value) or "–" if isinstance(value, tuple) else value
        yield InForce(key, label, kind, shown)


# --- Operators ----------------------------------------------------------------------------------------------


@posted(show)
async def add_operator(request: web.Request, form: Form) -> web.StreamResponse:
    """Add an operator."""
    role = form.choice("role", ROLES)
    name, password = form.text("name", max_length=60), form.secret("password")
    form.check()
    new = NewOperator(name, password, next(one for one in ROLES if one == role))
    await operators.add(context(request), new)
    return redirect(request, "/admin/settings", said=N_("The operator was added."))


async def show_operator(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show an operator."""
    who = await context(request).read(operators.get, id_of(request))
    return render(request, "admin/operator.html", OperatorPage(who, form), form.status)


@posted(show_operator)
async def set_password(request: web.Request, form: Form) -> web.StreamResponse:
    """Give an operator a new password."""
    password = form.secret("password")
    form.check()
    await operators.set_password(context(request), id_of(request), password)
    return redirect(
        request, "/admin/settings", said=N_("The password was changed; sign in with the new one.")
    )


async def disable_operator(request: web.Request) -> web.StreamResponse:
    """Disable an operator."""
    await context(request).write(operators.disable, id_of(request))
    return redirect(request, "/admin/settings", said=N_("The operator can't sign in any more."))


async def enable_operator(request: web.Request) -> web.StreamResponse:
    """Enable an operator again."""
    await context(request).write(operators.enable, id_of(request))
    return redirect(request, "/admin/settings", said=N_("The operator can sign in again."))


# --- API keys -----------------------------------------------------------------------------------------------


@posted(show)
async def create_key(request: web.Request, form: Form) -> web.StreamResponse:
    """Make an API key and show its secret once, as the answer to the form itself."""
    name, role = form.text("key_name", max_length=100), form.choice("key_role", ROLES)
    form.check()
    fresh = await context(request).write(api_keys.create, name, role)
    return await _show(request, NO_FORM, fresh)


async def revoke_key(request: web.Request) -> web.StreamResponse:
    """End an API key."""
    key_id = id_of(request)
    await context(request).write(api_keys.revoke, key_id)
    return redirect(request, "/admin/settings", said=N_("The key opens nothing any more."))


# --- What was done ------------------------------------------------------------------------------------------


async def show_audit(request: web.Request) -> web.StreamResponse:
    """Show what operators did."""
    before = whole(request.query.get("before", ""))
    found = await context(request).read(audit.find, before, PER_PAGE + 1)
    more = link(request, before=found[PER_PAGE - 1].id) if len(found) > PER_PAGE else ""
    return render(request, "admin/audit.html", AuditPage(found[:PER_PAGE], more))
