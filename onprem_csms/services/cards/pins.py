"""The PIN of a card: what lets its holder in on the phone."""

from onprem_csms.db.cards import cards as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.access.actor import Actor
from onprem_csms.domain.cards.numbers import canonical_uid
from onprem_csms.domain.secrets import hash_pin, verify_pin
from onprem_csms.errors import Invalid, NotFound, Unauthenticated
from onprem_csms.services.cards import cards, pin_attempts
from onprem_csms.services.cards.cards import Card
from onprem_csms.services.core import audit, logins
from onprem_csms.services.core.context import Context
from onprem_csms.services.core.hashing import in_thread
from onprem_csms.services.core.logins import Owner

# Hash of no PIN at all: an unknown card costs the same time as a wrong PIN.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=1$d9fYKhh2XEiTKvPcf2Ygcw$" + "A" * 43


def set_pin(tx: Tx, uid: str, pin_hash: str | None) -> Card:
    """Set a PIN by its hash (``domain.secrets.hash_pin``), or take it away with None; NotFound."""
    return cards.change(tx, uid, {"pin_hash": pin_hash})


async def sign_in(ctx: Context, uid: str, pin: str) -> str:
    """Return the secret of a new sign-in for the phone of a card's holder; errors as ``check_pin``."""
    try:
        card = await check_pin(ctx, uid, pin)
    except Unauthenticated:
        await ctx.write(audit.note, "driver.sign-in-refused", uid)
        raise
    actor = Actor("driver", card.uid, str(card.id), channel=ctx.actor.channel, address=ctx.actor.address)
    return await ctx.acting(actor).write(_begin_sign_in, card.id)


def _begin_sign_in(tx: Tx, card_id: int) -> str:
    audit.note(tx, "driver.sign-in", cards.by_id(tx, card_id).uid)
    return logins.begin(tx, Owner("driver", card_id=card_id))


async def check_pin(ctx: Context, uid: str, pin: str) -> Card:
    """Return the card whose number and PIN these are.

    Unauthenticated in the same words whatever is wrong; Forbidden after too many wrong PINs.
    """
    try:
        card_id, hashed = await ctx.write(_begin_of_number, canonical_uid(uid))
    except (Invalid, NotFound):
        card_id, hashed = 0, None
    return await _check(ctx, card_id, hashed, pin)


async def change_own(ctx: Context, card_id: int, old: str, new: str) -> str:
    """Replace the PIN of a holder who knows it; returns the secret of a new sign-in, all others end.

    Errors as ``check_pin``; Invalid when the new one is no PIN.
    """
    pin_hash = await in_thread(hash_pin, new)
    try:
        hashed = await ctx.write(_begin, card_id)
    except NotFound:
        hashed = None
    await _check(ctx, card_id, hashed, old)
    return await ctx.write(_change_own, card_id, pin_hash)


async def _check(ctx: Context, card_id: int, hashed: str | None, pin: str) -> Card:
    right = await in_thread(verify_pin, hashed or _NOBODY, pin)
    if not right or hashed is None:
        raise Unauthenticated("The card number or the PIN is wrong.")
    return await ctx.write(_end, card_id, hashed)


def _begin_of_number(tx: Tx, uid: str) -> tuple[int, str | None]:
    card = cards.get(tx, uid)
    return card.id, _begin(tx, card.id)


def _begin(tx: Tx, card_id: int) -> str | None:
    record = rows.by_id(tx, card_id)
    if record is None or record.archived_at is not None:
        raise NotFound("There is no card {id}.", id=card_id)
    pin_attempts.begin(tx, card_id)
    return record.pin_hash


def _end(tx: Tx, card_id: int, hashed: str) -> Card:
    record = rows.by_id(tx, card_id)
    if record is None or record.archived_at is not None or record.pin_hash != hashed:
        # Replaced, or given another PIN, while the hash was computed.
        raise Unauthenticated("The card number or the PIN is wrong.")
    pin_attempts.succeed(tx, card_id)
    return cards.by_id(tx, card_id)


def _change_own(tx: Tx, card_id: int, pin_hash: str) -> str:
    set_pin(tx, cards.by_id(tx, card_id).uid, pin_hash)
    return logins.begin(tx, Owner("driver", card_id=card_id))
