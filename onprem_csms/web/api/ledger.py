"""``/ledger``: every movement of money, to be read only."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from onprem_csms.services.money import ledger
from onprem_csms.web.api.fields import Id, Page, Paged, before, page
from onprem_csms.web.api.route import Call

Kind = Annotated[str, Meta(max_length=40, description="topup, charge, correction, refund or adjustment.")]


class Posting(Struct, frozen=True, kw_only=True):
    """One line of an entry, in minor units, credit positive; ``wallet`` for the account of a wallet."""

    account: Annotated[str, Meta(description="wallet, cash, bank, revenue, vat, prepaid_vat or adjustment.")]
    wallet: int | None
    amount: int


class Entry(Struct, frozen=True, kw_only=True):
    """A movement of money: its postings add up to zero. ``hash`` covers it and the entry before it."""

    id: int
    at: datetime
    kind: Kind
    currency: str
    session: int | None
    operator: str
    idempotency_key: str
    document: dict[str, Any]
    hash: str
    postings: list[Posting]
    balance_after: Annotated[int, Meta(description="The balance of the wallet after it.")]


class LedgerQuery(Paged, frozen=True, kw_only=True):
    """Which entries."""

    kind: Kind | None = None
    wallet: Id | None = None
    session: Id | None = None


async def find(call: Call[None, LedgerQuery]) -> Page[Entry]:
    """List entries, newest first."""
    query = call.query
    wanted = ledger.EntryFilter(query.kind, query.wallet, query.session, before(query), query.limit + 1)
    return page(await call.read(ledger.entries, wanted), query.limit, show, lambda entry: entry.id)


async def get(call: Call[None, None]) -> Entry:
    """Show one entry."""
    return show(await call.read(ledger.entry, call.number()))


def show(entry: ledger.LedgerEntry) -> Entry:
    """Show an entry as JSON."""
    return Entry(
        id=entry.id,
        at=entry.at,
        kind=entry.kind,
        currency=entry.currency,
        session=entry.session_id,
        operator=entry.operator,
        idempotency_key=entry.idempotency_key,
        document=entry.document,
        hash=entry.hash,
        balance_after=entry.balance_after,
        postings=[
            Posting(account=line.account, wallet=line.wallet_id, amount=line.amount)
            for line in entry.postings
        ],
    )
