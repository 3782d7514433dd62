"""The drivers' site: every address, with who may come there."""

from aiohttp import web

from onprem_csms.services.core.context import Context
from onprem_csms.web.driver import account, charging, connectors, ordering, signing
from onprem_csms.web.driver.visitor import visitor
from onprem_csms.web.guards import Route, Routes, driver

ROUTES: tuple[Route, ...] = (
    # What everybody may see
    ("GET", "/", visitor, account.landing),
    ("GET", "/c/{slug}", visitor, connectors.show),
    ("GET", "/driver/events", visitor, account.events),
    # Signing in and out
    ("GET", "/driver/sign-in", visitor, signing.show),
    ("POST", "/driver/sign-in", visitor, signing.sign_in),
    ("POST", "/driver/sign-out", driver, signing.sign_out),
    ("GET", "/driver/pin", driver, signing.show_pin),
    ("POST", "/driver/pin", driver, signing.change_pin),
    # Deduct, start, wait. A refused order is shown under its own address.
    ("GET", "/c/{slug}/order", visitor, connectors.show),
    ("POST", "/c/{slug}/order", driver, ordering.place),
    ("GET", "/driver/orders/{id}", driver, ordering.show),
    ("POST", "/driver/orders/{id}/cancel", driver, ordering.cancel),
    # Charge, stop, look back
    ("GET", "/driver", driver, account.show),
    ("GET", "/driver/sessions/{id}", driver, charging.show),
    ("POST", "/driver/sessions/{id}/stop", driver, charging.stop),
)


def add(app: web.Application, ctx: Context) -> None:
    """Add the drivers' site."""
    Routes(app).table(ROUTES)
