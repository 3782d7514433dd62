"""A driver's order: deduct, confirmed, start command, session; or the money back.

The deduction is a hold that is committed before the charger is asked. If the charger refuses, or no
session begins in time, the hold is released, whoever notices first.
"""

import asyncio
import json
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from onprem_csms.clock import from_text, to_text
from onprem_csms.db.cards import cards as card_rows
from onprem_csms.db.cards.cards import CardRecord
from onprem_csms.db.chargers import connectors as connector_rows
from onprem_csms.db.charging import orders as rows
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.charging.orders import OrderRecord
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.commands import RemoteStart
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.order_life import OrderStatus
from onprem_csms.domain.money.tariffs import Tariff
from onprem_csms.errors import AppError, Conflict, Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.cards.access import also_ends
from onprem_csms.services.chargers import inventory, sending
from onprem_csms.services.charging import authorization
from onprem_csms.services.core.context import Context
from onprem_csms.services.money import holds, wallets
from onprem_csms.services.money import tariffs as tariff_service

log = logging.getLogger(__name__)
NOT_READY = frozenset({"faulted", "unavailable"})
_background: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Offer:
    """A connector as a driver sees it: where it is, what it costs, whether it is free."""

    slug: str
    charger_id: str
    charger_name: str
    evse: int
    connector: int
    connector_name: str
    status: str
    tariff: Tariff | None
    currency: str
    session_id: int | None

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.evse, self.connector)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a driver asks for; ``amount`` in minor units, None for all that is available."""

    slug: str
    card_id: int
    amount: int | None
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands; ``detail`` says why it was refused."""

    id: str
    slug: str
    charger_id: str
    evse: int
    connector: int
    uid: str
    card_id: int
    amount: int
    currency: str
    status: OrderStatus
    detail: str
    session_id: int | None
    created_at: datetime
    expires_at: datetime


def offer(tx: Tx, slug: str) -> Offer:
    """Return the connector behind a QR code; NotFound."""
    try:
        charger, connector = inventory.by_slug(tx, slug)
    except NotFound as error:
        raise NotFound("This code belongs to no connector of this site.") from error
    place = connector.place
    stored = tariff_service.for_connector(tx, charger.id, place)
    # A session that waits for its card leaves the connector to whoever pays: the cable is in, and this is the driver.
    active = [one for one in session_rows.active_on(tx, charger.id, place) if one.uid]
    return Offer(
        slug,
        charger.id,
        charger.name or charger.id,
        place.evse,
        place.connector,
        connector.name,
        connector.status,
        None if stored is None else stored.tariff,
        tx.settings.currency if stored is None else stored.currency,
        active[0].id if active else None,
    )


def get(tx: Tx, order_id: str) -> Order:
    """Return an order; NotFound."""
    row = rows.get(tx, order_id)
    if row is None:
        raise NotFound("There is no such order.")
    return _order(tx, row)


def _order(tx: Tx, row: OrderRecord) -> Order:
    slug = connector_rows.slug_of(tx, row.charger_id, row.place)
    currency = tx.settings.currency
    if row.wallet_id is not None:
        currency = wallets.get(tx, row.wallet_id).currency
    return Order(
        row.id,
        slug or "",
        row.charger_id,
        row.evse,
        row.connector,
        row.uid,
        row.card_id,
        row.amount,
        currency,
        row.status,
        row.detail,
        row.session_id,
        from_text(row.created_at),
        from_text(row.expires_at),
    )


async def place(ctx: Context, request: OrderRequest) -> Order:
    """Deduct, then start in the background; the same key returns the same order.

    Conflict when the connector is offline, occupied or out of service, or the balance is not enough.
    """
    charger = (await ctx.read(offer, request.slug)).charger_id
    online = ctx.stations.online(charger)
    order, new = await ctx.write(_hold, request, online)
    if new:
        task = asyncio.create_task(_start(ctx, order), name=f"order {order.id}")
        _background.add(task)
        task.add_done_callback(_background.discard)
    return order


def _hold(tx: Tx, request: OrderRequest, online: bool) -> tuple[Order, bool]:
    known = rows.by_key(tx, request.idempotency_key)
    if known is not None:
        return _order(tx, known), False
    wanted = offer(tx, request.slug)
    card = _card(tx, request.card_id)
    _check_connector(tx, wanted, card, online=online)
    order_id = secrets.token_urlsafe(16)
    amount, hold_id = _deduct(tx, wanted, card, (order_id, request.amount))
    expires = tx.now + timedelta(seconds=tx.settings.prepaid.start_timeout_s)
    rows.insert(
        tx,
        {
            "id": order_id,
            "idempotency_key": request.idempotency_key,
            "charger_id": wanted.charger_id,
            "evse": wanted.evse,
            "connector": wanted.connector,
            "uid": card.uid,
            "card_id": card.id,
            "wallet_id": card.wallet_id if hold_id is not None else None,
            "hold_id": hold_id,
            "amount": amount,
            "status": "held",
            "created_at": tx.now_text,
            "expires_at": to_text(expires),
        },
    )
    tx.emit(Event("order", order_id))
    return get(tx, order_id), True


