"""Every address of the operators' site, with who may come there: reading it is a tour of the site."""

from aiohttp import web

from onprem_csms.services.core.context import Context
from onprem_csms.services.core.throttle import Throttle
from onprem_csms.web.admin import (
    about,
    cards,
    charger,
    charger_commands,
    charger_messages,
    charger_settings,
    chargers,
    dashboard,
    desk,
    people,
    review,
    sessions,
    settings,
    signing,
    tariffs,
)
from onprem_csms.web.guards import Route, Routes, operator, public

VIEWER, CLERK, ADMIN = operator("viewer"), operator("desk"), operator("admin")

ROUTES: tuple[Route, ...] = (
    # First set-up, signing in and out
    ("GET", "/setup/{token}", public, signing.show_setup),
    ("POST", "/setup/{token}", public, signing.set_up),
    ("GET", "/admin/sign-in", public, signing.show_sign_in),
    ("POST", "/admin/sign-in", public, signing.sign_in),
    ("POST", "/admin/sign-out", public, signing.sign_out),
    ("GET", "/admin/account", VIEWER, signing.show_account),
    ("POST", "/admin/account", VIEWER, signing.change_password),
    # Overview, and the stream that keeps every page live
    ("GET", "/admin", VIEWER, signing.go_home),
    ("GET", "/admin/", VIEWER, dashboard.show),
    ("GET", "/admin/events", VIEWER, dashboard.events),
    # Chargers, and those that wait to be accepted
    ("GET", "/admin/chargers", VIEWER, chargers.show),
    ("GET", "/admin/chargers/new", ADMIN, chargers.show_new),
    ("POST", "/admin/chargers/new", ADMIN, chargers.create),
    ("POST", "/admin/chargers/accept", ADMIN, chargers.accept),
    ("POST", "/admin/chargers/dismiss", ADMIN, chargers.dismiss),
    # One charger
    ("GET", "/admin/chargers/{id}", VIEWER, charger.show),
    ("GET", "/admin/chargers/{id}/messages", VIEWER, charger_messages.show),
    ("GET", "/admin/chargers/{id}/commands", CLERK, charger_commands.show),
    ("POST", "/admin/chargers/{id}/commands/raw", ADMIN, charger_commands.send_raw),
    ("POST", "/admin/chargers/{id}/commands/{command}", CLERK, charger_commands.send),
    ("GET", "/admin/chargers/{id}/commands/{command}", CLERK, charger_commands.show),
    ("GET", "/admin/chargers/{id}/settings", ADMIN, charger_settings.show),
    ("POST", "/admin/chargers/{id}/settings", ADMIN, charger_settings.save),
    ("POST", "/admin/chargers/{id}/connectors/{number:[0-9]{1,3}}", ADMIN, charger_settings.save_connector),
    ("POST", "/admin/chargers/{id}/password", ADMIN, chargers.reset_password),
    ("POST", "/admin/chargers/{id}/archive", ADMIN, chargers.archive),
    # Sessions
    ("GET", "/admin/sessions", VIEWER, sessions.show_list),
    ("GET", "/admin/sessions/{id}", VIEWER, sessions.show),
    ("GET", "/admin/sessions/{id}/curve.json", VIEWER, sessions.curve),
    ("POST", "/admin/sessions/{id}/stop", CLERK, sessions.stop),
    ("POST", "/admin/sessions/{id}/close", ADMIN, sessions.close),
    ("GET", "/admin/review", VIEWER, review.show),
    ("POST", "/admin/review/{id}/resolve", CLERK, review.resolve),
    # People and cards
    ("GET", "/admin/people", VIEWER, people.show_list),
    ("GET", "/admin/people/new", CLERK, people.show_new),
    ("POST", "/admin/people/new", CLERK, people.create),
    ("GET", "/admin/people/{id}", VIEWER, people.show),
    ("POST", "/admin/people/{id}", CLERK, people.save),
    ("POST", "/admin/people/{id}/archive", ADMIN, people.archive),
    ("GET", "/admin/cards", VIEWER, cards.show_list),
    ("GET", "/admin/cards/new", CLERK, cards.show_new),
    ("POST", "/admin/cards/new", CLERK, cards.create),
    ("GET", "/admin/cards/{uid}", VIEWER, cards.show),
    ("POST", "/admin/cards/{uid}", CLERK, cards.save),
    ("POST", "/admin/cards/{uid}/block", CLERK, cards.block),
    ("POST", "/admin/cards/{uid}/unblock", CLERK, cards.unblock),
    ("POST", "/admin/cards/{uid}/archive", ADMIN, cards.archive),
    # Prices
    ("GET", "/admin/tariffs", VIEWER, tariffs.show_list),
    ("GET", "/admin/tariffs/new", ADMIN, tariffs.show_new),
    ("POST", "/admin/tariffs/new", ADMIN, tariffs.create),
    ("GET", "/admin/tariffs/{id}", VIEWER, tariffs.show),
    ("POST", "/admin/tariffs/{id}", ADMIN, tariffs.save),
    ("POST", "/admin/tariffs/{id}/default", ADMIN, tariffs.make_default),
    ("POST", "/admin/tariffs/{id}/archive", ADMIN, tariffs.archive),
    # The site itself
    ("GET", "/admin/settings", ADMIN, settings.show),
    ("POST", "/admin/settings/operators", ADMIN, settings.add_operator),
    ("GET", "/admin/settings/operators/{id}", ADMIN, settings.show_operator),
    ("POST", "/admin/settings/operators/{id}/password", ADMIN, settings.set_password),
    ("POST", "/admin/settings/operators/{id}/disable", ADMIN, settings.disable_operator),
    ("POST", "/admin/settings/operators/{id}/enable", ADMIN, settings.enable_operator),
    ("POST", "/admin/settings/api-keys", ADMIN, settings.create_key),
    ("POST", "/admin/settings/api-keys/{id}/revoke", ADMIN, settings.revoke_key),
    ("GET", "/admin/audit", ADMIN, settings.show_audit),
    ("GET", "/admin/about", VIEWER, about.show),
)


def add(app: web.Application, ctx: Context) -> None:
    """Add the operators' site, the desk and the labels with QR codes included."""
    app[signing.THROTTLE] = Throttle()
    Routes(app).table(ROUTES)
    desk.add(app, ctx)
