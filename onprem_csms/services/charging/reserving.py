"""Asking a charger to keep a connector for a card, and to give it free again. The charger's answer decides.

What it accepts is put on record by the connection to the charger (``reservations.made``), whichever way it was asked.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from onprem_csms.db.charging import reservations as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.commands import CancelReservation, Reserve
from onprem_csms.domain.chargers.places import Place
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.services.cards import cards
from onprem_csms.services.chargers import inventory
from onprem_csms.services.chargers.asking import insist
from onprem_csms.services.charging import reservations
from onprem_csms.services.charging.reservations import Reservation
from onprem_csms.services.core.context import Context

# OCPP 1.6 and 2.0.1 carry a signed number of 32 bits.
HIGHEST_NUMBER = 2**31 - 1
# Numbers that were given out and are not on record yet.
_asked: set[int] = set()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be kept: EVSE and connector 0 is any of the charger's."""

    charger_id: str
    place: Place
    uid: str
    until: datetime


async def reserve(ctx: Context, wish: Wish, *, origin: str) -> Reservation:
    """Reserve a connector; NotFound, Invalid with its path, Conflict when the charger refuses or is offline.

    PeerError when it does not answer: then it may have done it all the same.
    """
    number, group = await ctx.read(_prepare, wish)
    while number in _asked:
        number += 1
    _asked.add(number)
    try:
        command = Reserve(number, wish.place, wish.uid, wish.until, group)
        await insist(ctx, wish.charger_id, command, origin)
    finally:
        _asked.discard(number)
    return await ctx.read(reservations.get, wish.charger_id, number)


async def cancel(ctx: Context, charger_id: str, number: int, *, origin: str) -> Reservation:
    """Give a reserved connector free; errors as ``reserve``, Conflict when the reservation is over already."""
    found = await ctx.read(reservations.get, charger_id, number)
    if found.status != "active":
        raise Conflict("This reservation is over already.")
    await insist(ctx, charger_id, CancelReservation(number), origin)
    return await ctx.read(reservations.get, charger_id, number)


def by_number(tx: Tx, number: int, charger_id: str | None = None) -> Reservation:
    """Return the reservation of a number; NotFound, Conflict where several chargers have one and none is named."""
    if charger_id is not None:
        return reservations.get(tx, charger_id, number)
    found = rows.of_number(tx, number)
    if not found:
        raise NotFound("There is no reservation {id}.", id=number)
    if len(found) > 1:
        raise Conflict(
            "Several chargers have a reservation {id}; name the charger.", path="charger", id=number
        )
    return reservations.get(tx, found[0].charger_id, number)


def _prepare(tx: Tx, wish: Wish) -> tuple[int, str | None]:
    inventory.get(tx, wish.charger_id)
    if wish.until <= tx.now:
        raise Invalid("The reservation would be over already.", path="expires_at")
    try:
        group = cards.get(tx, wish.uid).group
    except NotFound as error:
        raise Invalid("There is no such card.", path="uid") from error
    highest = rows.highest_anywhere(tx)
    # Somebody may have used the last number; then any that was not used will do.
    number = highest + 1 if highest < HIGHEST_NUMBER - 1000 else 1 + secrets.randbelow(HIGHEST_NUMBER - 1000)
    return number, group
