"""The table ``frames``: every raw message, as it was on the wire. Writing them is the store's own part."""

from onprem_csms.db.connection import Row
from onprem_csms.db.database import Tx


def find(tx: Tx, charger_id: str, *, before: int, limit: int) -> list[Row]:
    """Return a charger's messages, newest first."""
    return tx.all(
        "SELECT * FROM frames WHERE charger_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (charger_id, before, limit),
    )


def search(tx: Tx, charger_id: str, criteria: dict[str, str | int]) -> list[Row]:
    """Return a charger's messages, newest first: of a ``direction`` (empty: both), holding a ``text``."""
    return tx.all(
        """
        SELECT *
        FROM frames
        WHERE charger_id = :charger_id
            AND id < :before
            AND :direction IN ('', direction)
            AND (:text = '' OR instr(lower(text), lower(:text)) > 0)
        ORDER BY id DESC
        LIMIT :limit
        """,
        {"charger_id": charger_id, **criteria},
    )


def delete_before(tx: Tx, at: str, limit: int) -> int:
    """Delete the oldest messages before a moment, at most ``limit``; returns how many went."""
    return tx.execute(
        """
        DELETE FROM frames
        WHERE id IN (
            SELECT id
            FROM frames
            WHERE at < ?
            ORDER BY id
            LIMIT ?
        )
        """,
        (at, limit),
    )
