"""The table ``corrections``: what people decided of sessions that had ended."""

from typing import NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.engine.database import Tx


class CorrectionRow(NamedTuple):
    """A decision; ``before`` and ``after`` are JSON, ``at`` is in UTC milliseconds."""

    session_id: int
    number: int
    at: int
    actor: str
    reason: str
    before: str
    after: str


def insert(tx: Tx, session_id: int, reason: str, before: str, after: str) -> None:
    """Write the next decision of a session."""
    number = tx.value(
        "SELECT coalesce(max(number), 0) + 1 FROM corrections WHERE session_id = ?", (session_id,)
    )
    row = CorrectionRow(session_id, number, to_millis(tx.now), tx.actor.label, reason, before, after)
    tx.execute("INSERT INTO corrections VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def of_session(tx: Tx, session_id: int) -> list[CorrectionRow]:
    """Return the decisions of a session, the first one first."""
    found = tx.all(
        """
        SELECT
            session_id,
            number,
            at,
            actor,
            reason,
            before,
            after
        FROM corrections
        WHERE session_id = ?
        ORDER BY number
        """,
        (session_id,),
    )
    return [CorrectionRow(*row) for row in found]
