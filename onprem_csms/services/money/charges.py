"""What a session takes from a wallet: its bill once, and a correction for each change of it later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import ledger as rows
from onprem_csms.db.money import wallets as wallet_rows
from onprem_csms.domain.money.vat import NOT_TAXED, Split, Taxed, split
from onprem_csms.errors import NotFound
from onprem_csms.services.money import holds, ledger
from onprem_csms.services.money.ledger import LedgerEntry, NewEntry


@dataclass(frozen=True, slots=True)
class Charge:
    """The bill of a session for its wallet, minor units; ``hold_id`` is what was set aside for it."""

    session_id: int
    wallet_id: int
    currency: str
    gross: int
    vat: int
    hold_id: int | None = None
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Correction:
    """By how much a session's bill changed (below zero: money goes back), why, and who decided it."""

    session_id: int
    wallet_id: int
    currency: str
    gross: int
    vat: int
    reason: str
    document: Mapping[str, Any] = field(default_factory=dict)


def charge(tx: Tx, bill: Charge) -> None:
    """Book the bill of a session, once, and end its hold; nothing is booked when nothing is owed."""
    if bill.gross == 0:
        if bill.hold_id is not None:
            holds.capture(tx, bill.hold_id, 0)
        return
    ended = None if bill.hold_id is None else holds.end(tx, bill.hold_id, "capture", bill.gross)
    parts = split(_taxed(tx, bill.wallet_id), bill.gross, bill.vat)
    new = NewEntry(
        kind="charge",
        currency=bill.currency,
        site=_site(bill.gross, parts),
        wallet_id=bill.wallet_id,
        amount=-bill.gross,
        taxed=Taxed(-parts.used.gross, -parts.used.vat),
        released=0 if ended is None else ended.amount,
        session_id=bill.session_id,
        part=0,
        document=bill.document,
    )
    ledger.append(tx, new)
    holds.fit(tx, bill.wallet_id)


def correct(tx: Tx, change: Correction) -> LedgerEntry | None:
    """Book the change of a session's bill, VAT and revenue too; as many as needed. None when nothing changed."""
    if change.gross == 0 and change.vat == 0:
        return None
    before = rows.of_session(tx, change.session_id)
    taxed = _taxed(tx, change.wallet_id) if change.gross > 0 else _used(tx, change.session_id)
    parts = split(taxed, change.gross, change.vat)
    new = NewEntry(
        kind="correction",
        currency=change.currency,
        site=_site(change.gross, parts),
        wallet_id=change.wallet_id,
        amount=-change.gross,
        taxed=Taxed(-parts.used.gross, -parts.used.vat),
        session_id=change.session_id,
        part=max((entry.part or 0 for entry in before), default=0) + 1,
        document={**change.document, "reason": change.reason, "gross": change.gross, "vat": change.vat},
    )
    entry = ledger.book(tx, new)
    holds.fit(tx, change.wallet_id)
    return entry


def _site(gross: int, parts: Split) -> dict[str, int]:
    return {
        "revenue": gross - parts.vat - parts.used.vat,
        "vat": parts.vat,
        "prepaid_vat": parts.used.vat,
    }


def _taxed(tx: Tx, wallet_id: int) -> Taxed:
    wallet = wallet_rows.get(tx, wallet_id)
    if wallet is None:
        raise NotFound("There is no wallet {id}.", id=wallet_id)
    return Taxed(wallet.taxed, wallet.taxed_vat)


def _used(tx: Tx, session_id: int) -> Taxed:
    """Return the taxed part that a session has used up so far."""
    used = NOT_TAXED
    for row in rows.of_session(tx, session_id):
        vat = sum(line.amount for line in ledger.entry_of(row).postings if line.account == "prepaid_vat")
        used = Taxed(used.gross - row.taxed, used.vat + vat)
    return used
