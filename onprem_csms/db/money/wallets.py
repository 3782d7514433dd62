"""Wallets and the holds on them."""

from collections.abc import Sequence
from typing import Any

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx

_WALLET = """
    SELECT
        w.id,
        w.currency,
        w.name,
        w.person_id,
        w.held,
        w.created_at,
        a.balance,
        a.id AS account_id
    FROM wallets w
    JOIN accounts a ON a.wallet_id = w.id
"""


def insert(tx: Tx, currency: str, name: str, person_id: int | None) -> int:
    """Make a wallet; its account is made by the ledger."""
    return tx.insert(
        "INSERT INTO wallets (currency, name, person_id, created_at) VALUES (?, ?, ?, ?)",
        (currency, name, person_id, tx.now_text),
    )


def get(tx: Tx, wallet_id: int) -> Row | None:
    """Return a wallet with its balance."""
    return tx.one(_WALLET + "WHERE w.id = ?", (wallet_id,))


def find(tx: Tx, where: str, params: Sequence[Any], limit: int) -> list[Row]:
    """Return wallets by a condition, in the order of their ids."""
    return tx.all(f"{_WALLET} WHERE {where} ORDER BY w.id LIMIT ?", (*params, limit))


def insert_hold(tx: Tx, wallet_id: int, amount: int, purpose: str) -> int:
    """Write a hold and set its amount aside."""
    hold_id = tx.insert(
        "INSERT INTO holds (wallet_id, amount, status, purpose, created_at) VALUES (?, ?, 'held', ?, ?)",
        (wallet_id, amount, purpose, tx.now_text),
    )
    tx.execute("UPDATE wallets SET held = held + ? WHERE id = ?", (amount, wallet_id))
    return hold_id


def get_hold(tx: Tx, hold_id: int) -> Row | None:
    """Return a hold."""
    return tx.one("SELECT * FROM holds WHERE id = ?", (hold_id,))


def extend_hold(tx: Tx, hold: Row, more: int) -> None:
    """Set more aside for the same purpose."""
    tx.execute("UPDATE holds SET amount = amount + ? WHERE id = ?", (more, hold["id"]))
    tx.execute("UPDATE wallets SET held = held + ? WHERE id = ?", (more, hold["wallet_id"]))


def end_hold(tx: Tx, hold_id: int, status: str, captured: int) -> int | None:
    """Capture (at most what is held) or release a hold; returns its wallet, None when it had already ended."""
    ended = tx.all(
        """
        UPDATE holds
        SET status = ?,
            captured = min(amount, ?),
            ended_at = ?
        WHERE id = ?
        AND status = 'held'
        RETURNING wallet_id, amount
        """,
        (status, captured, tx.now_text, hold_id),
    )
    if not ended:
        return None
    wallet_id: int = ended[0]["wallet_id"]
    tx.execute("UPDATE wallets SET held = held - ? WHERE id = ?", (ended[0]["amount"], wallet_id))
    return wallet_id


def balance(tx: Tx, wallet_id: int) -> int:
    """Return a wallet's balance."""
    return int(tx.value("SELECT balance FROM accounts WHERE wallet_id = ?", (wallet_id,)))


def unequal_holds(tx: Tx) -> list[Row]:
    """Return wallets whose kept sum of holds is not the sum of their open holds."""
    return tx.all(
        """
        SELECT
            w.id,
            w.held,
            coalesce((SELECT sum(h.amount) FROM holds h WHERE h.wallet_id = w.id AND h.status = 'held'), 0) AS open
        FROM wallets w
        WHERE w.held <> coalesce(
            (SELECT sum(h.amount) FROM holds h WHERE h.wallet_id = w.id AND h.status = 'held'), 0
        )
        """
    )


def holds_without_purpose(tx: Tx) -> list[Row]:
    """Return open holds that no active session and no open order needs."""
    return tx.all(
        """
        SELECT
            h.id,
            h.purpose
        FROM holds h
        WHERE h.status = 'held'
        AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.hold_id = h.id AND s.state = 'active')
        AND NOT EXISTS (
            SELECT 1 FROM orders o WHERE o.hold_id = h.id AND o.status IN ('held', 'sent', 'accepted')
        )
        """
    )
