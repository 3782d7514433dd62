"""Counts the ledger again from its first entry: one sentence for each fault, naming the row.

Memory is bounded by the number of wallets, not by the number of entries.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import currencies as currency_rows
from onprem_csms.db.money import holds as hold_rows
from onprem_csms.db.money import ledger as rows
from onprem_csms.db.money import wallets as wallet_rows
from onprem_csms.db.money.ledger import EntryRow
from onprem_csms.db.money.wallets import WalletRow
from onprem_csms.domain.money.currencies import CURRENCIES
from onprem_csms.domain.money.money import round_half_up
from onprem_csms.domain.money.vat import NOT_TAXED, Taxed, included, use


class Booked(NamedTuple):
    """What the ledger says of a session: what its entries took, and VAT and bill as their documents have them."""

    session_id: int
    wallet_id: int | None
    gross: int
    vat: int
    bill: dict[str, Any] | None


@dataclass(slots=True)
class _Counted:
    """A wallet, counted from its entries."""

    balance: int = 0
    taxed: Taxed = NOT_TAXED


@dataclass(slots=True)
class LedgerAudit:
    """Walk ``entries`` first, then ask for ``balances``."""

    number: int = 0
    previous: bytes = rows.GENESIS
    wallets: defaultdict[int, _Counted] = field(default_factory=lambda: defaultdict(_Counted))
    accounts: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def entries(self, tx: Tx) -> Iterator[str]:
        """Go through the chain: order, hashes, sums, balances after, VAT."""
        currencies: dict[int, str] = {}
        last = 0
        for entry in rows.in_order(tx):
            self.number += 1
            name = f"entry {entry.id}"
            if entry.id != last + 1:
                yield f"{name}: entries between {last} and {entry.id} are missing"
            if rows.digest(entry, self.previous) != entry.hash:
                yield f"{name}: it was changed after it was booked, or the chain is broken before it"
            if entry.wallet_id is not None:
                currency = _currency(tx, currencies, entry.wallet_id)
                if currency != entry.currency:
                    yield f"{name}: it is in {entry.currency}, its wallet {entry.wallet_id} in {currency}"
            try:
                yield from [f"{name}: {fault}" for fault in self._count(entry)]
            except (ValueError, TypeError, AttributeError):
                yield f"{name}: its postings or its document can't be read"
            last, self.previous = entry.id, entry.hash

    def _count(self, entry: EntryRow) -> Iterator[str]:
        site: dict[str, int] = json.loads(entry.site)
        if entry.amount + sum(site.values()) != 0:
            yield "its postings do not add up to zero"
        for kind, amount in site.items():
            self.accounts[kind, entry.currency] += amount
        yield from _vat_faults(entry, site)
        if entry.wallet_id is None:
            return
        wallet = self.wallets[entry.wallet_id]
        if wallet.balance + entry.amount != entry.balance_after:
            yield f"the balance after it is {entry.balance_after}, counted it is {wallet.balance + entry.amount}"
        vat = site.get("prepaid_vat", 0)
        if entry.amount < 0 and use(wallet.taxed, -entry.amount) != (-entry.taxed, vat):
            yield "it does not use the part of the balance whose VAT was due at the top-up as it should"
        wallet.balance = entry.balance_after
        wallet.taxed = Taxed(wallet.taxed.gross + entry.taxed, wallet.taxed.vat - vat)

    def balances(self, tx: Tx) -> Iterator[str]:
        """Compare every kept balance with what was counted, and every hold with its purpose."""
        for row in rows.accounts(tx):
            counted = self.accounts.pop((row.kind, row.currency), 0)
            if counted != row.balance:
                yield (
                    f"account {row.kind} {row.currency}: "
                    f"the balance {row.balance} is not the sum of its postings {counted}"
                )
        for (kind, currency), counted in self.accounts.items():
            if counted:
                yield f"account {kind} {currency}: it is missing, its postings add up to {counted}"
        for wallet in wallet_rows.each(tx):
            yield from self._wallet_faults(wallet)
        for wallet_id in self.wallets:
            yield f"wallet {wallet_id}: it is missing, and the ledger has entries of it"
        yield from _hold_faults(tx)
        yield from _currency_faults(tx)

    def _wallet_faults(self, wallet: WalletRow) -> Iterator[str]:
        counted = self.wallets.pop(wallet.id, None) or _Counted()
        if wallet.balance != counted.balance:
            yield (
                f"wallet {wallet.id}: "
                f"the balance {wallet.balance} is not the sum of its postings {counted.balance}"
            )
        if (wallet.taxed, wallet.taxed_vat) != counted.taxed:
            yield f"wallet {wallet.id}: the part whose VAT was due at the top-up is not what its entries give"


def _currency(tx: Tx, known: dict[int, str], wallet_id: int) -> str:
    if wallet_id not in known:
        wallet = wallet_rows.get(tx, wallet_id)
        known[wallet_id] = "" if wallet is None else wallet.currency
    return known[wallet_id]


def _vat_faults(entry: EntryRow, site: dict[str, int]) -> Iterator[str]:
    """Compare the VAT that an entry books with what its document says."""
    document = _document(entry)
    vat, prepaid = site.get("vat", 0), site.get("prepaid_vat", 0)
    if entry.session_id is None:
        if vat + prepaid != 0:
            yield f"VAT {vat} is booked, {-prepaid} of it with the balance"
        if entry.kind == "topup" and vat != included(entry.taxed, Fraction(document.get("vat_percent", "0"))):
            yield f"VAT {vat} is booked, {entry.taxed} were taxed at {document.get('vat_percent', '0')} per cent"
        return
    figures = _figures(entry, document)
    if figures.gross != -entry.amount:
        yield f"{-entry.amount} is booked, its document says {figures.gross}"
    elif vat != _due(figures, abs(entry.taxed)):
        yield f"VAT {vat} is booked, its document says {_due(figures, abs(entry.taxed))}"


def _document(entry: EntryRow) -> dict[str, Any]:
    document = json.loads(entry.document)
    return document if isinstance(document, dict) else {}


def _figures(entry: EntryRow, document: dict[str, Any]) -> Taxed:
    source = document if entry.part else document.get("bill") or {}
    return Taxed(source.get("gross", 0), source.get("vat", 0))


def _due(figures: Taxed, used: int) -> int:
    gross = abs(figures.gross)
    return round_half_up(Fraction(figures.vat * (gross - used), gross)) if gross and used else figures.vat


def _hold_faults(tx: Tx) -> Iterator[str]:
    for row in hold_rows.unequal_sums(tx):
        yield f"wallet {row.wallet_id}: {row.held} is held, its open holds are {row.open}"
    for hold in hold_rows.without_purpose(tx):
        yield f"hold {hold.id}: nothing needs it any more ({hold.purpose})"


def _currency_faults(tx: Tx) -> Iterator[str]:
    for row in currency_rows.find(tx):
        known = CURRENCIES.get(row.code)
        if known is None or known.decimals != row.decimals:
            yield f"currency {row.code}: its amounts have {row.decimals} decimals here"


def by_session(tx: Tx) -> Iterator[Booked]:
    """Return what was booked for each session, in the order of their ids."""
    for session_id, entries in groupby(rows.by_session(tx), key=lambda entry: entry.session_id or 0):
        found = Booked(session_id, None, 0, 0, None)
        for entry in entries:
            document = _document(entry)
            found = Booked(
                session_id,
                entry.wallet_id,
                found.gross - entry.amount,
                found.vat + _figures(entry, document).vat,
                document.get("bill", found.bill),
            )
        yield found
