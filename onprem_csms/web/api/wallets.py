"""``/wallets`` and ``/topups``: prepaid money and how it comes in."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from onprem_csms.errors import Invalid, NotFound
from onprem_csms.services.cards import balances
from onprem_csms.services.money import ledger, wallets
from onprem_csms.web.api.fields import Currency, Given, Id, Page, Paged, Text, after, before, page, shown
from onprem_csms.web.api.route import Call, Created, place

IdempotencyKey = Annotated[str, Meta(min_length=1, max_length=200)]


class Wallet(Struct, frozen=True, kw_only=True):
    """Prepaid money in minor units; ``available`` is the balance less what is held for sessions."""

    id: int
    currency: Currency
    name: str
    person: int | None
    balance: int
    held: int
    available: int
    created_at: datetime


class NewWallet(Given, frozen=True, kw_only=True):
    """A wallet to make; without ``currency`` in the site's."""

    currency: Currency | None = None
    name: Annotated[str, Meta(max_length=200)] = ""
    person: Id | None = None


class Movement(Struct, frozen=True, kw_only=True):
    """One change of a wallet's balance, in minor units."""

    entry_id: int
    at: datetime
    kind: str
    amount: int
    balance_after: int
    session_id: int | None
    operator: str
    note: str


class TopUp(Struct, frozen=True, kw_only=True):
    """Money that came in. ``repeated``: this very request had been booked before."""

    id: int
    at: datetime
    wallet: int
    amount: int
    currency: Currency
    method: str
    note: str
    idempotency_key: str
    operator: str
    repeated: bool = False


class NewTopUp(Given, frozen=True, kw_only=True):
    """Money to book, onto a ``wallet`` or onto that of a ``token``.

    The idempotency key stands here or in the header ``Idempotency-Key``.
    """

    amount: Annotated[
        int,
        Meta(
            ge=1, le=100_000_000, description="Minor units of the currency, such as cents or whole forints."
        ),
    ]
    wallet: Id | None = None
    token: Annotated[str, Meta(max_length=36)] | None = None
    currency: Currency | None = None
    method: Literal["cash", "bank"] = "cash"
    note: Text = ""
    idempotency_key: IdempotencyKey | None = None


class WalletsQuery(Paged, frozen=True, kw_only=True):
    """Which wallets."""

    person: Id | None = None


class TopUpsQuery(Paged, frozen=True, kw_only=True):
    """Which top-ups."""

    wallet: Id | None = None


async def find(call: Call[None, WalletsQuery]) -> Page[Wallet]:
    """List wallets."""
    query = call.query
    wanted = wallets.WalletFilter(query.person, after(query), query.limit + 1)
    return page(await call.read(wallets.find, wanted), query.limit, show, lambda wallet: wallet.id)


async def get(call: Call[None, None]) -> Wallet:
    """Show one wallet."""
    return show(await call.read(wallets.get, call.number()))


async def create(call: Call[NewWallet, None]) -> Created[Wallet]:
    """Make an empty wallet."""
    new = call.body
    wallet = await call.write(balances.open_wallet, new.currency, new.name, new.person)
    return Created(show(wallet), place("wallets", wallet.id))


async def movements(call: Call[None, Paged]) -> Page[Movement]:
    """List a wallet's movements, newest first."""
    query = call.query
    found = await call.read(wallets.movements, call.number(), before(query), query.limit + 1)
    return page(found, query.limit, lambda one: shown(one, Movement), lambda one: one.entry_id)


async def top_up(call: Call[NewTopUp, None]) -> Created[TopUp]:
    """Book money once: the same key again answers with what it booked."""
    new = call.body
    payment = balances.Payment(
        amount=new.amount,
        idempotency_key=f"api:{_key(call)}",
        wallet_id=new.wallet,
        uid=new.token,
        currency=new.currency,
        method=new.method,
        note=new.note,
    )
    entry, repeated = await call.write(balances.pay_in, payment)
    shown_entry = show_top_up(entry, repeated=repeated)
    return Created(shown_entry, place("topups", entry.id))


async def find_top_ups(call: Call[None, TopUpsQuery]) -> Page[TopUp]:
    """List top-ups, newest first."""
    query = call.query
    wanted = ledger.EntryFilter("topup", query.wallet, None, before(query), query.limit + 1)
    return page(await call.read(ledger.entries, wanted), query.limit, show_top_up, lambda entry: entry.id)


async def get_top_up(call: Call[None, None]) -> TopUp:
    """Show one top-up."""
    entry = await call.read(ledger.entry, call.number())
    if entry.kind != "topup":
        raise NotFound("There is no top-up {id}.", id=entry.id)
    return show_top_up(entry)


def _key(call: Call[NewTopUp, None]) -> str:
    header, field = call.headers.get("Idempotency-Key"), call.body.idempotency_key
    if header and field and header != field:
        raise Invalid("The idempotency keys of header and body differ.", path="idempotency_key")
    key = field or header
    if not key or len(key) > 200:
        raise Invalid("A top-up needs an idempotency key of 1 to 200 characters.", path="idempotency_key")
    return key


def show(wallet: wallets.Wallet) -> Wallet:
    """Show a wallet as JSON."""
    return Wallet(
        id=wallet.id,
        currency=wallet.currency,
        name=wallet.name,
        person=wallet.person_id,
        balance=wallet.balance,
        held=wallet.held,
        available=wallet.available,
        created_at=wallet.created_at,
    )


def show_top_up(entry: ledger.LedgerEntry, *, repeated: bool = False) -> TopUp:
    """Show the ledger entry of a top-up as JSON."""
    document: dict[str, Any] = entry.document
    return TopUp(
        id=entry.id,
        at=entry.at,
        wallet=entry.wallet_id or 0,
        amount=entry.amount,
        currency=entry.currency,
        method=document.get("method", ""),
        note=document.get("note", ""),
        idempotency_key=entry.idempotency_key.removeprefix("topup:").removeprefix("api:"),
        operator=entry.operator,
        repeated=repeated,
    )
