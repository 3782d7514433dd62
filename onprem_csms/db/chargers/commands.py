"""The table ``commands``: what was asked of chargers, and what came of it."""

from datetime import datetime
from typing import NamedTuple

from onprem_csms.clock import from_text, maybe_from_text
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.engine.history import History
from onprem_csms.domain.chargers.command_life import Status

ENDED = History("commands", "ended_at")


class NewCommand(NamedTuple):
    """A command to be stored; ``request`` is JSON."""

    charger_id: str
    action: str
    request: str
    origin: str


class CommandRow(NamedTuple):
    """A command; ``request`` and ``response`` are JSON."""

    id: int
    charger_id: str
    action: str
    request: str
    response: str | None
    status: Status
    origin: str
    wanted_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


def insert(tx: Tx, command: NewCommand) -> int:
    """Store a command as wanted; returns its id."""
    return tx.insert(
        """
        INSERT INTO commands (
            charger_id,
            action,
            request,
            origin,
            status,
            wanted_at
        )
        VALUES (?, ?, ?, ?, 'wanted', ?)
        """,
        (*command, tx.now_text),
    )


def status(tx: Tx, command_id: int) -> Status | None:
    """Return how far a command is; None when there is none."""
    found: Status | None = tx.value("SELECT status FROM commands WHERE id = ?", (command_id,))
    return found


def sent(tx: Tx, command_id: int, status: Status) -> None:
    """Store that a command has gone out."""
    tx.execute(
        "UPDATE commands SET status = ?, sent_at = ? WHERE id = ?",
        (status, tx.now_text, command_id),
    )


def ended(tx: Tx, command_id: int, status: Status, response: str | None) -> None:
    """Store how a command ended; ``response`` is JSON."""
    tx.execute(
        "UPDATE commands SET status = ?, response = ?, ended_at = ? WHERE id = ?",
        (status, response, tx.now_text, command_id),
    )


def abandon(tx: Tx) -> int:
    """Store that what a process that has ended left unfinished is lost; returns how many."""
    return tx.execute(
        "UPDATE commands SET status = 'lost', ended_at = ? WHERE status IN ('wanted', 'sent')",
        (tx.now_text,),
    )


def get(tx: Tx, command_id: int) -> CommandRow | None:
    """Return one command."""
    row = tx.one("SELECT * FROM commands WHERE id = ?", (command_id,))
    return None if row is None else _row(row)


def find(tx: Tx, charger_id: str, *, before: int, limit: int) -> list[CommandRow]:
    """Return a charger's commands, newest first."""
    found = tx.all(
        "SELECT * FROM commands WHERE charger_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (charger_id, before, limit),
    )
    return [_row(row) for row in found]


def _row(row: Row) -> CommandRow:
    return CommandRow(
        row["id"],
        row["charger_id"],
        row["action"],
        row["request"],
        row["response"],
        row["status"],
        row["origin"],
        from_text(row["wanted_at"]),
        maybe_from_text(row["sent_at"]),
        maybe_from_text(row["ended_at"]),
    )
