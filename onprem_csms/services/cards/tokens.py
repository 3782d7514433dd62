"""Cards: who carries them, what they pay from, whether they may charge."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from onprem_csms.clock import from_text, maybe_from_text, maybe_text
from onprem_csms.db.cards import tokens
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.cards.numbers import canonical_uid
from onprem_csms.domain.secrets import verify_pin
from onprem_csms.errors import Conflict, Invalid, NotFound, Unauthenticated
from onprem_csms.events import Event
from onprem_csms.services.cards import people, pin_attempts
from onprem_csms.services.core import search
from onprem_csms.services.core.context import Context
from onprem_csms.services.core.hashing import in_thread
from onprem_csms.services.money import wallets
from onprem_csms.services.money.wallets import Wallet

CardType = Literal["personal", "prepaid"]
CardStatus = Literal["active", "blocked", "lost"]

LONGEST_TEXT = 200
# OCPP 1.6 IdToken, 2.0.1 IdTokenType: what a group's name may be on the wire.
LONGEST_GROUP = 20
# Hash of no PIN at all: an unknown card costs the same time as a wrong PIN.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=1$d9fYKhh2XEiTKvPcf2Ygcw$" + "A" * 43


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to issue; ``group`` is whose members may stop each other's sessions.

    A prepaid one without ``wallet_id`` gets an empty wallet in ``currency`` (else the site's). ``pin_hash``
    is what ``hash_pin`` made.
    """

    uid: str
    type: CardType
    status: CardStatus = "active"
    expires_at: datetime | None = None
    group: str | None = None
    label: str = ""
    person_id: int | None = None
    wallet_id: int | None = None
    currency: str | None = None
    pin_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A card that was issued; ``wallet`` is what a prepaid one pays from."""

    uid: str
    type: CardType
    status: CardStatus
    status_reason: str
    expires_at: datetime | None
    group: str | None
    label: str
    person_id: int | None
    person_name: str | None
    wallet: Wallet | None
    has_pin: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Which cards: every word of ``text`` is in number, label, group or holder; ``after``: the last seen."""

    text: str = ""
    type: CardType | None = None
    status: CardStatus | None = None
    person_id: int | None = None
    wallet_id: int | None = None
    after: str = ""
    limit: int = 50


def create(tx: Tx, card: NewCard) -> Card:
    """Issue a card; Invalid with its path, Conflict when its number is issued already."""
    uid = canonical_uid(card.uid)
    if tokens.by_uid(tx, uid) is not None:
        raise Conflict("This card is already issued.", path="uid")
    values = _checked(tx, replace(card, uid=uid))
    tokens.insert(tx, values)
    return _changed(tx, uid)


def get(tx: Tx, uid: str) -> Card:
    """Return a card by its number; NotFound."""
    return _card(tx, _row(tx, uid))


def find(tx: Tx, wanted: CardFilter) -> list[Card]:
    """Return cards in the order of their numbers."""
    text = wanted.text.strip()
    criteria = {
        "after": wanted.after,
        "type": wanted.type,
        "status": wanted.status,
        "person_id": wanted.person_id,
        "wallet_id": wanted.wallet_id,
        "limit": -1 if text else wanted.limit,
    }
    rows = tokens.page(tx, criteria)
    hits = (row for row in rows if not text or _mentions(row, text))
    return [_card(tx, row) for row in islice(hits, wanted.limit)]


def change(tx: Tx, uid: str, changes: Mapping[str, Any]) -> Card:
    """Change fields of ``NewCard`` (not the number) and ``status_reason``; NotFound, Invalid with its path.

    A card that becomes prepaid gets a wallet unless one is given. The reason of a state goes with it.
    """
    row = _row(tx, uid)
    fields = dict(changes)
    reason = fields.pop("status_reason", None)
    changed = replace(_new_card(row), **fields)
    if changed.wallet_id is None and changed.type == row["type"] == "prepaid":
        raise Invalid("A prepaid card needs a wallet.", path="wallet_id")
    if reason is None:
        reason = row["status_reason"] if changed.status == row["status"] else ""
    values = _checked(tx, changed)
    tokens.update(tx, row["uid"], {**values, "status_reason": reason.strip()[:LONGEST_TEXT]})
    return _changed(tx, row["uid"])


def block(tx: Tx, uid: str, reason: str, status: Literal["blocked", "lost"] = "blocked") -> Card:
    """Let a card charge no more, and say why; its balance stays. NotFound."""
    return _set_status(tx, uid, status, reason.strip())


def unblock(tx: Tx, uid: str) -> Card:
    """Let a card charge again; NotFound."""
    return _set_status(tx, uid, "active", "")


def archive(tx: Tx, uid: str) -> None:
    """Archive a card for good; its wallet and its sessions stay. NotFound."""
    row = _row(tx, uid)
    tokens.archive(tx, row["uid"])
    tx.emit(Event("token", row["uid"]))


