"""Wallets: their balance, what is held of it, top-ups and movements. Amounts are minor units."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from onprem_csms.clock import from_text
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import currencies as currency_rows
from onprem_csms.db.money import ledger as ledger_rows
from onprem_csms.db.money import wallets as rows
from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.money.ledger import NewEntry, Posting, book

LARGEST_TOPUP = 100_000_000
NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class Wallet:
    """Prepaid money; ``available`` is the balance less what is held for sessions."""

    id: int
    currency: str
    name: str
    person_id: int | None
    balance: int
    held: int
    created_at: datetime

    @property
    def available(self) -> int:
        """What can be spent now."""
        return self.balance - self.held


@dataclass(frozen=True, slots=True)
class WalletFilter:
    """Which wallets; ``after`` is the id of the last one already seen."""

    person_id: int | None = None
    after: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money that comes in; ``idempotency_key`` is the caller's name for this one payment."""

    wallet_id: int
    amount: int
    idempotency_key: str
    method: Literal["cash", "bank"] = "cash"
    operator: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A booked top-up; ``repeated`` when the same one had been booked before."""

    entry_id: int
    at: datetime
    wallet: Wallet
    amount: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of a wallet's balance."""

    entry_id: int
    at: datetime
    kind: str
    amount: int
    balance_after: int
    session_id: int | None
    operator: str
    note: str


def create(tx: Tx, currency: str, name: str = "", person_id: int | None = None) -> int:
    """Make an empty wallet and return its id; Invalid for an unknown currency."""
    currency_rows.keep(tx, currency_of(currency))
    wallet_id = rows.insert(tx, currency, name, person_id)
    ledger_rows.insert_wallet_account(tx, wallet_id, currency)
    tx.emit(Event("wallet", str(wallet_id)))
    return wallet_id


def get(tx: Tx, wallet_id: int) -> Wallet:
    """Return a wallet; NotFound."""
    row = rows.get(tx, wallet_id)
    if row is None:
        raise NotFound("There is no wallet {id}.", id=wallet_id)
    return _wallet(row)


def find(tx: Tx, wanted: WalletFilter) -> list[Wallet]:
    """Return wallets in the order of their ids."""
    where, params = "w.id > ?", [wanted.after]
    if wanted.person_id is not None:
        where += " AND w.person_id = ?"
        params.append(wanted.person_id)
    return [_wallet(row) for row in rows.find(tx, where, params, wanted.limit)]


def _wallet(row: Row) -> Wallet:
    return Wallet(
        row["id"],
        row["currency"],
        row["name"],
        row["person_id"],
        row["balance"],
        row["held"],
        from_text(row["created_at"]),
    )


def top_up(tx: Tx, top_up: TopUp) -> Receipt:
    """Book money into a wallet once; a repeat with the same key and figures returns the same receipt."""
    if not 0 < top_up.amount <= LARGEST_TOPUP:
        raise Invalid(
            "The amount must be above zero and not above {most}.", path="amount", most=LARGEST_TOPUP
        )
    if not top_up.idempotency_key:
        raise Invalid("A top-up needs an idempotency key.", path="idempotency_key")
    wallet = get(tx, top_up.wallet_id)
    entry = NewEntry(
        kind="topup",
        idempotency_key=f"topup:{top_up.idempotency_key}",
        currency=wallet.currency,
        postings=(
            Posting("wallet", top_up.amount, wallet.id),
            Posting(top_up.method, -top_up.amount),
        ),
        operator=top_up.operator,
        document={"method": top_up.method, "note": top_up.note},
    )
    entry_id, repeated = book(tx, entry)
    row = ledger_rows.get(tx, entry_id)
    at = tx.now if row is None else from_text(row["at"])
    return Receipt(entry_id, at, get(tx, wallet.id), top_up.amount, repeated)


def movements(tx: Tx, wallet_id: int, before: int | None = None, limit: int = 50) -> list[Movement]:
    """Return a wallet's movements, newest first."""
    account = ledger_rows.wallet_account(tx, get(tx, wallet_id).id)
    found = ledger_rows.movements(tx, account, NEWEST if before is None else before, limit)
    return [
        Movement(
            row["id"],
            from_text(row["at"]),
            row["kind"],
            row["amount"],
            row["balance_after"],
            row["session_id"],
            row["operator"],
            _note(row["document"]),
        )
        for row in found
    ]


def _note(document: str) -> str:
    fields: dict[str, Any] = json.loads(document)
    return str(fields.get("note", ""))


def hold(tx: Tx, wallet: Wallet, amount: int, purpose: str) -> int:
    """Set an amount of a wallet, read in this transaction, aside for a purpose (named once); returns the hold's id.

    Conflict when the wallet has not so much available: holds never exceed the balance.
    """
    if amount > wallet.available:
        raise Conflict("The balance is not enough.", path="amount")
    hold_id = rows.insert_hold(tx, wallet.id, amount, purpose)
    tx.emit(Event("wallet", str(wallet.id)))
    return hold_id


def extend(tx: Tx, hold_id: int) -> int:
    """Add everything that is available now to an open hold; returns how much that was."""
    row = rows.get_hold(tx, hold_id)
    if row is None or row["status"] != "held":
        return 0
    more = get(tx, row["wallet_id"]).available
    if more <= 0:
        return 0
    rows.extend_hold(tx, row, more)
    tx.emit(Event("wallet", str(row["wallet_id"])))
    return more


def held_amount(tx: Tx, hold_id: int | None) -> int:
    """Return the amount of a hold that is still open, else 0."""
    row = None if hold_id is None else rows.get_hold(tx, hold_id)
    return row["amount"] if row is not None and row["status"] == "held" else 0


def release(tx: Tx, hold_id: int) -> bool:
    """Give back what was held; False when the hold had already ended."""
    return _end(tx, hold_id, "released", 0)


def capture(tx: Tx, hold_id: int, amount: int) -> bool:
    """End a hold because ``amount``, or all of it, was spent; the rest is free again. Spending is booked apart."""
    return _end(tx, hold_id, "captured", amount)


def balance(tx: Tx, wallet_id: int) -> int:
    """Return the balance of a wallet that exists."""
    return rows.balance(tx, wallet_id)


def _end(tx: Tx, hold_id: int, status: str, amount: int) -> bool:
    wallet_id = rows.end_hold(tx, hold_id, status, amount)
    if wallet_id is not None:
        tx.emit(Event("wallet", str(wallet_id)))
    return wallet_id is not None
