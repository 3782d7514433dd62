"""The double-entry ledger: every movement of money is one entry whose postings add up to zero.

Credit is positive: a wallet's posting of +5000 means that the site owes its holder 5000 more, and
the cash account's -5000 that the till holds 5000 more. A correction is a new entry.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from onprem_csms.clock import from_millis, to_millis
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import ledger as rows
from onprem_csms.db.money import wallets as wallet_rows
from onprem_csms.db.money.ledger import EntryRow, Head, Move, Wanted
from onprem_csms.db.money.wallets import WalletRow
from onprem_csms.domain.money.vat import NOT_TAXED, Taxed
from onprem_csms.errors import Conflict, NotFound
from onprem_csms.events import Event

LEDGER = "ledger"
"""The topic of the event that the chain has a new end."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry, minor units, credit positive; ``wallet_id`` for the account kind ``wallet``."""

    account: str
    amount: int
    wallet_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A movement to book: of a wallet by ``amount``, of accounts of the site by ``site``, minor units.

    ``taxed`` is how the taxed part of the wallet moves (see ``domain.money.vat``), ``released`` what a hold that
    ends with it gives free. It is named by ``idempotency_key``, or by its session and ``part``.
    """

    kind: str
    currency: str
    site: Mapping[str, int]
    wallet_id: int | None = None
    amount: int = 0
    taxed: Taxed = NOT_TAXED
    released: int = 0
    idempotency_key: str | None = None
    session_id: int | None = None
    part: int | None = None
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry that was booked; ``balance_after`` is its wallet's."""

    id: int
    at: datetime
    kind: str
    idempotency_key: str
    session_id: int | None
    operator: str
    document: dict[str, Any]
    hash: str
    currency: str
    postings: tuple[Posting, ...]
    wallet_id: int | None
    amount: int
    balance_after: int


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries; ``before`` is the id of the last one already seen."""

    kind: str | None = None
    wallet_id: int | None = None
    session_id: int | None = None
    before: int | None = None
    limit: int = 50


def book(tx: Tx, new: NewEntry) -> LedgerEntry:
    """Book an entry whose name is free, and move its wallet and the accounts of the site."""
    return entry_of(append(tx, new))


def append(tx: Tx, new: NewEntry) -> EntryRow:
    """Book as ``book`` does, for who needs the entry only as it is stored."""
    wallet = _wallet(tx, new)
    site = {kind: new.site[kind] for kind in sorted(new.site) if new.site[kind]}
    if new.amount + sum(site.values()) != 0:
        message = f"the postings of {new.kind} {new.idempotency_key or new.session_id} do not add up to zero"
        raise ValueError(message)
    row = EntryRow(
        id=0,
        at=to_millis(tx.now),
        kind=new.kind,
        currency=new.currency,
        wallet_id=new.wallet_id,
        amount=new.amount,
        balance_after=0 if wallet is None else wallet.balance + new.amount,
        taxed=new.taxed.gross,
        site=_json(site),
        session_id=new.session_id,
        part=new.part,
        idempotency_key=new.idempotency_key,
        operator=tx.actor.label if tx.actor.is_staff else "",
        document=_json(new.document),
        hash=b"",
    )
    booked = rows.append(tx, row, [Move(kind, new.currency, amount) for kind, amount in site.items()])
    if wallet is not None:
        _move(tx, wallet, new)
    tx.emit(Event(LEDGER))
    return booked


def _wallet(tx: Tx, new: NewEntry) -> WalletRow | None:
    if new.wallet_id is None:
        return None
    wallet = wallet_rows.get(tx, new.wallet_id)
    if wallet is None:
        raise NotFound("There is no wallet {id}.", id=new.wallet_id)
    if wallet.currency != new.currency:
        raise Conflict("The wallet is in {currency}.", path="currency", currency=wallet.currency)
    return wallet


def _move(tx: Tx, wallet: WalletRow, new: NewEntry) -> None:
    moved = wallet._replace(
        balance=wallet.balance + new.amount,
        held=wallet.held - new.released,
        taxed=wallet.taxed + new.taxed.gross,
        taxed_vat=wallet.taxed_vat + new.taxed.vat,
    )
    wallet_rows.write(tx, moved)
    tx.emit(Event("wallet", str(wallet.id)))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def booked_before(tx: Tx, kind: str, idempotency_key: str, wallet_id: int, amount: int) -> LedgerEntry | None:
    """Return the entry of a deed that is told again; Conflict when its name was used for something else."""
    row = rows.by_key(tx, idempotency_key)
    if row is None:
        return None
    if (row.kind, row.wallet_id, row.amount) != (kind, wallet_id, amount):
        raise Conflict("This was already booked with other figures.", path="idempotency_key")
    return entry_of(row)


def entries(tx: Tx, wanted: EntryFilter) -> list[LedgerEntry]:
    """Return entries, newest first."""
    found = Wanted(wanted.kind, wanted.wallet_id, wanted.session_id, wanted.before, wanted.limit)
    return [entry_of(row) for row in rows.find(tx, found)]


def of_session(tx: Tx, session_id: int) -> list[LedgerEntry]:
    """Return what was booked for a session: the charge, then its corrections."""
    return [entry_of(row) for row in rows.of_session(tx, session_id)]


def entry(tx: Tx, entry_id: int) -> LedgerEntry:
    """Return one entry; NotFound."""
    row = rows.get(tx, entry_id)
    if row is None:
        raise NotFound("There is no ledger entry {id}.", id=entry_id)
    return entry_of(row)


def head(tx: Tx) -> Head:
    """Return the end of the chain."""
    return rows.head(tx)


def entry_of(row: EntryRow) -> LedgerEntry:
    """Return an entry as it is read outside of the database."""
    wallet = () if row.wallet_id is None else (Posting("wallet", row.amount, row.wallet_id),)
    site: dict[str, int] = json.loads(row.site)
    return LedgerEntry(
        id=row.id,
        at=from_millis(row.at),
        kind=row.kind,
        idempotency_key=row.idempotency_key or _key(row),
        session_id=row.session_id,
        operator=row.operator,
        document=json.loads(row.document),
        hash=row.hash.hex(),
        currency=row.currency,
        postings=(*wallet, *(Posting(kind, amount) for kind, amount in site.items())),
        wallet_id=row.wallet_id,
        amount=row.amount,
        balance_after=row.balance_after,
    )


def _key(row: EntryRow) -> str:
    """Name an entry of a session: ``session:7:charge``, ``session:7:correction``, ``session:7:correction:2``."""
    counter = f":{row.part}" if row.part is not None and row.part > 1 else ""
    return f"session:{row.session_id}:{row.kind}{counter}"
