"""The double-entry ledger: every movement of money is one entry whose postings add up to zero.

Credit is positive: a wallet's posting of +5000 means that the site owes its holder 5000 more, and
the cash account's -5000 that the till holds 5000 more. A correction is a new entry.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from onprem_csms.clock import from_text
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import ledger as rows
from onprem_csms.errors import Conflict, NotFound
from onprem_csms.events import Event

AccountKind = Literal["wallet", "cash", "bank", "revenue", "vat", "adjustment"]
EntryKind = Literal["topup", "charge", "correction", "refund", "adjustment"]


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry, minor units, credit positive; ``wallet_id`` for the account kind ``wallet``."""

    account: AccountKind
    amount: int
    wallet_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A movement to book; ``idempotency_key`` names the business action, so that it is booked once."""

    kind: EntryKind
    idempotency_key: str
    currency: str
    postings: Sequence[Posting]
    session_id: int | None = None
    operator: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry that was booked."""

    id: int
    at: datetime
    kind: EntryKind
    idempotency_key: str
    session_id: int | None
    operator: str
    document: dict[str, Any]
    hash: str
    currency: str
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries; ``before`` is the id of the last one already seen."""

    kind: str | None = None
    wallet_id: int | None = None
    session_id: int | None = None
    before: int | None = None
    limit: int = 50


def book(tx: Tx, entry: NewEntry) -> tuple[int, bool]:
    """Book an entry; returns its id and whether it had been booked before.

    Conflict when the key was used for something else.
    """
    if sum(posting.amount for posting in entry.postings) != 0:
        message = f"the postings of {entry.idempotency_key} do not add up to zero"
        raise ValueError(message)
    document = json.dumps(entry.document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    postings = tuple((_account(tx, posting, entry.currency), posting.amount) for posting in entry.postings)
    row = rows.EntryRow(
        entry.kind, entry.idempotency_key, postings, entry.session_id, entry.operator, document
    )
    entry_id = rows.append(tx, row)
    if entry_id is None:
        return _same(tx, entry, postings), True
    for posting in entry.postings:
        if posting.wallet_id is not None:
            tx.emit(Event("wallet", str(posting.wallet_id)))
    return entry_id, False


def _account(tx: Tx, posting: Posting, currency: str) -> int:
    if posting.wallet_id is not None:
        return rows.wallet_account(tx, posting.wallet_id)
    return rows.house_account(tx, posting.account, currency)


def _same(tx: Tx, entry: NewEntry, postings: Sequence[tuple[int, int]]) -> int:
    before = rows.by_key(tx, entry.idempotency_key)
    assert before is not None  # noqa: S101 - the key is taken
    booked = tuple((row["account_id"], row["amount"]) for row in rows.postings_of(tx, before["id"]))
    if before["kind"] != entry.kind or booked != tuple(postings):
        raise Conflict("This was already booked with other figures.", path="idempotency_key")
    entry_id: int = before["id"]
    return entry_id


def entries(tx: Tx, wanted: EntryFilter) -> list[LedgerEntry]:
    """Return entries, newest first."""
    where, params = ["1 = 1"], list[Any]()
    if wanted.kind is not None:
        where.append("e.kind = ?")
        params.append(wanted.kind)
    if wanted.session_id is not None:
        where.append("e.session_id = ?")
        params.append(wanted.session_id)
    if wanted.before is not None:
        where.append("e.id < ?")
        params.append(wanted.before)
    if wanted.wallet_id is not None:
        account = rows.wallet_account(tx, wanted.wallet_id)
        where.append("e.id IN (SELECT p.entry_id FROM postings p WHERE p.account_id = ?)")
        params.append(account)
    return [_entry(tx, row) for row in rows.entries(tx, " AND ".join(where), params, wanted.limit)]


def entry(tx: Tx, entry_id: int) -> LedgerEntry:
    """Return one entry; NotFound."""
    row = rows.get(tx, entry_id)
    if row is None:
        raise NotFound("There is no ledger entry {id}.", id=entry_id)
    return _entry(tx, row)


def _entry(tx: Tx, row: Row) -> LedgerEntry:
    found = rows.postings_of(tx, row["id"])
    return LedgerEntry(
        id=row["id"],
        at=from_text(row["at"]),
        kind=row["kind"],
        idempotency_key=row["idempotency_key"],
        session_id=row["session_id"],
        operator=row["operator"],
        document=json.loads(row["document"]),
        hash=row["hash"],
        currency=found[0]["currency"],
        postings=tuple(Posting(line["kind"], line["amount"], line["wallet_id"]) for line in found),
    )
