"""The table ``reservations``: connectors that are kept for a card."""

from collections.abc import Mapping
from typing import Any

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


def record(tx: Tx, values: Mapping[str, Any]) -> None:
    """Keep a reservation; one of the same number on the charger is replaced (OCPP 1.6, section 5.13)."""
    tx.execute(
        """
        INSERT INTO reservations (
            charger_id,
            id,
            evse,
            connector,
            uid,
            card_id,
            group_name,
            expires_at,
            status,
            created_at
        )
        VALUES (:charger_id, :id, :evse, :connector, :uid, :card_id, :group_name, :expires_at, 'active', :now)
        ON CONFLICT (charger_id, id) DO UPDATE SET
            evse = excluded.evse,
            connector = excluded.connector,
            uid = excluded.uid,
            card_id = excluded.card_id,
            group_name = excluded.group_name,
            expires_at = excluded.expires_at,
            status = 'active',
            session_id = NULL,
            created_at = excluded.created_at,
            ended_at = NULL
        """,
        {**values, "now": tx.now_text},
    )


def end(tx: Tx, charger_id: str, reservation_id: int, status: str, session_id: int | None = None) -> bool:
    """End a reservation that holds; False when none does."""
    changed = tx.execute(
        """
        UPDATE reservations
        SET status = ?,
            session_id = ?,
            ended_at = ?
        WHERE charger_id = ?
        AND id = ?
        AND status = 'active'
        """,
        (status, session_id, tx.now_text, charger_id, reservation_id),
    )
    return changed == 1


def due(tx: Tx) -> bool:
    """Tell whether the time of a reservation is over that still counts."""
    found = tx.value(
        "SELECT 1 FROM reservations WHERE status = 'active' AND expires_at <= ? LIMIT 1", (tx.now_text,)
    )
    return found is not None


def expire(tx: Tx) -> list[Row]:
    """End every reservation whose time is over; returns them."""
    return tx.all(
        """
        UPDATE reservations
        SET status = 'expired',
            ended_at = :now
        WHERE status = 'active'
        AND expires_at <= :now
        RETURNING charger_id, id
        """,
        {"now": tx.now_text},
    )


def get(tx: Tx, charger_id: str, reservation_id: int) -> Row | None:
    """Return one reservation."""
    return tx.one("SELECT * FROM reservations WHERE charger_id = ? AND id = ?", (charger_id, reservation_id))


def find(tx: Tx, *, charger_id: str | None = None, status: str | None = None, limit: int = 100) -> list[Row]:
    """Return reservations, newest first."""
    return tx.all(
        """
        SELECT *
        FROM reservations
        WHERE (:charger_id IS NULL OR charger_id = :charger_id)
        AND (:status IS NULL OR status = :status)
        ORDER BY created_at DESC, id DESC
        LIMIT :limit
        """,
        {"charger_id": charger_id, "status": status, "limit": limit},
    )


def highest(tx: Tx, charger_id: str) -> int:
    """Return the highest number a reservation of the charger ever had, 0 when there was none."""
    return int(tx.value("SELECT COALESCE(max(id), 0) FROM reservations WHERE charger_id = ?", (charger_id,)))


def highest_anywhere(tx: Tx) -> int:
    """Return the highest number a reservation of any charger ever had, 0 when there was none."""
    return int(tx.value("SELECT COALESCE(max(id), 0) FROM reservations"))


def of_number(tx: Tx, reservation_id: int) -> list[Row]:
    """Return the reservations of a number; each charger may have one."""
    return tx.all("SELECT * FROM reservations WHERE id = ? ORDER BY charger_id", (reservation_id,))
