"""The table ``reservations``: connectors that are kept for a card."""

from typing import NamedTuple

from onprem_csms.db.engine.database import Tx

_COLUMNS = """
    charger_id,
    id,
    evse,
    connector,
    uid,
    group_name,
    expires_at,
    status,
    session_id,
    created_at,
    ended_at
"""


class NewRow(NamedTuple):
    """A reservation that a charger accepted; ``expires_at`` is text as all times of this table."""

    charger_id: str
    id: int
    evse: int
    connector: int
    uid: str
    card_id: int | None
    group_name: str | None
    expires_at: str


class ReservationRow(NamedTuple):
    """A reservation as it is stored."""

    charger_id: str
    id: int
    evse: int
    connector: int
    uid: str
    group_name: str | None
    expires_at: str
    status: str
    session_id: int | None
    created_at: str
    ended_at: str | None


def record(tx: Tx, new: NewRow) -> None:
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
        {**new._asdict(), "now": tx.now_text},
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


def forget_ended(tx: Tx, before: str, most: int) -> int:
    """Forget reservations that ended before a moment; returns how many."""
    return tx.execute(
        """
        DELETE FROM reservations
        WHERE (charger_id, id) IN (
            SELECT charger_id, id
            FROM reservations
            WHERE ended_at IS NOT NULL
            AND ended_at < ?
            LIMIT ?
        )
        """,
        (before, most),
    )


def expire(tx: Tx) -> list[str]:
    """End every reservation whose time is over; returns the charger of each."""
    ended = tx.all(
        """
        UPDATE reservations
        SET status = 'expired',
            ended_at = :now
        WHERE status = 'active'
        AND expires_at <= :now
        RETURNING charger_id
        """,
        {"now": tx.now_text},
    )
    return [row[0] for row in ended]


def get(tx: Tx, charger_id: str, reservation_id: int) -> ReservationRow | None:
    """Return one reservation."""
    row = tx.one(
        f"SELECT {_COLUMNS} FROM reservations WHERE charger_id = ? AND id = ?",  # noqa: S608 - own names
        (charger_id, reservation_id),
    )
    return None if row is None else ReservationRow(*row)


def find(
    tx: Tx, *, charger_id: str | None = None, status: str | None = None, limit: int = 100
) -> list[ReservationRow]:
    """Return reservations, newest first."""
    rows = tx.all(
        f"""
        SELECT {_COLUMNS}
        FROM reservations
        WHERE (:charger_id IS NULL OR charger_id = :charger_id)
        AND (:status IS NULL OR status = :status)
        ORDER BY created_at DESC, id DESC
        LIMIT :limit
        """,  # noqa: S608 - own names
        {"charger_id": charger_id, "status": status, "limit": limit},
    )
    return [ReservationRow(*row) for row in rows]


def highest(tx: Tx, charger_id: str) -> int:
    """Return the highest number a reservation of the charger ever had, 0 when there was none."""
    return int(tx.value("SELECT COALESCE(max(id), 0) FROM reservations WHERE charger_id = ?", (charger_id,)))


def highest_anywhere(tx: Tx) -> int:
    """Return the highest number a reservation of any charger ever had, 0 when there was none."""
    return int(tx.value("SELECT COALESCE(max(id), 0) FROM reservations"))


def of_number(tx: Tx, reservation_id: int) -> list[ReservationRow]:
    """Return the reservations of a number; each charger may have one."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM reservations WHERE id = ? ORDER BY charger_id",  # noqa: S608 - own names
        (reservation_id,),
    )
    return [ReservationRow(*row) for row in rows]
