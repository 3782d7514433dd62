"""Drivers' orders: paid first, started then."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.tx import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.order_life import OPEN, OrderStatus, before

_OPEN = str(OPEN)


class OrderRecord(NamedTuple):
    """An order as it is stored."""

    id: str
    idempotency_key: str
    charger_id: str
    evse: int
    connector: int
    uid: str
    card_id: int
    wallet_id: int | None
    hold_id: int | None
    amount: int
    status: OrderStatus
    detail: str
    session_id: int | None
    created_at: str
    expires_at: str
    ended_at: str | None

    @property
    def place(self) -> Place:
        """Where it is to charge."""
        return Place(self.evse, self.connector)


_SELECT = f"SELECT {', '.join(OrderRecord._fields)} FROM orders "  # noqa: S608 - own names
_ORDERED: Cache[int, bool] = Cache("cards that ordered", 20_000)
"""Whether each ever did: most never, so that their sessions ask for no order."""


def insert(tx: Tx, values: Mapping[str, Any]) -> None:
    """Write a new order; keys are column names of this module's callers, never input."""
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    tx.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
    _ORDERED.set(tx, values["card_id"], True)


def get(tx: Tx, order_id: str) -> OrderRecord | None:
    """Return an order."""
    return _one(tx, "WHERE id = ?", order_id)


def by_key(tx: Tx, idempotency_key: str) -> OrderRecord | None:
    """Return the order that was placed with this key."""
    return _one(tx, "WHERE idempotency_key = ?", idempotency_key)


def open_for(tx: Tx, charger_id: str, card_id: int) -> OrderRecord | None:
    """Return the oldest open order of a card on a charger."""
    if not _ever_ordered(tx, card_id):
        return None
    where = f"WHERE charger_id = ? AND card_id = ? AND status IN {_OPEN} ORDER BY created_at"
    return _one(tx, where, charger_id, card_id)


def open_on(tx: Tx, charger_id: str, place: Place) -> OrderRecord | None:
    """Return an open order on a connector."""
    where = f"WHERE charger_id = ? AND evse = ? AND connector = ? AND status IN {_OPEN}"
    return _one(tx, where, charger_id, *place)


def move(tx: Tx, order_id: str, status: OrderStatus, detail: str, *, ended: bool) -> bool:
    """Change an order's status; False where its life knows no such step from the one it has."""
    changed = tx.execute(
        f"""
        UPDATE orders
        SET status = ?,
            detail = ?,
            ended_at = ?
        WHERE id = ?
        AND status IN ({_marks(before(status))})
        """,  # noqa: S608
        (status, detail, tx.now_text if ended else None, order_id, *before(status)),
    )
    return changed == 1


def began(tx: Tx, order_id: str, session_id: int, hold_id: int | None) -> bool:
    """Tie an order to the session that began and the hold that pays it; False when it was refused or used."""
    changed = tx.execute(
        f"""
        UPDATE orders
        SET status = 'charging',
            session_id = ?,
            hold_id = ?,
            ended_at = NULL
        WHERE id = ?
        AND status IN ({_marks(before("charging"))})
        """,  # noqa: S608
        (session_id, hold_id, order_id, *before("charging")),
    )
    return changed == 1


def given_back(tx: Tx, charger_id: str, card_id: int, since: str) -> OrderRecord | None:
    """Return the last paid order of a card on a charger that ended without a session since a moment."""
    if not _ever_ordered(tx, card_id):
        return None
    where = """
        WHERE charger_id = ?
        AND card_id = ?
        AND status IN ('expired', 'cancelled')
        AND hold_id IS NOT NULL
        AND ended_at >= ?
        ORDER BY ended_at DESC
        """
    return _one(tx, where, charger_id, card_id, since)


def expired(tx: Tx, now: str) -> list[OrderRecord]:
    """Return open orders whose time is over."""
    return _all(tx, f"WHERE status IN {_OPEN} AND expires_at <= ?", now)


def never_sent(tx: Tx) -> list[OrderRecord]:
    """Return orders whose start command never went out."""
    return _all(tx, "WHERE status = 'held'")


def of_card(tx: Tx, card_id: int, limit: int) -> list[OrderRecord]:
    """Return a card's orders, newest first."""
    return _all(tx, "WHERE card_id = ? ORDER BY created_at DESC LIMIT ?", card_id, limit)


def open_of_card(tx: Tx, card_id: int) -> list[OrderRecord]:
    """Return the open orders of a card."""
    return _all(tx, f"WHERE card_id = ? AND status IN {_OPEN}", card_id)


def _ever_ordered(tx: Tx, card_id: int) -> bool:
    known = _ORDERED.get(tx, card_id)
    if known is None:
        known = tx.value("SELECT 1 FROM orders WHERE card_id = ? LIMIT 1", (card_id,)) is not None
        _ORDERED.set(tx, card_id, known)
    return known


def _one(tx: Tx, where: str, *params: object) -> OrderRecord | None:
    row = tx.one(_SELECT + where, params)
    return None if row is None else OrderRecord(*row)


def _all(tx: Tx, where: str, *params: object) -> list[OrderRecord]:
    return [OrderRecord(*row) for row in tx.all(_SELECT + where, params)]


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join("?" * len(values))
