"""``/chargers/{id}/commands``: requests to chargers, exactly as they go onto the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from onprem_csms.domain.chargers.command_life import Status
from onprem_csms.errors import NotFound
from onprem_csms.services.chargers import commanding, inventory, sending
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.ports import CommandStatus
from onprem_csms.web.api.fields import Given, Page, Paged, before, page
from onprem_csms.web.api.route import Accepted, Call, place


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a command. ``response`` is the charger's answer, or its error's code, description and details."""

    id: int
    status: Literal["answered", "error", "timeout", "superseded"]
    request: dict[str, Any]
    response: dict[str, Any] | None


class Dispatched(Struct, frozen=True, kw_only=True):
    """A command that has gone out; poll ``/commands/{id}``."""

    id: int
    status: Literal["sent"]
    request: dict[str, Any]


class Command(Struct, frozen=True, kw_only=True):
    """A command on record; ``origin`` is who gave it."""

    id: int
    charger: str
    action: str
    status: Literal["wanted", "sent", "answered", "error", "timeout", "superseded"]
    request: dict[str, Any]
    response: dict[str, Any] | None
    origin: str
    wanted_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


class SendQuery(Given, frozen=True, kw_only=True):
    """Whether to wait for the charger's answer."""

    wait: bool = True


async def send(call: Call[dict[str, Any], SendQuery]) -> Outcome | Accepted[Dispatched]:
    """Send a request to a charger in its own protocol; the charger decides what it makes of it."""
    charger_id, action = call.places["id"], call.places["command"]
    await call.read(inventory.get, charger_id)
    order = call.ctx.stations.order(charger_id, action, call.body)
    result = await sending.send(call.ctx, order, origin=call.actor, wait=call.query.wait)
    request = dict(result.request)
    if result.status == "sent":
        dispatched = Dispatched(id=result.id, status="sent", request=request)
        return Accepted(dispatched, place("chargers", charger_id, "commands", result.id))
    return Outcome(
        id=result.id, status=_shown(result.status), request=request, response=_dict(result.response)
    )


async def find(call: Call[None, Paged]) -> Page[Command]:
    """List a charger's commands, newest first."""
    query = call.query
    found = await call.read(_find, call.places["id"], before(query), query.limit + 1)
    return page(found, query.limit, show, lambda command: command.id)


async def get(call: Call[None, None]) -> Command:
    """Show one command of a charger."""
    command = await call.read(commanding.get, call.number("command"))
    if command.charger_id != call.places["id"]:
        raise NotFound("There is no command {id}.", id=command.id)
    return show(command)


async def get_any(call: Call[None, None]) -> Command:
    """Show one command."""
    return show(await call.read(commanding.get, call.number()))


def _find(tx: Tx, charger_id: str, before: int | None, limit: int) -> list[commanding.CommandView]:
    inventory.get(tx, charger_id)
    return commanding.find(tx, charger_id, before=before, limit=limit)


def _shown(status: Status | CommandStatus) -> Any:
    """Name a status as programs know it: one that is lost was not answered in time."""
    return "timeout" if status == "lost" else status


def _dict(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)


def show(command: commanding.CommandView) -> Command:
    """Show a command as JSON."""
    return Command(
        id=command.id,
        charger=command.charger_id,
        action=command.action,
        status=_shown(command.status),
        request=command.request,
        response=command.response,
        origin=command.origin,
        wanted_at=command.wanted_at,
        sent_at=command.sent_at,
        ended_at=command.ended_at,
    )
