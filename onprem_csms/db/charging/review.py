"""What a person should look at."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.engine.history import History

RESOLVED = History("review_items", "resolved_at")


class ReviewRecord(NamedTuple):
    """An item as it is stored; ``detail`` is JSON."""

    id: int
    kind: str
    session_id: int | None
    charger_id: str
    detail: str
    created_at: str
    resolved_at: str | None
    resolved_by: str
    note: str


_SELECT = f"SELECT {', '.join(ReviewRecord._fields)} FROM review_items "  # noqa: S608 - own names


def insert(tx: Tx, dedupe: str, kind: str, place: tuple[int | None, str], detail: Mapping[str, Any]) -> bool:
    """Write an item about (session id, charger id) once; False when it was asked before."""
    session_id, charger_id = place
    changed = tx.execute(
        """
        INSERT INTO review_items (
            dedupe,
            kind,
            session_id,
            charger_id,
            detail,
            created_at
        )
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (dedupe) DO NOTHING
        """,
        (dedupe, kind, session_id, charger_id, json.dumps(detail, ensure_ascii=False), tx.now_text),
    )
    return changed == 1


def update_detail(tx: Tx, dedupe: str, detail: Mapping[str, Any]) -> None:
    """Change what an item says."""
    text = json.dumps(detail, ensure_ascii=False)
    tx.execute("UPDATE review_items SET detail = ? WHERE dedupe = ?", (text, dedupe))


def find(tx: Tx, *, open_only: bool, before: int, limit: int) -> list[ReviewRecord]:
    """Return items, newest first."""
    condition = "AND resolved_at IS NULL" if open_only else ""
    found = tx.all(_SELECT + f"WHERE id < ? {condition} ORDER BY id DESC LIMIT ?", (before, limit))
    return [ReviewRecord(*row) for row in found]


def of_session(tx: Tx, session_id: int) -> list[ReviewRecord]:
    """Return the items about a session."""
    return [ReviewRecord(*row) for row in tx.all(_SELECT + "WHERE session_id = ? ORDER BY id", (session_id,))]


def get(tx: Tx, item_id: int) -> ReviewRecord | None:
    """Return one item."""
    row = tx.one(_SELECT + "WHERE id = ?", (item_id,))
    return None if row is None else ReviewRecord(*row)


def resolve(tx: Tx, item_id: int, operator: str, note: str) -> bool:
    """Mark an item as looked at; False when it was."""
    changed = tx.execute(
        """
        UPDATE review_items
        SET resolved_at = ?,
            resolved_by = ?,
            note = ?
        WHERE id = ?
        AND resolved_at IS NULL
        """,
        (tx.now_text, operator, note, item_id),
    )
    return changed == 1


def count_open(tx: Tx) -> int:
    """Count what nobody has looked at."""
    return int(tx.value("SELECT count(*) FROM review_items WHERE resolved_at IS NULL"))


def open_of_session(tx: Tx, session_id: int) -> int:
    """Count a session's items that nobody has looked at."""
    return int(
        tx.value(
            "SELECT count(*) FROM review_items WHERE session_id = ? AND resolved_at IS NULL", (session_id,)
        )
    )
