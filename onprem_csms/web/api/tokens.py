"""``/tokens``: the cards."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from onprem_csms.domain.secrets import choose_pin
from onprem_csms.services.cards import cards
from onprem_csms.services.core.hashing import in_thread
from onprem_csms.web.api.fields import Currency, Given, Id, Moment, Page, Paged, Text, Words, given, page
from onprem_csms.web.api.route import Call, Created, place

TokenType = Annotated[
    Literal["personal", "prepaid"],
    Meta(description="personal: nothing is charged; prepaid: pays from its wallet."),
]
Status = Literal["active", "blocked", "lost"]
Number = Annotated[
    str, Meta(min_length=1, max_length=36, description="The card's number as chargers send it.")
]
Group = Annotated[str, Meta(max_length=20, description="Members may stop each other's sessions.")]
Pin = Annotated[str, Meta(pattern="^[0-9]{4,8}$", description="4 to 8 digits; never shown again.")]


class Token(Struct, frozen=True, kw_only=True):
    """A card; ``card_id`` is its identity. ``wallet`` and the money fields are null where it pays nothing."""

    token: str
    card_id: int
    type: TokenType
    status: Status
    status_reason: str
    expires_at: datetime | None
    group: str | None
    label: str
    person: int | None
    person_name: str | None
    wallet: int | None
    currency: str | None
    balance: int | None
    available: int | None
    has_pin: bool
    created_at: datetime


class NewToken(Given, frozen=True, kw_only=True):
    """A card to issue; a prepaid one without ``wallet`` gets an empty wallet in ``currency`` or the site's."""

    token: Number
    type: TokenType = "personal"
    status: Status = "active"
    expires_at: Moment | None = None
    group: Group | None = None
    label: Text = ""
    person: Id | None = None
    wallet: Id | None = None
    currency: Currency | None = None
    pin: Pin | None = None


class TokenChange(Given, frozen=True, kw_only=True):
    """What changes of a card; ``status_reason`` says why it is blocked or lost."""

    type: TokenType | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    status_reason: Text | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    group: Group | UnsetType | None = UNSET
    label: Text | UnsetType = UNSET
    person: Id | UnsetType | None = UNSET
    wallet: Id | UnsetType | None = UNSET
    pin: Pin | UnsetType | None = UNSET


class TokensQuery(Paged, frozen=True, kw_only=True):
    """Which cards: ``text`` are words of number, label, group or holder."""

    text: Words = ""
    type: TokenType | None = None
    status: Status | None = None
    person: Id | None = None
    wallet: Id | None = None


async def find(call: Call[None, TokensQuery]) -> Page[Token]:
    """List cards."""
    query = call.query
    wanted = cards.CardFilter(
        text=query.text,
        kind=query.type,
        status=query.status,
        person_id=query.person,
        wallet_id=query.wallet,
        after=query.cursor,
        limit=query.limit + 1,
    )
    return page(await call.read(cards.find, wanted), query.limit, show, lambda card: card.uid)


async def get(call: Call[None, None]) -> Token:
    """Show one card."""
    return show(await call.read(cards.get, call.places["token"]))


async def create(call: Call[NewToken, None]) -> Created[Token]:
    """Issue a card."""
    fields = await _named(given(call.body))
    card = await call.write(cards.create, cards.NewCard(**fields))
    return Created(show(card), place("tokens", card.uid))


async def change(call: Call[TokenChange, None]) -> Token:
    """Change some fields of a card."""
    fields = await _named(given(call.body))
    return show(await call.write(cards.change, call.places["token"], fields))


async def remove(call: Call[None, None]) -> None:
    """Archive a card; it charges no more."""
    await call.write(cards.archive, call.places["token"])


async def _named(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields by the names of the service; a PIN becomes its hash."""
    names = {"token": "uid", "type": "kind", "person": "person_id", "wallet": "wallet_id"}
    if "pin" in fields:
        pin = fields.pop("pin")
        fields["pin_hash"] = None if pin is None else await in_thread("driver", choose_pin, pin)
    return {names.get(name, name): value for name, value in fields.items()}


def show(card: cards.Card) -> Token:
    """Show a card as JSON."""
    wallet = card.wallet
    return Token(
        token=card.uid,
        card_id=card.id,
        type=card.kind,
        status=card.status,
        status_reason=card.status_reason,
        expires_at=card.expires_at,
        group=card.group,
        label=card.label,
        person=card.person_id,
        person_name=card.person_name,
        wallet=None if wallet is None else wallet.id,
        currency=None if wallet is None else wallet.currency,
        balance=None if wallet is None else wallet.balance,
        available=None if wallet is None else wallet.available,
        has_pin=card.has_pin,
        created_at=card.created_at,
    )
