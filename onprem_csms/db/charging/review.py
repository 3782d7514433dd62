"""What a person should look at."""

import json
from collections.abc import Mapping
from typing import Any

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


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


def find(tx: Tx, *, open_only: bool, before: int, limit: int) -> list[Row]:
    """Return items, newest first."""
    condition = "AND resolved_at IS NULL" if open_only else ""
    return tx.all(
        f"SELECT * FROM review_items WHERE id < ? {condition} ORDER BY id DESC LIMIT ?",  # noqa: S608
        (before, limit),
    )


def of_session(tx: Tx, session_id: int) -> list[Row]:
    """Return the items about a session."""
    return tx.all("SELECT * FROM review_items WHERE session_id = ? ORDER BY id", (session_id,))


def get(tx: Tx, item_id: int) -> Row | None:
    """Return one item."""
    return tx.one("SELECT * FROM review_items WHERE id = ?", (item_id,))


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
