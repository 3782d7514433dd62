"""Who did what, in the order it happened."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


def insert(tx: Tx, actor: str, action: str, subject: str, detail: str) -> int:
    """Add a line; returns its id."""
    return tx.insert(
        """
        INSERT INTO audit (at, actor, action, subject, detail)
        VALUES (?, ?, ?, ?, ?)
        """,
        (tx.now_text, actor, action, subject, detail),
    )


def find(tx: Tx, before: int | None, limit: int) -> list[Row]:
    """Return lines, newest first, from below an id."""
    return tx.all(
        """
        SELECT
            id,
            at,
            actor,
            action,
            subject,
            detail
        FROM audit
        WHERE ?1 IS NULL OR id < ?1
        ORDER BY id DESC
        LIMIT ?2
        """,
        (before, limit),
    )
