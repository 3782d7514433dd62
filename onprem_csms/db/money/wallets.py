"""The table ``wallets``: the writer remembers each as it is, so that money is read without a statement."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.database import Tx


class WalletRow(NamedTuple):
    """A wallet; amounts in minor units, ``created_at`` in UTC milliseconds."""

    id: int
    currency: str
    name: str
    person_id: int | None
    balance: int
    held: int
    taxed: int
    taxed_vat: int
    hold_policy: str
    created_at: int


_KNOWN: Cache[int, WalletRow] = Cache("wallets", 20_000)
_WALLET = """
    SELECT
        id,
        currency,
        name,
        person_id,
        balance,
        held,
        taxed,
        taxed_vat,
        hold_policy,
        created_at
    FROM wallets
"""


def insert(tx: Tx, currency: str, name: str, person_id: int | None) -> int:
    """Make an empty wallet; returns its id."""
    return tx.insert(
        "INSERT INTO wallets (currency, name, person_id, created_at) VALUES (?, ?, ?, ?)",
        (currency, name, person_id, to_millis(tx.now)),
    )


def get(tx: Tx, wallet_id: int) -> WalletRow | None:
    """Return a wallet with its balance."""
    known = _KNOWN.get(tx, wallet_id)
    if known is None and (row := tx.one(_WALLET + "WHERE id = ?", (wallet_id,))) is not None:
        known = WalletRow(*row)
        _KNOWN.set(tx, wallet_id, known)
    return known


def find(tx: Tx, where: str, params: Sequence[Any], limit: int) -> list[WalletRow]:
    """Return wallets by a condition, in the order of their ids."""
    found = tx.all(f"{_WALLET} WHERE {where} ORDER BY id LIMIT ?", (*params, limit))
    return [WalletRow(*row) for row in found]


def each(tx: Tx) -> Iterator[WalletRow]:
    """Go through every wallet."""
    return (WalletRow(*row) for row in tx.each(_WALLET + "ORDER BY id"))


def write(tx: Tx, wallet: WalletRow) -> None:
    """Write what moves of a wallet; the ledger's entry or the hold that moves it is written beside."""
    _KNOWN.set(tx, wallet.id, wallet)
    tx.execute(
        "UPDATE wallets SET balance = ?, held = ?, taxed = ?, taxed_vat = ? WHERE id = ?",
        (wallet.balance, wallet.held, wallet.taxed, wallet.taxed_vat, wallet.id),
    )


def set_policy(tx: Tx, wallet_id: int, policy: str) -> None:
    """Write by which policy sessions hold of a wallet; empty: the site's."""
    _KNOWN.drop(tx, wallet_id)
    tx.execute("UPDATE wallets SET hold_policy = ? WHERE id = ?", (policy, wallet_id))
