"""The desk: every address of its pages and of the labels, with who may come there."""

from aiohttp import web

from onprem_csms.services.core.context import Context
from onprem_csms.web.admin import desk_booking, desk_cards, desk_labels, desk_slips, desk_station
from onprem_csms.web.guards import Route, Routes, operator

ROUTES: tuple[Route, ...] = (
    # Waiting for a card
    ("GET", "/desk", operator("desk.use"), desk_cards.wait),
    ("GET", "/desk/tap", operator("desk.use"), desk_cards.tapped),
    ("GET", "/desk/find", operator("desk.use"), desk_cards.find),
    ("GET", "/desk/settings", operator("desk.use"), desk_cards.back),
    ("POST", "/desk/settings", operator("desk.use"), desk_station.choose),
    # One card. A refused form is shown under its own address, which live.js then reads again.
    ("GET", "/desk/cards/{uid}", operator("desk.use"), desk_cards.show),
    ("GET", "/desk/cards/{uid}/{form:issue|top-up|block|unblock|pin}", operator("desk.use"), desk_cards.show),
    ("POST", "/desk/cards/{uid}/issue", operator("card.issue"), desk_booking.issue),
    ("POST", "/desk/cards/{uid}/top-up", operator("topup"), desk_booking.top_up),
    ("POST", "/desk/cards/{uid}/block", operator("card.block"), desk_booking.block),
    ("POST", "/desk/cards/{uid}/unblock", operator("card.block"), desk_booking.unblock),
    ("POST", "/desk/cards/{uid}/pin", operator("card.pin"), desk_booking.set_pin),
    # What was done
    ("GET", "/desk/cards/{uid}/issued", operator("desk.use"), desk_slips.issued),
    ("GET", "/desk/cards/{uid}/top-ups/{entry}", operator("desk.use"), desk_slips.booked),
    ("GET", "/desk/cards/{uid}/top-ups/{entry}/slip", operator("desk.use"), desk_slips.slip),
    # Labels with the codes of the connectors
    ("GET", "/admin/qr", operator("charger.read"), desk_labels.site_sheet),
    ("GET", "/admin/chargers/{id}/qr", operator("charger.read"), desk_labels.charger_sheet),
    ("GET", "/admin/chargers/{id}/connectors/{number}/qr.svg", operator("charger.read"), desk_labels.svg),
    ("GET", "/admin/chargers/{id}/connectors/{number}/qr.png", operator("charger.read"), desk_labels.png),
)


def add(app: web.Application, ctx: Context) -> None:
    """Add the desk and the labels."""
    Routes(app).table(ROUTES)
