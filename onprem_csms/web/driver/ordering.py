"""The driver's order: the deduction is confirmed first, the charger is asked then."""

import contextlib
from dataclasses import dataclass

from aiohttp import web

from onprem_csms.errors import Conflict, NotFound
from onprem_csms.services.charging import orders
from onprem_csms.services.charging.orders import Order, OrderRequest
from onprem_csms.services.drivers import driving
from onprem_csms.services.drivers.driving import Account
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.driver import connectors
from onprem_csms.web.forms import Form, posted
from onprem_csms.web.guards import driver_of
from onprem_csms.web.languages import N_

_ALL, _OTHER = "all", "other"


@dataclass(frozen=True, slots=True)
class OrderPage:
    """An order on its way, or how it ended; ``account`` shows the balance as it is now."""

    order: Order
    place: str
    account: Account
    seconds_left: int


@posted(connectors.show, also=(NotFound,))
async def place(request: web.Request, form: Form) -> web.StreamResponse:
    """Deduct the amount and let the charger begin; the same form twice is one order."""
    ctx, card_id, slug = context(request), driver_of(request), request.match_info["slug"]
    account = await ctx.read(driving.account, card_id)
    wallet = account.card.wallet
    amount = _amount(form, wallet.currency) if wallet and account.card.kind == "prepaid" else None
    key = form.text("key", max_length=64)
    form.check()
    order = await orders.place(ctx, OrderRequest(slug, card_id, amount, f"driver:{card_id}:{key}"))
    return redirect(request, f"/driver/orders/{order.id}")


async def show(request: web.Request) -> web.StreamResponse:
    """Show where an order stands; once it charges, its session."""
    ctx, card_id = context(request), driver_of(request)
    order = await ctx.read(driving.own_order, card_id, request.match_info["id"])
    if order.session_id is not None:
        return redirect(request, f"/driver/sessions/{order.session_id}")
    account = await ctx.read(driving.account, card_id)
    left = max(0, int((order.expires_at - ctx.clock.now()).total_seconds()))
    page = OrderPage(order, await _place(request, order), account, left)
    return render(request, "driver/order.html", page)


async def cancel(request: web.Request) -> web.StreamResponse:
    """Give the order up; the money is back. When it is too late, its page says what became of it."""
    order_id = request.match_info["id"]
    with contextlib.suppress(Conflict):
        await context(request).write(driving.cancel, driver_of(request), order_id)
    return redirect(request, f"/driver/orders/{order_id}")


def _amount(form: Form, currency: str) -> int | None:
    """Minor units; None for the whole balance."""
    chosen, other = form.typed.get("amount", ""), form.typed.get("other", "").strip()
    if chosen == _OTHER or (other and not chosen):
        return form.amount("other", currency)
    if chosen == _ALL:
        return None
    if not (chosen.isascii() and chosen.isdigit()):
        form.fault("amount", N_("Choose an amount."))
        return None
    return form.integer("amount", minimum=1, maximum=10**12)


async def _place(request: web.Request, order: Order) -> str:
    """The name of the charger; its identity when the code was withdrawn meanwhile."""
    try:
        offer = await context(request).read(orders.offer, order.slug)
    except NotFound:
        return order.charger_id
    return f"{offer.charger_name} · {offer.connector_name or offer.connector}"
