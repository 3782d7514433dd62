"""The desk: every address of its pages and of the labels, with who may come there."""

from aiohttp import web

from onprem_csms.services.core.context import Context
from onprem_csms.web.admin import desk_booking, desk_cards, desk_labels, desk_slips, desk_station
from onprem_csms.web.guards import Route, Routes, operator

VIEWER, CLERK = operator("viewer"), operator("desk")

ROUTES: tuple[Route, ...] = (
    # Waiting for a card
    ("GET", "/desk", CLERK, desk_cards.wait),
    ("GET", "/desk/tap", CLERK, desk_cards.tapped),
    ("GET", "/desk/find", CLERK, desk_cards.find),
    ("GET", "/desk/settings", CLERK, desk_cards.back),
    ("POST", "/desk/settings", CLERK, desk_station.choose),
    # One card. A refused form is shown under its own address, which live.js then reads again.
    ("GET", "/desk/cards/{uid}", CLERK, desk_cards.show),
    ("GET", "/desk/cards/{uid}/{form:issue|top-up|block|unblock|pin}", CLERK, desk_cards.show),
    ("POST", "/desk/cards/{uid}/issue", CLERK, desk_booking.issue),
    ("POST", "/desk/cards/{uid}/top-up", CLERK, desk_booking.top_up),
    ("POST", "/desk/cards/{uid}/block", CLERK, desk_booking.block),
    ("POST", "/desk/cards/{uid}/unblock", CLERK, desk_booking.unblock),
    ("POST", "/desk/cards/{uid}/pin", CLERK, desk_booking.set_pin),
    # What was done
    ("GET", "/desk/cards/{uid}/issued", CLERK, desk_slips.issued),
    ("GET", "/desk/cards/{uid}/top-ups/{entry}", CLERK, desk_slips.booked),
    ("GET", "/desk/cards/{uid}/top-ups/{entry}/slip", CLERK, desk_slips.slip),
    # Labels with the codes of the connectors
    ("GET", "/admin/qr", VIEWER, desk_labels.site_sheet),
    ("GET", "/admin/chargers/{id}/qr", VIEWER, desk_labels.charger_sheet),
    ("GET", "/admin/chargers/{id}/connectors/{number}/qr.svg", VIEWER, desk_labels.svg),
    ("GET", "/admin/chargers/{id}/connectors/{number}/qr.png", VIEWER, desk_labels.png),
)


def add(app: web.Application, ctx: Context) -> None:
    """Add the desk and the labels."""
    Routes(app).table(ROUTES)
