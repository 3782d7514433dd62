"""What the desk did: the result with old and new balance, and the slip to print."""

from dataclasses import dataclass

from aiohttp import web

from onprem_csms.errors import NotFound
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import Card
from onprem_csms.services.desk import cash_desk
from onprem_csms.services.desk.cash_desk import Slip
from onprem_csms.web.admin.desk_cards import uid_of
from onprem_csms.web.admin.desk_labels import base_url
from onprem_csms.web.admin.desk_station import Workstation, workstation
from onprem_csms.web.base import context, render


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A booking or a new card; ``again`` when the form was sent twice and booked once."""

    work: Workstation
    card: Card
    slip: Slip | None
    issued: bool
    again: bool


@dataclass(frozen=True, slots=True)
class SlipPage:
    """The paper for the holder; ``address`` is that of the drivers' site."""

    slip: Slip
    address: str


async def issued(request: web.Request) -> web.StreamResponse:
    """Show that a card was issued without an amount."""
    card = await context(request).read(cards.get, uid_of(request))
    page = ResultPage(workstation(request), card, None, issued=True, again=False)
    return render(request, "desk/result.html", page)


async def booked(request: web.Request) -> web.StreamResponse:
    """Show what a top-up did."""
    slip = await _slip(request)
    flags = request.query
    page = ResultPage(workstation(request), slip.card, slip, issued="issued" in flags, again="again" in flags)
    return render(request, "desk/result.html", page)


async def slip(request: web.Request) -> web.StreamResponse:
    """Show the slip of a top-up, to print."""
    return render(request, "desk/slip.html", SlipPage(await _slip(request), f"{base_url(request)}/driver"))


async def _slip(request: web.Request) -> Slip:
    entry = request.match_info["entry"]
    if not (entry.isascii() and entry.isdigit() and len(entry) < 16):
        raise NotFound("This card has no such top-up.")
    return await context(request).read(cash_desk.slip, uid_of(request), int(entry))