def _card(tx: Tx, card_id: int) -> CardRecord:
    card = card_rows.by_id(tx, card_id)
    if card is None or card.archived_at is not None:
        raise NotFound("This card is not in use any more.")
    verdict = authorization.judge_card(card, tx.now)
    if verdict.status == "expired":
        raise Conflict("This card has expired.")
    if verdict.status != "accepted":
        raise Conflict("This card is blocked.")
    if session_rows.active_of_card(tx, card_id):
        raise Conflict("This card is charging already.")
    return card


def _check_connector(tx: Tx, wanted: Offer, card: CardRecord, *, online: bool) -> None:
    if not online:
        raise Conflict("The charger is not connected. Nothing was deducted.")
    if wanted.session_id is not None or rows.open_on(tx, wanted.charger_id, wanted.place):
        raise Conflict("This connector is in use. Nothing was deducted.")
    if wanted.status in NOT_READY:
        raise Conflict("This connector is out of service. Nothing was deducted.")
    if rows.open_for(tx, wanted.charger_id, card.id):
        raise Conflict("This card has an order on this charger already.")


def _deduct(tx: Tx, wanted: Offer, card: CardRecord, order: tuple[str, int | None]) -> tuple[int, int | None]:
    if card.kind == "personal" or card.wallet_id is None:
        return 0, None
    order_id, asked = order
    wallet = wallets.get(tx, card.wallet_id)
    if wanted.tariff is None or wanted.currency != wallet.currency:
        raise Conflict("This connector has no price in the currency of the card. Nothing was deducted.")
    amount = wallet.available if asked is None else asked
    payer = authorization.payer_of(card)
    least = authorization.least(tx, wanted.charger_id, wanted.place, wallet.currency, payer)
    if asked is not None and asked <= 0:
        raise Invalid("The amount must be above zero.", path="amount")
    if wallet.available <= least or amount > wallet.available:
        raise Conflict("The balance is not enough. Nothing was deducted.", path="amount")
    if amount <= least:
        raise Invalid("The amount does not cover the price of starting.", path="amount")
    return amount, holds.hold(tx, wallet.id, amount, f"order:{order_id}")


async def _start(ctx: Context, order: Order) -> None:
    try:
        if not await ctx.write(_move, order.id, "sent", ""):
            return
        command = RemoteStart(order.uid, Place(order.evse, order.connector))
        result = await sending.perform(ctx, order.charger_id, command, origin=f"order:{order.id}")
        if result.status == "answered" and result.accepted:
            await ctx.write(_move, order.id, "accepted", "")
        elif result.status in ("timeout", "lost"):
            # The charger may have heard it: the money stays set aside until the order's time is over.
            log.warning("order %s: no answer to the start command", order.id)
        else:
            await ctx.write(refuse, order.id, json.dumps(dict(result.response or {})))
    except AppError as error:
        await ctx.write(refuse, order.id, str(error))


def _move(tx: Tx, order_id: str, status: OrderStatus, detail: str) -> bool:
    tx.emit(Event("order", order_id))
    return rows.move(tx, order_id, status, detail, ended=False)


def refuse(tx: Tx, order_id: str, detail: str) -> bool:
    """The charger said no: give the money back; False when the order was not open any more."""
    return _give_back(tx, order_id, "refused", detail)


def cancel(tx: Tx, order_id: str) -> Order:
    """The driver changed their mind before a session began; Conflict when it is too late."""
    if not _give_back(tx, order_id, "cancelled", ""):
        raise Conflict("This order can't be cancelled any more.")
    return get(tx, order_id)


@also_ends
def cancel_of_card(tx: Tx, card_id: int) -> None:
    """Give the money of every open order of a card back whose holder or secret changed."""
    for row in rows.open_of_card(tx, card_id):
        _give_back(tx, row.id, "cancelled", "")


def expire(tx: Tx) -> list[str]:
    """Give the money of every order back whose time is over; returns their ids."""
    return [row.id for row in rows.expired(tx, tx.now_text) if _give_back(tx, row.id, "expired", "")]


def recover(tx: Tx) -> list[str]:
    """After a restart: orders whose start command never went out get their money back at once."""
    return [row.id for row in rows.never_sent(tx) if _give_back(tx, row.id, "expired", "restarted")]


def _give_back(tx: Tx, order_id: str, status: OrderStatus, detail: str) -> bool:
    row = rows.get(tx, order_id)
    if row is None or not rows.move(tx, order_id, status, detail[:500], ended=True):
        return False
    if row.hold_id is not None:
        holds.release(tx, row.hold_id)
    tx.emit(Event("order", order_id))
    return True


async def finish_background() -> None:
    """Wait for the start commands that are under way; used when the process stops."""
    await asyncio.gather(*_background, return_exceptions=True)
