"""Drivers' orders: paid first, started then."""

from collections.abc import Mapping
from typing import Any

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place

_OPEN = "('held', 'sent', 'accepted')"


def insert(tx: Tx, values: Mapping[str, Any]) -> None:
    """Write a new order; keys are column names of this module's callers, never input."""
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    tx.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608


def get(tx: Tx, order_id: str) -> Row | None:
    """Return an order."""
    return tx.one("SELECT * FROM orders WHERE id = ?", (order_id,))


def by_key(tx: Tx, idempotency_key: str) -> Row | None:
    """Return the order that was placed with this key."""
    return tx.one("SELECT * FROM orders WHERE idempotency_key = ?", (idempotency_key,))


def open_for(tx: Tx, charger_id: str, card_id: int) -> Row | None:
    """Return the oldest open order of a card on a charger."""
    return tx.one(
        f"""
        SELECT *
        FROM orders
        WHERE charger_id = ?
        AND card_id = ?
        AND status IN {_OPEN}
        ORDER BY created_at
        """,  # noqa: S608
        (charger_id, card_id),
    )


def open_on(tx: Tx, charger_id: str, place: Place) -> Row | None:
    """Return an open order on a connector."""
    return tx.one(
        f"SELECT * FROM orders WHERE charger_id = ? AND evse = ? AND connector = ? AND status IN {_OPEN}",  # noqa: S608
        (charger_id, *place),
    )


def move(tx: Tx, order_id: str, status: str, detail: str, *, ended: bool) -> bool:
    """Change an open order's status; False when it was not open any more."""
    changed = tx.execute(
        f"""
        UPDATE orders
        SET status = ?,
            detail = ?,
            ended_at = ?
        WHERE id = ?
        AND status IN {_OPEN}
        """,  # noqa: S608
        (status, detail, tx.now_text if ended else None, order_id),
    )
    return changed == 1


def began(tx: Tx, order_id: str, session_id: int, hold_id: int | None) -> bool:
    """Tie an order to the session that began and the hold that pays it; False when it was refused or used."""
    changed = tx.execute(
        """
        UPDATE orders
        SET status = 'charging',
            session_id = ?,
            hold_id = ?,
            ended_at = NULL
        WHERE id = ?
        AND status IN ('held', 'sent', 'accepted', 'expired', 'cancelled')
        """,
        (session_id, hold_id, order_id),
    )
    return changed == 1


def given_back(tx: Tx, place: tuple[str, int, int, int], since: str) -> Row | None:
    """Return the last paid order of (charger, EVSE, connector, card) that ended without a session since a moment."""
    return tx.one(
        """
        SELECT *
        FROM orders
        WHERE charger_id = ?
        AND evse = ?
        AND connector = ?
        AND card_id = ?
        AND status IN ('expired', 'cancelled')
        AND hold_id IS NOT NULL
        AND ended_at >= ?
        ORDER BY ended_at DESC
        """,
        (*place, since),
    )


def expired(tx: Tx, now: str) -> list[Row]:
    """Return open orders whose time is over."""
    return tx.all(f"SELECT * FROM orders WHERE status IN {_OPEN} AND expires_at <= ?", (now,))  # noqa: S608


def never_sent(tx: Tx) -> list[Row]:
    """Return orders whose start command never went out."""
    return tx.all("SELECT * FROM orders WHERE status = 'held'")


def of_card(tx: Tx, card_id: int, limit: int) -> list[Row]:
    """Return a card's orders, newest first."""
    return tx.all("SELECT * FROM orders WHERE card_id = ? ORDER BY created_at DESC LIMIT ?", (card_id, limit))


def open_of_card(tx: Tx, card_id: int) -> list[Row]:
    """Return the open orders of a card."""
    return tx.all(f"SELECT * FROM orders WHERE card_id = ? AND status IN {_OPEN}", (card_id,))  # noqa: S608
