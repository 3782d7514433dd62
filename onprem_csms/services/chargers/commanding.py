"""Commands to chargers on record: wanted, sent, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onprem_csms.db.chargers import commands as rows
from onprem_csms.db.chargers.commands import CommandRow, NewCommand
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.access.actor import SYSTEM
from onprem_csms.domain.chargers import command_life
from onprem_csms.domain.chargers.command_life import Status, Step
from onprem_csms.errors import NotFound
from onprem_csms.events import Event
from onprem_csms.services.core import audit
from onprem_csms.services.core.ports import Order, Reply


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command on record; ``request`` and ``response`` as on the wire, secrets left out."""

    id: int
    charger_id: str
    action: str
    request: dict[str, Any]
    response: dict[str, Any] | None
    status: Status
    origin: str
    wanted_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wish:
    """A command that is wanted, its request without secrets, and who wants it."""

    charger_id: str
    action: str
    request: Mapping[str, Any]
    origin: str


def want(tx: Tx, wish: Wish) -> int:
    """Store that a command is wanted, before it goes out; returns its id."""
    request = json.dumps(wish.request, ensure_ascii=False)
    command_id = rows.insert(tx, NewCommand(wish.charger_id, wish.action, request, wish.origin))
    if tx.actor is not SYSTEM:
        # What the csms asks for by itself stands in the list of commands alone: a stop is asked for again and again.
        audit.note(tx, "command.wanted", wish.charger_id, action=wish.action, command_id=command_id)
    _tell(tx, wish.charger_id, command_id)
    return command_id


def order(tx: Tx, order: Order, origin: str) -> int:
    """Store that an order is wanted, with what belongs to it; returns the command's id."""
    order.prepare(tx)
    return want(tx, Wish(order.charger_id, order.action, order.shown, origin))


def sent(tx: Tx, charger_id: str, command_id: int) -> None:
    """Store that a command has gone out."""
    rows.sent(tx, command_id, _after(tx, command_id, "sent"))
    _tell(tx, charger_id, command_id)


def end(tx: Tx, command_id: int, order: Order, reply: Reply, *, record: bool = True) -> None:
    """Store how a command ended and, unless the record failed before, what follows from it."""
    answer = None
    if reply.ending in ("answered", "error"):
        shown = order.shown_answer(reply.response) if reply.ending == "answered" else reply.response
        answer = json.dumps(shown, ensure_ascii=False)
    rows.ended(tx, command_id, _after(tx, command_id, reply.ending), answer)
    _tell(tx, order.charger_id, command_id)
    if record:
        follow(tx, order, reply)


def follow(tx: Tx, order: Order, reply: Reply) -> None:
    """Store what follows from a reply."""
    order.record(tx, reply)


def begin_process(tx: Tx) -> int:
    """End what a process that is gone left unfinished; returns how many."""
    return rows.abandon(tx)


def get(tx: Tx, command_id: int) -> CommandView:
    """Return one command; NotFound."""
    row = rows.get(tx, command_id)
    if row is None:
        raise _unknown(command_id)
    return _view(row)


def find(tx: Tx, charger_id: str, *, before: int | None = None, limit: int = 50) -> list[CommandView]:
    """Return a charger's commands, newest first."""
    newest = 2**62 if before is None else before
    return [_view(row) for row in rows.find(tx, charger_id, before=newest, limit=limit)]


def _after(tx: Tx, command_id: int, step: Step) -> Status:
    status = rows.status(tx, command_id)
    if status is None:
        raise _unknown(command_id)
    return command_life.after(status, step)


def _unknown(command_id: int) -> NotFound:
    return NotFound("There is no command {id}.", id=command_id)


def _tell(tx: Tx, charger_id: str, command_id: int) -> None:
    tx.emit(Event("command", str(command_id)))
    tx.emit(Event("charger", charger_id))


def _view(row: CommandRow) -> CommandView:
    return CommandView(
        row.id,
        row.charger_id,
        row.action,
        json.loads(row.request),
        None if row.response is None else json.loads(row.response),
        row.status,
        row.origin,
        row.wanted_at,
        row.sent_at,
        row.ended_at,
    )
