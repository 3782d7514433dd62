"""Wallets: their balance, what is held of it, top-ups and movements. Amounts are minor units."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from onprem_csms.clock import from_millis
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import currencies as currency_rows
from onprem_csms.db.money import wallets as rows
from onprem_csms.db.money.wallets import WalletRow
from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.domain.money.vat import NOT_TAXED, Taxed, topped_up, use
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.core import audit
from onprem_csms.services.money import ledger
from onprem_csms.services.money.ledger import EntryFilter, LedgerEntry, NewEntry

LARGEST_TOPUP = 100_000_000


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
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that is paid back, with its reason; otherwise as a top-up."""

    wallet_id: int
    amount: int
    idempotency_key: str
    reason: str
    method: Literal["cash", "bank"] = "cash"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A booked top-up or refund; ``repeated`` when the same one had been booked before."""

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
    audit.note(tx, "wallet.added", wallet_id, currency=currency, name=name, person_id=person_id)
    tx.emit(Event("wallet", str(wallet_id)))
    return wallet_id


def get(tx: Tx, wallet_id: int) -> Wallet:
    """Return a wallet; NotFound."""
    return _wallet(_row(tx, wallet_id))


def find(tx: Tx, wanted: WalletFilter) -> list[Wallet]:
    """Return wallets in the order of their ids."""
    where, params = "id > ?", [wanted.after]
    if wanted.person_id is not None:
        where += " AND person_id = ?"
        params.append(wanted.person_id)
    return [_wallet(row) for row in rows.find(tx, where, params, wanted.limit)]


def _wallet(row: WalletRow) -> Wallet:
    return Wallet(
        row.id, row.currency, row.name, row.person_id, row.balance, row.held, from_millis(row.created_at)
    )


def top_up(tx: Tx, top_up: TopUp) -> Receipt:
    """Book money into a wallet once; a repeat with the same key and figures returns the same receipt."""
    if not 0 < top_up.amount <= LARGEST_TOPUP:
        raise Invalid(
            "The amount must be above zero and not above {most}.", path="amount", most=LARGEST_TOPUP
        )
    if not top_up.idempotency_key:
        raise Invalid("A top-up needs an idempotency key.", path="idempotency_key")
    key, wallet = f"topup:{top_up.idempotency_key}", _row(tx, top_up.wallet_id)
    before = ledger.booked_before(tx, "topup", key, wallet.id, top_up.amount)
    if before is not None:
        return _receipt(tx, before, repeated=True)
    taxed, document = _taxed_at_topup(tx, wallet, top_up.amount)
    new = NewEntry(
        kind="topup",
        currency=wallet.currency,
        site={top_up.method: -top_up.amount, "vat": taxed.vat, "prepaid_vat": -taxed.vat},
        wallet_id=wallet.id,
        amount=top_up.amount,
        taxed=taxed,
        idempotency_key=key,
        document={"method": top_up.method, "note": top_up.note, **document},
    )
    told = f"{top_up.amount} {wallet.currency}"
    audit.note(tx, "wallet.topup", wallet.id, amount=told, method=top_up.method, note=top_up.note)
    return _receipt(tx, ledger.book(tx, new))


def _taxed_at_topup(tx: Tx, wallet: WalletRow, amount: int) -> tuple[Taxed, dict[str, str]]:
    if tx.settings.vat_due == "at_charging":
        return NOT_TAXED, {}
    percent = tx.settings.vat_percent
    taxed = topped_up(wallet.balance, wallet.taxed, amount, Fraction(percent))
    return taxed, {"vat_percent": percent}


def refund(tx: Tx, refund: Refund) -> Receipt:
    """Pay money back once; VAT that fell due at the top-up is reversed. Invalid, Conflict beyond what is available."""
    if refund.amount <= 0:
        raise Invalid("The amount must be above zero.", path="amount")
    if not refund.reason.strip():
        raise Invalid("Say why the money is paid back.", path="reason")
    key, wallet = f"refund:{refund.idempotency_key}", _row(tx, refund.wallet_id)
    before = ledger.booked_before(tx, "refund", key, wallet.id, -refund.amount)
    if before is not None:
        return _receipt(tx, before, repeated=True)
    if refund.amount > wallet.balance - wallet.held:
        raise Conflict("The balance is not enough.", path="amount")
    used = use(Taxed(wallet.taxed, wallet.taxed_vat), refund.amount)
    new = NewEntry(
        kind="refund",
        currency=wallet.currency,
        site={refund.method: refund.amount, "vat": -used.vat, "prepaid_vat": used.vat},
        wallet_id=wallet.id,
        amount=-refund.amount,
        taxed=Taxed(-used.gross, -used.vat),
        idempotency_key=key,
        document={"method": refund.method, "reason": refund.reason.strip()},
    )
    told = f"{refund.amount} {wallet.currency}"
    audit.note(
        tx, "wallet.refund", wallet.id, amount=told, method=refund.method, reason=refund.reason.strip()
    )
    return _receipt(tx, ledger.book(tx, new))


def _receipt(tx: Tx, entry: LedgerEntry, *, repeated: bool = False) -> Receipt:
    wallet = get(tx, entry.wallet_id or 0)
    return Receipt(entry.id, entry.at, wallet, abs(entry.amount), repeated)


def movements(tx: Tx, wallet_id: int, before: int | None = None, limit: int = 50) -> list[Movement]:
    """Return a wallet's movements, newest first, each with the balance after it."""
    wanted = EntryFilter(wallet_id=_row(tx, wallet_id).id, before=before, limit=limit)
    return [
        Movement(
            entry.id,
            entry.at,
            entry.kind,
            entry.amount,
            entry.balance_after,
            entry.session_id,
            entry.operator,
            str(entry.document.get("note", "")),
        )
        for entry in ledger.entries(tx, wanted)
    ]


def balance(tx: Tx, wallet_id: int) -> int:
    """Return the balance of a wallet; NotFound."""
    return _row(tx, wallet_id).balance


def _row(tx: Tx, wallet_id: int) -> WalletRow:
    row = rows.get(tx, wallet_id)
    if row is None:
        raise NotFound("There is no wallet {id}.", id=wallet_id)
    return row
