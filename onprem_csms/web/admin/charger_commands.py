"""Commands to a charger: the common ones as forms, any other as it goes onto the wire, and what came of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from aiohttp import web

from onprem_csms.domain.chargers import commands
from onprem_csms.domain.chargers.chargers import Charger
from onprem_csms.domain.chargers.commands import Command, Topic
from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place, by_label
from onprem_csms.domain.chargers.variables import LONGEST_KEY, Setting, by_key
from onprem_csms.errors import NotFound, PeerError
from onprem_csms.services.chargers import commanding, configuration, inventory, sending
from onprem_csms.services.chargers.commanding import CommandView
from onprem_csms.services.charging import sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.ports import CommandResult, CommandStatus
from onprem_csms.web.admin.common import charger_path
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import NO_FORM, Form, posted
from onprem_csms.web.guards import operator_of
from onprem_csms.web.languages import N_

TOPICS: tuple[str, ...] = get_args(Topic)
OUTCOMES: dict[CommandStatus, str] = {
    "sent": N_("The command was sent."),
    "answered": N_("The charger answered."),
    "error": N_("The charger answered with an error."),
    "timeout": N_("The charger did not answer in time."),
    "lost": N_("The connection ended before the charger answered."),
    "superseded": N_("A newer command took its place before it was sent."),
}


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command on record, with request and answer to read."""

    command: CommandView
    request: str
    response: str


@dataclass(frozen=True, slots=True)
class CommandsPage:
    """The forms and the record; ``chosen`` is the form that was sent, so that it opens again."""

    charger: Charger
    online: bool
    running: list[SessionView]
    settings: list[Setting]
    lines: list[CommandLine]
    form: Form
    chosen: str
    topics: tuple[str, ...]


def _place(form: Form, least: int = 0) -> Place:
    """Read where: the label of a connector, 0 for the charger as a whole."""
    label = form.text("connector", max_length=10)
    try:
        place = by_label(label)
    except NotFound:
        place = WHOLE_CHARGER
    if place.connector < least or label != place.label:
        form.fault("connector", N_("Write a whole number."))
    return place


def _reset(form: Form) -> Command:
    return commands.Reset(hard=form.choice("kind", ("soft", "hard"), "soft") == "hard")


def _unlock(form: Form) -> Command:
    return commands.Unlock(_place(form, least=1))


def _availability(form: Form) -> Command:
    operative = form.choice("operative", ("1", "0")) == "1"
    return commands.ChangeAvailability(operative, _place(form))


def _start(form: Form) -> Command:
    place = _place(form)
    return commands.RemoteStart(form.text("uid", max_length=36), None if place.whole_charger else place)


def _trigger(form: Form) -> Command:
    place = _place(form)
    topic = form.choice("topic", TOPICS)
    return commands.Trigger(topic, None if place.whole_charger else place)  # type: ignore[arg-type]


def _read_settings(form: Form) -> Command:
    keys = form.text("keys", required=False, max_length=500).replace(";", " ").split()
    return commands.ReadVariables(tuple(map(by_key, keys)))


def _change_setting(form: Form) -> Command:
    key = form.text("key", max_length=LONGEST_KEY)
    value = form.text("value", required=False, max_length=2500)
    return commands.SetVariables(((by_key(key), value),) if key else ())


def _clear_cache(form: Form) -> Command:
    return commands.ClearCache()


# The common commands by the name of their form.
FORMS: dict[str, Callable[[Form], Command]] = {
    "reset": _reset,
    "unlock": _unlock,
    "availability": _availability,
    "start": _start,
    "trigger": _trigger,
    "read": _read_settings,
    "change": _change_setting,
    "clear-cache": _clear_cache,
}


def _find(tx: Tx, charger_id: str) -> tuple[Charger, list[SessionView], list[Setting], list[CommandView]]:
    return (
        inventory.get(tx, charger_id),
        sessions.find(tx, SessionFilter(charger_id=charger_id, state="active")),
        configuration.find(tx, charger_id),
        commanding.find(tx, charger_id, limit=30),
    )


async def show(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the forms and what was commanded so far."""
    ctx = context(request)
    charger, running, settings, found = await ctx.read(_find, request.match_info["id"])
    page = CommandsPage(
        charger,
        ctx.stations.online(charger.id),
        running,
        settings,
        [CommandLine(command, pretty(command.request), pretty(command.response)) for command in found],
        form,
        request.match_info.get("command", ""),
        TOPICS,
    )
    return render(request, "admin/charger_commands.html", page, form.status)


@posted(show, also=(NotFound, PeerError))
async def send(request: web.Request, form: Form) -> web.StreamResponse:
    """Send one of the common commands."""
    charger_id, name = request.match_info["id"], request.match_info["command"]
    if name not in FORMS:
        raise web.HTTPNotFound
    command = FORMS[name](form)
    form.check()
    origin = operator_of(request).name
    result = await sending.perform(context(request), charger_id, command, origin=origin)
    return _tell(request, charger_id, result)


@posted(show, also=(NotFound, PeerError))
async def send_raw(request: web.Request, form: Form) -> web.StreamResponse:
    """Send any request of the charger's own protocol, exactly as it was written."""
    charger_id = request.match_info["id"]
    action = form.text("action", max_length=50)
    payload = _read_json(form)
    form.check()
    origin = operator_of(request).name
    result = await sending.ask(context(request), charger_id, action, payload, origin=origin)
    return _tell(request, charger_id, result)


def _tell(request: web.Request, charger_id: str, result: CommandResult) -> web.Response:
    """Lead to the record, where request and answer stand, and say how it went."""
    said = OUTCOMES[result.status]
    if result.status == "answered" and result.accepted is not None:
        said = N_("The charger agreed.") if result.accepted else N_("The charger refused.")
    good = result.status in ("sent", "answered") and result.accepted is not False
    return redirect(request, charger_path(charger_id, "commands") + "#record", said=said, good=good)


def pretty(document: Any) -> str:
    """Write a request or an answer for people."""
    return "" if document is None else json.dumps(document, indent=2, ensure_ascii=False)


def _read_json(form: Form) -> dict[str, Any]:
    text = form.text("payload", required=False, max_length=100_000) or "{}"
    try:
        payload = json.loads(text)
    except ValueError:
        form.fault("payload", N_("This is no JSON."))
        return {}
    if not isinstance(payload, dict):
        form.fault("payload", N_("A request is a JSON object, in braces."))
        return {}
    return payload
