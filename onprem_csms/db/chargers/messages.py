"""The table ``frames``: every raw message, as it was on the wire. ``frame_log`` writes it."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


def search(tx: Tx, charger_id: str, criteria: dict[str, str | int]) -> list[Row]:
    """Return a charger's messages, newest first: of a ``direction`` (empty: both), holding a ``text``.

    Block by block downwards, so that the newest ones are found without looking at the rest.
    """
    return tx.all(
        """
        SELECT frames.*
        FROM frame_blocks
        CROSS JOIN frames ON frames.id BETWEEN block << 10 AND (block << 10) + 1023
        WHERE frame_blocks.charger_id = :charger_id
            AND block <= :before >> 10
            AND frames.charger_id = :charger_id
            AND frames.id < :before
            AND :direction IN ('', direction)
            AND (:text = '' OR instr(lower(text), lower(:text)) > 0)
        ORDER BY block DESC, frames.id DESC
        LIMIT :limit
        """,
        {"charger_id": charger_id, **criteria},
    )


def find(tx: Tx, charger_id: str, *, before: int, limit: int) -> list[Row]:
    """Return a charger's messages, newest first."""
    return search(tx, charger_id, {"before": before, "limit": limit, "direction": "", "text": ""})
