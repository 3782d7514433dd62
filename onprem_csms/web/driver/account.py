"""The driver's own page: balance, what runs, what was charged; and the site's first page."""

from dataclasses import dataclass

from aiohttp import web

from onprem_csms.events import Event
from onprem_csms.services.drivers import driving
from onprem_csms.services.drivers.driving import Account
from onprem_csms.web import sse
from onprem_csms.web.base import NoPage, context, render
from onprem_csms.web.driver.visitor import visitor_of
from onprem_csms.web.guards import driver_of

_PUBLIC = frozenset({"charger"})
_OWN = frozenset({"charger", "session", "order", "wallet", "token"})
_MOST_TOPICS = 20


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A driver's card, balance and sessions."""

    account: Account


async def landing(request: web.Request) -> web.StreamResponse:
    """Show how charging works here."""
    return render(request, "driver/landing.html", NoPage())


async def show(request: web.Request) -> web.StreamResponse:
    """Show the driver's own page."""
    account = await context(request).read(driving.account, driver_of(request))
    return render(request, "driver/account.html", AccountPage(account))


async def events(request: web.Request) -> web.StreamResponse:
    """Tell a page about the very things it shows (``?of=order:X,session:7``); strangers about chargers only."""
    allowed = _OWN if visitor_of(request) else _PUBLIC
    asked = frozenset(request.query.get("of", "").split(",")[:_MOST_TOPICS])

    def wanted(event: Event) -> bool:
        return f"{event.topic}:{event.key}" in asked

    return await sse.stream(request, allowed & sse.asked_topics(request), wanted)
