"""The table ``commands``: what was asked of chargers, and what came of it."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


def insert(tx: Tx, charger_id: str, action: str, request: str, origin: str) -> int:
    """Note a command as wanted; returns its id. ``request`` is JSON."""
    return tx.insert(
        """
        INSERT INTO commands (
            charger_id,
            action,
            request,
            status,
            origin,
            wanted_at
        )
        VALUES (?, ?, ?, 'wanted', ?, ?)
        """,
        (charger_id, action, request, origin, tx.now_text),
    )


def sent(tx: Tx, command_id: int) -> None:
    """Note that a command has gone out."""
    tx.execute(
        "UPDATE commands SET status = 'sent', sent_at = ? WHERE id = ? AND status = 'wanted'",
        (tx.now_text, command_id),
    )


def ended(tx: Tx, command_id: int, status: str, response: str | None) -> bool:
    """Note the outcome once; False when there is one."""
    changed = tx.execute(
        """
        UPDATE commands
        SET status = ?,
            response = ?,
            sent_at = COALESCE(sent_at, ?),
            ended_at = ?
        WHERE id = ?
        AND status IN ('wanted', 'sent')
        """,
        (status, response, tx.now_text, tx.now_text, command_id),
    )
    return changed == 1


def abandon(tx: Tx) -> int:
    """Note what a process that has ended left unfinished; returns how many."""
    return tx.execute(
        "UPDATE commands SET status = 'timeout', ended_at = ? WHERE status IN ('wanted', 'sent')",
        (tx.now_text,),
    )


def get(tx: Tx, command_id: int) -> Row | None:
    """Return one command."""
    return tx.one("SELECT * FROM commands WHERE id = ?", (command_id,))


def find(tx: Tx, charger_id: str, *, before: int, limit: int) -> list[Row]:
    """Return a charger's commands, newest first."""
    return tx.all(
        "SELECT * FROM commands WHERE charger_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (charger_id, before, limit),
    )
