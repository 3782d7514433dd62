"""The table ``audit``: who did what, in the order it happened."""

from datetime import datetime
from typing import NamedTuple

from onprem_csms.clock import from_text
from onprem_csms.db.engine.tx import Tx


class AuditRecord(NamedTuple):
    """One line; ``detail`` is JSON: what changed by its name, a pair of old and new or a value."""

    id: int
    at: datetime
    actor: str
    actor_kind: str
    role: str
    channel: str
    address: str
    action: str
    subject: str
    detail: str


def insert(tx: Tx, action: str, subject: str, detail: str) -> int:
    """Add a line about what the transaction's actor did; returns its id."""
    actor = tx.actor
    return tx.insert(
        """
        INSERT INTO audit (at, actor, actor_kind, actor_id, role, channel, address, action, subject, detail)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            tx.now_text,
            actor.label,
            actor.kind,
            actor.id,
            actor.role,
            actor.channel,
            actor.address,
            action,
            subject,
            detail,
        ),
    )


def find(tx: Tx, before: int | None, limit: int) -> list[AuditRecord]:
    """Return lines, newest first, from below an id."""
    rows = tx.all(
        """
        SELECT
            id,
            at,
            actor,
            actor_kind,
            role,
            channel,
            address,
            action,
            subject,
            detail
        FROM audit
        WHERE id < ?
        ORDER BY id DESC
        LIMIT ?
        """,
        (2**62 if before is None else before, limit),
    )
    return [AuditRecord(row["id"], from_text(row["at"]), *tuple(row)[2:]) for row in rows]
