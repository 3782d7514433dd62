"""The page behind a connector's QR code: price, state, and how to begin."""

import secrets
from dataclasses import dataclass

from aiohttp import web

from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.domain.money.pricing import affordable_energy
from onprem_csms.errors import NotFound
from onprem_csms.services.charging import orders
from onprem_csms.services.charging.orders import NOT_READY, Offer
from onprem_csms.services.drivers import driving
from onprem_csms.services.drivers.driving import Account
from onprem_csms.web.base import NoPage, context, formats, render
from onprem_csms.web.driver.prices import PriceList, price_list
from onprem_csms.web.driver.visitor import visitor_of
from onprem_csms.web.forms import Form


@dataclass(frozen=True, slots=True)
class Choice:
    """An amount to deduct, and the energy that it pays as text; empty where it pays any."""

    amount: int
    energy: str


@dataclass(frozen=True, slots=True)
class ConnectorPage:
    """A connector for a driver. ``state``: free, busy, mine, ordered, out or offline."""

    offer: Offer
    state: str
    prices: PriceList | None
    account: Account | None
    key: str
    choices: list[Choice]
    everything: Choice | None
    form: Form


async def show(request: web.Request, form: Form | None = None) -> web.StreamResponse:
    """Show the connector; a code that leads nowhere gets a page that says what to do."""
    ctx, card_id, form = context(request), visitor_of(request), form or Form()
    try:
        offer = await ctx.read(orders.offer, request.match_info["slug"])
    except NotFound:
        return render(request, "driver/no_code.html", NoPage(), status=404)
    account = await ctx.read(driving.account, card_id) if card_id else None
    now, tariff = ctx.clock.now(), offer.tariff
    page = ConnectorPage(
        offer=offer,
        state=_state(offer, account, online=ctx.stations.online(offer.charger_id)),
        prices=price_list(tariff, now, formats(request)) if tariff else None,
        account=account,
        key=secrets.token_urlsafe(16),
        choices=[_choice(offer, amount, request) for amount in _affordable(offer, account)],
        everything=_everything(offer, account, request),
        form=form,
    )
    return render(request, "driver/connector.html", page, status=form.status)


def _state(offer: Offer, account: Account | None, *, online: bool) -> str:
    if account and any(view.id == offer.session_id for view in account.running):
        return "mine"
    if account and account.waiting and account.waiting.slug == offer.slug:
        return "ordered"
    if not online:
        return "offline"
    if offer.session_id is not None or offer.status == "charging":
        return "busy"
    return "out" if offer.status in NOT_READY else "free"


def _affordable(offer: Offer, account: Account | None) -> list[int]:
    wallet = account.card.wallet if account else None
    if wallet is None or wallet.currency != offer.currency or offer.tariff is None:
        return []
    return [amount for amount in currency_of(wallet.currency).quick_amounts if amount < wallet.available]


def _everything(offer: Offer, account: Account | None, request: web.Request) -> Choice | None:
    wallet = account.card.wallet if account else None
    if wallet is None or wallet.available <= 0 or wallet.currency != offer.currency or offer.tariff is None:
        return None
    return _choice(offer, wallet.available, request)


def _choice(offer: Offer, amount: int, request: web.Request) -> Choice:
    if offer.tariff is None:
        return Choice(amount, "")
    wh = affordable_energy(offer.tariff, amount, context(request).clock.now())
    return Choice(amount, "" if wh is None else f"{formats(request).number(wh / 1000, 1)}\u00a0kWh")
