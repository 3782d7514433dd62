"""The PIN of a card: what lets its holder in on the phone."""

from typing import NamedTuple

from onprem_csms.db.cards import cards as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.access.actor import Actor
from onprem_csms.domain.access.tries import Trying
from onprem_csms.domain.cards.numbers import canonical_uid
from onprem_csms.domain.secrets import choose_pin, verify_pin
from onprem_csms.errors import Invalid, NotFound, Unauthenticated
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import Card
from onprem_csms.services.core import audit, devices, logins, tries
from onprem_csms.services.core.context import Context
from onprem_csms.services.core.hashing import in_thread
from onprem_csms.services.core.logins import Owner, SignedIn

# Hash of no PIN at all: an unknown card costs the same time as a wrong PIN.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=1$d9fYKhh2XEiTKvPcf2Ygcw$" + "A" * 43


def set_pin(tx: Tx, uid: str, pin_hash: str | None) -> Card:
    """Set a PIN by its hash (``domain.secrets.hash_pin``), or take it away with None; NotFound."""
    return cards.change(tx, uid, {"pin_hash": pin_hash})


async def sign_in(ctx: Context, uid: str, pin: str, device: str = "") -> SignedIn:
    """Return the secrets of a new sign-in for the phone of a card's holder; errors as ``check_pin``."""
    try:
        card = await check_pin(ctx, uid, pin, device)
    except Unauthenticated:
        await ctx.write(audit.note, "driver.sign-in-refused", uid)
        raise
    actor = Actor("driver", card.uid, str(card.id), channel=ctx.actor.channel, address=ctx.actor.address)
    return await ctx.acting(actor).write(_begin_sign_in, card.id, device)


def _begin_sign_in(tx: Tx, card_id: int, device: str) -> SignedIn:
    audit.note(tx, "driver.sign-in", cards.by_id(tx, card_id).uid)
    secret = logins.begin(tx, Owner("driver", card_id=card_id))
    return SignedIn(secret, devices.remember(tx, _owner(card_id), device))


async def check_pin(ctx: Context, uid: str, pin: str, device: str = "") -> Card:
    """Return the card whose number and PIN these are; ``device`` is the cookie of a phone that was signed in.

    Unauthenticated in the same words whatever is wrong; Forbidden after too many wrong tries.
    """
    try:
        number = canonical_uid(uid)
    except Invalid:
        number = uid.strip()
    known = await ctx.read(_known, number, device)
    return await _check(ctx, known, pin)


async def change_own(ctx: Context, card_id: int, old: str, new: str) -> str:
    """Replace the PIN of a holder who knows it; returns the secret of a new sign-in, all others end.

    Errors as ``check_pin``; Invalid when the new one is no PIN, or one that guessers try first.
    """
    # Whoever is signed in is counted by the sign-in, so that nobody elsewhere can keep them from a new PIN.
    known = await ctx.read(_known_by_id, card_id)
    pin_hash = await in_thread("driver", choose_pin, new)
    await _check(ctx, known, old)
    return await ctx.write(_change_own, card_id, pin_hash)


class _Known(NamedTuple):
    """What is known of the card that somebody names (0: no such card), and which browser asks."""

    card_id: int
    number: str
    pin_hash: str | None
    device: str


def _known(tx: Tx, number: str, device: str) -> _Known:
    try:
        card = cards.get(tx, number)
    except (Invalid, NotFound):
        return _Known(0, number, None, "")
    record = rows.by_id(tx, card.id)
    if record is None or record.archived_at is not None:
        return _Known(0, number, None, "")
    return _Known(card.id, card.uid, record.pin_hash, devices.recognise(tx, _owner(card.id), device))


def _known_by_id(tx: Tx, card_id: int) -> _Known:
    record = rows.by_id(tx, card_id)
    if record is None or record.archived_at is not None:
        return _Known(0, "", None, "")
    return _Known(card_id, record.uid, record.pin_hash, f"sign-in {card_id}")


def _owner(card_id: int) -> str:
    return f"card:{card_id}"


async def _check(ctx: Context, known: _Known, pin: str) -> Card:
    trying = Trying("driver", known.number, ctx.actor.address, known.device)
    await ctx.read(tries.check, trying)
    await ctx.write(tries.begin, trying)
    right = await in_thread("driver", verify_pin, known.pin_hash or _NOBODY, pin)
    if not right or known.pin_hash is None:
        raise Unauthenticated("The card number or the PIN is wrong.")
    return await ctx.write(_end, known, trying)


def _end(tx: Tx, known: _Known, trying: Trying) -> Card:
    record = rows.by_id(tx, known.card_id)
    if record is None or record.archived_at is not None or record.pin_hash != known.pin_hash:
        # Replaced, or given another PIN, while the hash was computed.
        raise Unauthenticated("The card number or the PIN is wrong.")
    tries.right(tx, trying)
    return cards.by_id(tx, known.card_id)


def _change_own(tx: Tx, card_id: int, pin_hash: str) -> str:
    set_pin(tx, cards.by_id(tx, card_id).uid, pin_hash)
    return logins.begin(tx, Owner("driver", card_id=card_id))
