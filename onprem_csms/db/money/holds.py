"""The table ``holds``: the open ones are remembered by the writer, so that what may be spent costs no statement."""

from typing import NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.money.holds import HoldState


class HoldRow(NamedTuple):
    """An amount of a wallet that is set aside for a purpose; minor units."""

    id: int
    wallet_id: int
    amount: int
    state: HoldState
    captured: int
    purpose: str


class HeldSum(NamedTuple):
    """A wallet's kept sum of holds beside the sum of its open ones."""

    wallet_id: int
    held: int
    open: int


_OPEN: Cache[int, HoldRow] = Cache("open holds", 20_000)
_HOLD = """
    SELECT
        id,
        wallet_id,
        amount,
        state,
        captured,
        purpose
    FROM holds
"""
_UNNEEDED = """
    WHERE state = 'held'
    AND id NOT IN (SELECT hold_id FROM sessions WHERE state <> 'ended' AND hold_id IS NOT NULL)
    AND id NOT IN (
        SELECT hold_id FROM orders WHERE status IN ('held', 'sent', 'accepted') AND hold_id IS NOT NULL
    )
"""


def _hold(row: Row) -> HoldRow:
    return HoldRow(*row)


def insert(tx: Tx, wallet_id: int, amount: int, purpose: str) -> int:
    """Write an open hold; returns its id. An open hold of the same purpose breaks a rule of the table."""
    hold_id = tx.insert(
        "INSERT INTO holds (wallet_id, amount, state, purpose, began_at) VALUES (?, ?, 'held', ?, ?)",
        (wallet_id, amount, purpose, to_millis(tx.now)),
    )
    _OPEN.set(tx, hold_id, HoldRow(hold_id, wallet_id, amount, "held", 0, purpose))
    return hold_id


def get(tx: Tx, hold_id: int) -> HoldRow | None:
    """Return a hold."""
    known = _OPEN.get(tx, hold_id)
    if known is None and (row := tx.one(_HOLD + "WHERE id = ?", (hold_id,))) is not None:
        known = _hold(row)
        if known.state == "held":
            _OPEN.set(tx, hold_id, known)
    return known


def open_of_wallet(tx: Tx, wallet_id: int) -> list[HoldRow]:
    """Return the open holds of a wallet, the newest first."""
    found = tx.all(_HOLD + "WHERE wallet_id = ? AND state = 'held' ORDER BY id DESC", (wallet_id,))
    return [_hold(row) for row in found]


def resize(tx: Tx, hold: HoldRow, amount: int) -> None:
    """Write another amount of an open hold."""
    _OPEN.set(tx, hold.id, hold._replace(amount=amount))
    tx.execute("UPDATE holds SET amount = ? WHERE id = ?", (amount, hold.id))


def end(tx: Tx, hold: HoldRow, state: HoldState, captured: int) -> None:
    """Write how an open hold ended."""
    _OPEN.drop(tx, hold.id)
    tx.execute(
        "UPDATE holds SET state = ?, captured = ?, ended_at = ? WHERE id = ?",
        (state, captured, to_millis(tx.now), hold.id),
    )


def unequal_sums(tx: Tx) -> list[HeldSum]:
    """Return wallets whose kept sum of holds is not the sum of their open holds."""
    found = tx.all(
        """
        SELECT
            w.id,
            w.held,
            coalesce(h.amount, 0) AS open
        FROM wallets w
        LEFT JOIN (
            SELECT
                wallet_id,
                sum(amount) AS amount
            FROM holds
            WHERE state = 'held'
            GROUP BY wallet_id
        ) h ON h.wallet_id = w.id
        WHERE w.held <> coalesce(h.amount, 0)
        """
    )
    return [HeldSum(*row) for row in found]


def without_purpose(tx: Tx) -> list[HoldRow]:
    """Return open holds that no active session and no open order needs."""
    return [_hold(row) for row in tx.all(_HOLD + _UNNEEDED)]
