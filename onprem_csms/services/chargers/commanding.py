"""Commands to chargers on record: wanted, sent, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from onprem_csms.clock import from_text, maybe_from_text
from onprem_csms.db.chargers import commands as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import NotFound
from onprem_csms.events import Event

Outcome = Literal["answered", "error", "timeout"]


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command on record; ``request`` and ``response`` as on the wire, secrets left out."""

    id: int
    charger_id: str
    action: str
    request: dict[str, Any]
    response: dict[str, Any] | None
    status: Literal["wanted", "sent", "answered", "error", "timeout"]
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
    """Write down that a command is wanted, before it goes out; returns its id."""
    request = json.dumps(wish.request, ensure_ascii=False)
    command_id = rows.insert(tx, wish.charger_id, wish.action, request, wish.origin)
    _tell(tx, wish.charger_id, command_id)
    return command_id


def sent(tx: Tx, charger_id: str, command_id: int) -> None:
    """Write down that a command has gone out."""
    rows.sent(tx, command_id)
    _tell(tx, charger_id, command_id)


def end(
    tx: Tx, charger_id: str, command_id: int, outcome: Outcome, response: Mapping[str, Any] | None
) -> bool:
    """Write down how a command ended, once; False when that was known."""
    text = None if response is None else json.dumps(response, ensure_ascii=False)
    first = rows.ended(tx, command_id, outcome, text)
    if first:
        _tell(tx, charger_id, command_id)
    return first


def begin_process(tx: Tx) -> int:
    """End what a process that is gone left unfinished; returns how many."""
    return rows.abandon(tx)


def get(tx: Tx, command_id: int) -> CommandView:
    """Return one command; NotFound."""
    row = rows.get(tx, command_id)
    if row is None:
        raise NotFound("There is no command {id}.", id=command_id)
    return _view(row)


def find(tx: Tx, charger_id: str, *, before: int | None = None, limit: int = 50) -> list[CommandView]:
    """Return a charger's commands, newest first."""
    newest = 2**62 if before is None else before
    return [_view(row) for row in rows.find(tx, charger_id, before=newest, limit=limit)]


def _tell(tx: Tx, charger_id: str, command_id: int) -> None:
    tx.emit(Event("command", str(command_id)))
    tx.emit(Event("charger", charger_id))


def _view(row: Row) -> CommandView:
    return CommandView(
        row["id"],
        row["charger_id"],
        row["action"],
        json.loads(row["request"]),
        None if row["response"] is None else json.loads(row["response"]),
        row["status"],
        row["origin"],
        from_text(row["wanted_at"]),
        maybe_from_text(row["sent_at"]),
        maybe_from_text(row["ended_at"]),
    )
