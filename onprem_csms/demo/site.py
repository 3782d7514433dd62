"""Furnishing the demo's site: tariffs, chargers, people, cards, operators, and a month of history."""

import asyncio
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from onprem_csms.demo import mishaps
from onprem_csms.demo.history import History, Spot, moved
from onprem_csms.demo.scenery import (
    AWAY,
    DESK,
    DESK_PASSWORD,
    EXPIRED_CARD,
    GUEST_CARD,
    GUEST_PIN,
    HOLDERS,
    LOST_CARD,
    OPERATOR,
    OPERATOR_PASSWORD,
    PLACES,
    STAFF_CARD,
    STAFF_PIN,
    TARIFFS,
    UNLUCKY_CARD,
    Holder,
    Place,
)
from onprem_csms.demo.till import top_up
from onprem_csms.domain.chargers import places
from onprem_csms.domain.chargers.chargers import Boot, NewCharger
from onprem_csms.domain.money.tariffs import tariff_from_json
from onprem_csms.domain.secrets import hash_pin
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import NewOperator
from onprem_csms.services.cards import cards, people
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.cards.people import NewPerson
from onprem_csms.services.chargers import inventory
from onprem_csms.services.core.context import Context, Tx
from onprem_csms.services.money import tariffs
from onprem_csms.services.money.wallets import TopUp

DAYS = 30


async def furnish(ctx: Context, *, days: int = DAYS, seed: int = 1) -> None:
    """Make the demo's site in an empty database, with the last ``days`` days of its life.

    The services are those of every day; only the time of their transactions is moved.
    """
    await operators.add(ctx, NewOperator(OPERATOR, OPERATOR_PASSWORD))
    await operators.add(ctx, NewOperator(DESK, DESK_PASSWORD, role="desk"))
    pins = {
        GUEST_CARD: await asyncio.to_thread(hash_pin, GUEST_PIN),
        STAFF_CARD: await asyncio.to_thread(hash_pin, STAFF_PIN),
    }
    present = ctx.clock.now()
    began = (present - timedelta(days=days)).replace(hour=4, minute=0, second=0, microsecond=0)
    await ctx.write(_build, began, pins)
    random = Random(seed)  # noqa: S311 - a play, to be played again
    history = History(random, ZoneInfo(ctx.settings.timezone), _travelling_cards())
    await ctx.write(_cast, history, began, present)
    day = began
    while day < present:
        # A day at a time, so that the pages stay quick meanwhile.
        day = min(day + timedelta(days=1), present)
        await ctx.write(history.tell, day)
    await ctx.write(history.finish)
    await ctx.write(_end)


def _travelling_cards() -> list[str]:
    return [uid for holder in HOLDERS for uid, _, _ in holder.cards if uid not in (LOST_CARD, UNLUCKY_CARD)]


def _build(tx: Tx, began: datetime, pins: dict[str, str]) -> None:
    with moved(tx, began - timedelta(days=1)):
        numbers = {}
        for document in TARIFFS:
            stored = tariffs.create(tx, tariff_from_json(document))
            numbers[stored.name] = stored.id
        for place in PLACES:
            _install(tx, place, numbers[place.tariff])
        for holder in HOLDERS:
            _welcome(tx, holder, pins)


def _install(tx: Tx, place: Place, tariff_id: int) -> None:
    make = place.make
    power = max(socket.power_w for socket in make.sockets)
    inventory.create(
        tx,
        NewCharger(
            make.id,
            place.name,
            password=make.password,
            allow_missing_subprotocol=make.odd,
            tariff_id=tariff_id,
            max_power_w=power,
        ),
    )
    for number in range(1, len(make.sockets) + 1):
        inventory.ensure_connector(tx, make.id, places.Place(0, number))


def _welcome(tx: Tx, holder: Holder, pins: dict[str, str]) -> None:
    person = people.create(tx, NewPerson(holder.name, language=holder.language))
    for uid, type, amount in holder.cards:
        card = cards.create(
            tx,
            NewCard(
                uid,
                type,
                group=holder.group or None,
                person_id=person.id,
                currency=tx.settings.currency,
                pin_hash=pins.get(uid),
            ),
        )
        if card.wallet is not None and amount:
            top_up(tx, TopUp(card.wallet.id, amount, f"demo:{uid}"))


def _cast(tx: Tx, history: History, began: datetime, present: datetime) -> None:
    """Set every story up; the depot's charger is lost for good two days before the end."""
    for place in PLACES:
        make = place.make
        until = present - timedelta(days=2) if make.id == AWAY else present
        boot = Boot(make.id, make.vendor, make.model, f"SN-{make.id}", "2.4.1", {})
        history.add(began, history.connection(boot, until))
        for number, socket in enumerate(make.sockets, start=1):
            register = float(history.random.randrange(200_000, 4_000_000))
            spot = Spot(make.id, number, socket, register)
            history.add(began + timedelta(minutes=1), history.days_of(spot, until))
    for before_present, mishap in mishaps.ALL:
        history.add(present - before_present, history.once(mishap))


def _end(tx: Tx) -> None:
    cards.block(tx, LOST_CARD, "Lost on the bus", "lost")
    cards.change(tx, EXPIRED_CARD, {"expires_at": tx.now - timedelta(days=1)})
