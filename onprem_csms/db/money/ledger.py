"""Accounts, entries and postings of the ledger; append-only, each entry chained to the one before."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx

GENESIS = "0" * 64
_LAST: Cache[None, tuple[int, str]] = Cache("end of the chain", 1)
_HOUSE: Cache[tuple[str, str], int] = Cache("accounts of the house", 100)
_WALLETS: Cache[int, int] = Cache("accounts of wallets", 20_000)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """What an entry is made of; ``postings`` are (account id, amount), amounts in minor units."""

    kind: str
    idempotency_key: str
    postings: tuple[tuple[int, int], ...]
    session_id: int | None
    operator: str
    document: str


def house_account(tx: Tx, kind: str, currency: str) -> int:
    """Return the id of an account of the house, made at its first use."""
    known = _HOUSE.get(tx, (kind, currency))
    if known is None:
        found = tx.value(
            "SELECT id FROM accounts WHERE kind = ? AND currency = ? AND wallet_id IS NULL", (kind, currency)
        )
        insert = "INSERT INTO accounts (kind, currency) VALUES (?, ?)"
        known = tx.insert(insert, (kind, currency)) if found is None else int(found)
        _HOUSE.set(tx, (kind, currency), known)
    return known


def wallet_account(tx: Tx, wallet_id: int) -> int:
    """Return the id of a wallet's account."""
    known = _WALLETS.get(tx, wallet_id)
    if known is None:
        known = int(tx.value("SELECT id FROM accounts WHERE wallet_id = ?", (wallet_id,)))
        _WALLETS.set(tx, wallet_id, known)
    return known


def insert_wallet_account(tx: Tx, wallet_id: int, currency: str) -> int:
    """Make the account of a new wallet."""
    return tx.insert(
        "INSERT INTO accounts (kind, currency, wallet_id) VALUES ('wallet', ?, ?)", (currency, wallet_id)
    )


def by_key(tx: Tx, idempotency_key: str) -> Row | None:
    """Find the entry of a business action that was booked before."""
    return tx.one("SELECT * FROM entries WHERE idempotency_key = ?", (idempotency_key,))


def get(tx: Tx, entry_id: int) -> Row | None:
    """Return one entry."""
    return tx.one("SELECT * FROM entries WHERE id = ?", (entry_id,))


def append(tx: Tx, entry: EntryRow) -> int | None:
    """Write an entry with its postings, chain it and move the balances; returns its id.

    None, and nothing is written, when the key is taken.
    """
    last, previous = _LAST.get(tx, None) or _last(tx)
    entry_id = last + 1
    fields = (
        entry_id,
        tx.now_text,
        entry.kind,
        entry.idempotency_key,
        entry.session_id,
        entry.operator,
        entry.document,
        previous,
    )
    hash = digest(fields, entry.postings)
    written = tx.execute(
        """
        INSERT INTO entries (
            id,
            at,
            kind,
            idempotency_key,
            session_id,
            operator,
            document,
            previous_hash,
            hash
        )
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (idempotency_key) DO NOTHING
        """,
        (*fields, hash),
    )
    if not written:
        return None
    _LAST.set(tx, None, (entry_id, hash))
    lines = [(entry_id, line, *posting) for line, posting in enumerate(entry.postings, 1)]
    tx.many("INSERT INTO postings VALUES (?, ?, ?, ?)", lines)
    moves = [(amount, account_id) for account_id, amount in entry.postings]
    tx.many("UPDATE accounts SET balance = balance + ? WHERE id = ?", moves)
    return entry_id


def _last(tx: Tx) -> tuple[int, str]:
    """Return id and hash of the end of the chain."""
    last = tx.one("SELECT id, hash FROM entries ORDER BY id DESC LIMIT 1")
    return (0, GENESIS) if last is None else (last["id"], last["hash"])


def digest(fields: Sequence[Any], postings: Sequence[tuple[int, int]]) -> str:
    """Return the hash of an entry: its columns up to ``previous_hash`` and its postings in order."""
    text = json.dumps(
        [*fields, [list(posting) for posting in postings]], ensure_ascii=True, separators=(",", ":")
    )
    return sha256(text.encode()).hexdigest()


def entries(tx: Tx, where: str, params: Sequence[Any], limit: int) -> list[Row]:
    """Return entries by a condition on ``e``, newest first."""
    return tx.all(f"SELECT e.* FROM entries e WHERE {where} ORDER BY e.id DESC LIMIT ?", (*params, limit))  # noqa: S608


def entries_after(tx: Tx, entry_id: int, limit: int) -> list[Row]:
    """Return entries in the order they were written."""
    return tx.all("SELECT * FROM entries WHERE id > ? ORDER BY id LIMIT ?", (entry_id, limit))


def postings_of(tx: Tx, entry_id: int) -> list[Row]:
    """Return an entry's postings in order, each with its account."""
    return tx.all(
        """
        SELECT
            p.account_id,
            p.amount,
            a.kind,
            a.currency,
            a.wallet_id
        FROM postings p
        JOIN accounts a ON a.id = p.account_id
        WHERE p.entry_id = ?
        ORDER BY p.line
        """,
        (entry_id,),
    )


def movements(tx: Tx, account_id: int, before: int, limit: int) -> list[Row]:
    """Return the entries that moved an account, newest first, each with the balance after it."""
    return tx.all(
        """
        SELECT
            e.id,
            e.at,
            e.kind,
            e.session_id,
            e.operator,
            e.document,
            sum(p.amount) AS amount,
            (
                SELECT sum(q.amount)
                FROM postings q
                WHERE q.account_id = p.account_id
                AND q.entry_id <= p.entry_id
            ) AS balance_after
        FROM postings p
        JOIN entries e ON e.id = p.entry_id
        WHERE p.account_id = ?
        AND p.entry_id < ?
        GROUP BY e.id
        ORDER BY e.id DESC
        LIMIT ?
        """,
        (account_id, before, limit),
    )


def unequal_accounts(tx: Tx) -> list[Row]:
    """Return accounts whose kept balance is not the sum of their postings."""
    return tx.all(
        """
        SELECT
            a.id,
            a.wallet_id,
            a.balance,
            coalesce((SELECT sum(p.amount) FROM postings p WHERE p.account_id = a.id), 0) AS posted
        FROM accounts a
        WHERE a.balance <> coalesce((SELECT sum(p.amount) FROM postings p WHERE p.account_id = a.id), 0)
        """
    )


def sum_of_postings(tx: Tx) -> int:
    """Return the sum of all postings: zero, or the ledger is broken."""
    return int(tx.value("SELECT coalesce(sum(amount), 0) FROM postings"))