def set_pin(tx: Tx, uid: str, pin_hash: str | None) -> Card:
    """Set a PIN by its hash (``domain.secrets.hash_pin``), or take it away with None; NotFound."""
    card = change(tx, uid, {"pin_hash": pin_hash})
    pin_attempts.succeed(tx, card.uid)
    return card


async def check_pin(ctx: Context, uid: str, pin: str) -> Card:
    """Return the card whose number and PIN these are.

    Unauthenticated in the same words whatever is wrong; Forbidden after too many wrong PINs.
    """
    try:
        number = canonical_uid(uid)
        hashed = await ctx.write(_begin_pin_check, number)
    except (Invalid, NotFound):
        number, hashed = "", None
    right = await in_thread(verify_pin, hashed or _NOBODY, pin)
    if not right or hashed is None:
        raise Unauthenticated("The card number or the PIN is wrong.")
    return await ctx.write(_end_pin_check, number)


def _begin_pin_check(tx: Tx, uid: str) -> str | None:
    row = _row(tx, uid)
    pin_attempts.begin(tx, row["uid"])
    hashed: str | None = row["pin_hash"]
    return hashed


def _end_pin_check(tx: Tx, uid: str) -> Card:
    pin_attempts.succeed(tx, uid)
    return get(tx, uid)


def _set_status(tx: Tx, uid: str, status: CardStatus, reason: str) -> Card:
    row = _row(tx, uid)
    tokens.set_status(tx, row["uid"], status, reason[:LONGEST_TEXT])
    return _changed(tx, row["uid"])


def _row(tx: Tx, uid: str) -> Row:
    row = tokens.by_uid(tx, uid) or tokens.by_uid(tx, uid.strip().upper())
    if row is None:
        raise NotFound("There is no card {uid}.", uid=uid)
    return row


def _changed(tx: Tx, uid: str) -> Card:
    tx.emit(Event("token", uid))
    return get(tx, uid)


def _checked(tx: Tx, card: NewCard) -> dict[str, Any]:
    """The columns of a card that may be stored so; makes the wallet that a prepaid one lacks."""
    faults = [(fault.path, fault.message) for fault in _faults(tx, card)]
    if faults:
        raise Invalid("The card's data has faults.", faults=faults)
    if card.type == "prepaid" and card.wallet_id is None:
        currency = card.currency or tx.settings.currency
        card = replace(card, wallet_id=wallets.create(tx, currency, card.label.strip(), card.person_id))
    return _values(card)


def _faults(tx: Tx, card: NewCard) -> Iterator[Invalid]:
    if len((card.group or "").strip()) > LONGEST_GROUP:
        yield Invalid("A group's name has 20 characters at most.", path="group")
    if len(card.label.strip()) > LONGEST_TEXT:
        yield Invalid("This text is too long.", path="label")
    if card.person_id is not None and not _exists(people.get, tx, card.person_id):
        yield Invalid("There is no such person.", path="person_id")
    if card.wallet_id is not None and not _exists(wallets.get, tx, card.wallet_id):
        yield Invalid("There is no such wallet.", path="wallet_id")


def _exists(get_one: Callable[[Tx, int], object], tx: Tx, number: int) -> bool:
    try:
        get_one(tx, number)
    except NotFound:
        return False
    return True


def _values(card: NewCard) -> dict[str, Any]:
    return {
        "uid": card.uid,
        "type": card.type,
        "status": card.status,
        "expires_at": maybe_text(card.expires_at),
        "group_name": (card.group or "").strip() or None,
        "label": card.label.strip(),
        "person_id": card.person_id,
        "wallet_id": card.wallet_id,
        "pin_hash": card.pin_hash,
    }


def _new_card(row: Row) -> NewCard:
    return NewCard(
        uid=row["uid"],
        type=row["type"],
        status=row["status"],
        expires_at=maybe_from_text(row["expires_at"]),
        group=row["group_name"],
        label=row["label"],
        person_id=row["person_id"],
        wallet_id=row["wallet_id"],
        pin_hash=row["pin_hash"],
    )


def _card(tx: Tx, row: Row) -> Card:
    return Card(
        uid=row["uid"],
        type=row["type"],
        status=row["status"],
        status_reason=row["status_reason"],
        expires_at=maybe_from_text(row["expires_at"]),
        group=row["group_name"],
        label=row["label"],
        person_id=row["person_id"],
        person_name=row["person_name"],
        wallet=None if row["wallet_id"] is None else wallets.get(tx, row["wallet_id"]),
        has_pin=row["pin_hash"] is not None,
        created_at=from_text(row["created_at"]),
    )


def _mentions(row: Row, text: str) -> bool:
    return search.matches(text, row["uid"], row["label"], row["group_name"], row["person_name"])
