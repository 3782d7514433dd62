"""The tables ``entries`` and ``accounts``: append-only, each entry chained to the one before by its hash."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from onprem_csms.db.engine.caches import Batch, Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx

GENESIS = bytes(32)


class EntryRow(NamedTuple):
    """An entry by its columns; ``at`` in UTC milliseconds, amounts in minor units, ``site`` and ``document`` JSON."""

    id: int
    at: int
    kind: str
    currency: str
    wallet_id: int | None
    amount: int
    balance_after: int
    taxed: int
    site: str
    session_id: int | None
    part: int | None
    idempotency_key: str | None
    operator: str
    document: str
    hash: bytes


class Head(NamedTuple):
    """The end of the chain."""

    id: int
    hash: bytes


class Move(NamedTuple):
    """By how much an entry moves an account of the site."""

    kind: str
    currency: str
    amount: int


class AccountRow(NamedTuple):
    """An account of the site with its kept balance."""

    kind: str
    currency: str
    balance: int


_HEAD: Cache[None, Head] = Cache("end of the ledger", 1)
_COLUMNS = ", ".join(EntryRow._fields)
_ENTRY = f"SELECT {_COLUMNS} FROM entries"  # noqa: S608 - own names
_INSERT = f"""
    INSERT INTO entries ({_COLUMNS})
    VALUES ({", ".join("?" * len(EntryRow._fields))})
"""  # noqa: S608 - own names


def _move_accounts(tx: Tx, moves: Sequence[Move]) -> None:
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for move in moves:
        sums[move.kind, move.currency] += move.amount
    tx.many(
        """
        INSERT INTO accounts (kind, currency, balance)
        VALUES (?, ?, ?)
        ON CONFLICT (kind, currency) DO UPDATE
        SET balance = balance + excluded.balance
        """,
        [(kind, currency, amount) for (kind, currency), amount in sums.items()],
    )


_MOVES: Batch[Move] = Batch("moves of accounts", _move_accounts)


def head(tx: Tx) -> Head:
    """Return the end of the chain; id 0 before the first entry."""
    known = _HEAD.get(tx, None)
    if known is None:
        row = tx.one("SELECT id, hash FROM entries ORDER BY id DESC LIMIT 1")
        known = Head(0, GENESIS) if row is None else Head(row[0], row[1])
        _HEAD.set(tx, None, known)
    return known


def digest(entry: EntryRow, previous: bytes) -> bytes:
    """Return the hash of an entry: SHA-256 of the hash before and all its columns but ``hash`` as a JSON array."""
    return sha256(previous + msgspec.json.encode(entry[:-1])).digest()


def append(tx: Tx, entry: EntryRow, moves: Sequence[Move]) -> EntryRow:
    """Write an entry as the next of the chain and move the accounts of the site; returns it with id and hash.

    Its key, or its session's part, must be free.
    """
    last = head(tx)
    entry = entry._replace(id=last.id + 1)
    entry = entry._replace(hash=digest(entry, last.hash))
    tx.execute(_INSERT, entry)
    _HEAD.set(tx, None, Head(entry.id, entry.hash))
    for move in moves:
        _MOVES.add(tx, move)
    return entry


def by_key(tx: Tx, idempotency_key: str) -> EntryRow | None:
    """Find the entry of a deed that was booked before."""
    return _one(tx.one(f"{_ENTRY} WHERE idempotency_key = ?", (idempotency_key,)))


def of_session(tx: Tx, session_id: int) -> list[EntryRow]:
    """Return what was booked for a session: the charge, then its corrections."""
    return [EntryRow(*row) for row in tx.all(f"{_ENTRY} WHERE session_id = ? ORDER BY part", (session_id,))]


def get(tx: Tx, entry_id: int) -> EntryRow | None:
    """Return one entry."""
    return _one(tx.one(f"{_ENTRY} WHERE id = ?", (entry_id,)))


def _one(row: Row | None) -> EntryRow | None:
    return None if row is None else EntryRow(*row)


class Wanted(NamedTuple):
    """Which entries, newest first; each condition that is None holds for all. ``before`` is an id."""

    kind: str | None = None
    wallet_id: int | None = None
    session_id: int | None = None
    before: int | None = None
    limit: int = 50


def find(tx: Tx, wanted: Wanted) -> list[EntryRow]:
    """Return entries, newest first."""
    conditions = ["id < ?"]
    params: list[Any] = [2**62 if wanted.before is None else wanted.before]
    for column in ("kind", "wallet_id", "session_id"):
        value = getattr(wanted, column)
        if value is not None:
            conditions.append(f"{column} = ?")
            params.append(value)
    if wanted.kind is not None and wanted.kind != "charge":
        conditions.append("kind <> 'charge'")  # as the partial index says it
    # The planner has no statistics; of a wallet's few entries each kind is found at once.
    index = "INDEXED BY entries_by_wallet" if wanted.wallet_id is not None else ""
    where = " AND ".join(conditions)
    sql = f"SELECT {_COLUMNS} FROM entries {index} WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608 - own names
    return [EntryRow(*row) for row in tx.all(sql, (*params, wanted.limit))]


def in_order(tx: Tx) -> Iterator[EntryRow]:
    """Go through every entry in the order they were written."""
    return (EntryRow(*row) for row in tx.each(f"{_ENTRY} ORDER BY id"))


def by_session(tx: Tx) -> Iterator[EntryRow]:
    """Go through every entry of a session, in the order of sessions and parts."""
    sql = f"{_ENTRY} WHERE session_id IS NOT NULL ORDER BY session_id, part"
    return (EntryRow(*row) for row in tx.each(sql))


def accounts(tx: Tx) -> list[AccountRow]:
    """Return the accounts of the site."""
    _MOVES.flush(tx)
    found = tx.all("SELECT kind, currency, balance FROM accounts ORDER BY kind, currency")
    return [AccountRow(*row) for row in found]


def top_ups(tx: Tx, since: int, until: int) -> list[tuple[str, int]]:
    """Return the money that came into wallets in a span of UTC milliseconds, by currency."""
    found = tx.all(
        """
        SELECT
            currency,
            sum(amount)
        FROM entries
        WHERE kind = 'topup'
        AND kind <> 'charge'
        AND at >= ?
        AND at < ?
        GROUP BY currency
        """,
        (since, until),
    )
    return [(row[0], row[1]) for row in found]
