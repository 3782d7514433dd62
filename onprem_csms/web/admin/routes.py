"""Every address of the operators' site, with who may come there: reading it is a tour of the site."""

from aiohttp import web

from onprem_csms.services.core.context import Context
from onprem_csms.web.admin import (
    about,
    cards,
    charger,
    charger_commands,
    charger_messages,
    charger_settings,
    chargers,
    corrections,
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

ROUTES: tuple[Route, ...] = (
    # First set-up, signing in and out
    ("GET", "/setup/{token}", public, signing.show_setup),
    ("POST", "/setup/{token}", public, signing.set_up),
    ("GET", "/admin/sign-in", public, signing.show_sign_in),
    ("POST", "/admin/sign-in", public, signing.sign_in),
    ("POST", "/admin/sign-out", public, signing.sign_out),
    ("GET", "/admin/account", operator("account.change"), signing.show_account),
    ("POST", "/admin/account", operator("account.change"), signing.change_password),
    # Overview, and the stream that keeps every page live
    ("GET", "/admin", operator("report.read"), signing.go_home),
    ("GET", "/admin/", operator("report.read"), dashboard.show),
    ("GET", "/admin/events", operator("report.read"), dashboard.events),
    # Chargers, and those that wait to be accepted
    ("GET", "/admin/chargers", operator("charger.read"), chargers.show),
    ("GET", "/admin/chargers/new", operator("charger.configure"), chargers.show_new),
    ("POST", "/admin/chargers/new", operator("charger.configure"), chargers.create),
    ("POST", "/admin/chargers/accept", operator("charger.configure"), chargers.accept),
    ("POST", "/admin/chargers/dismiss", operator("charger.configure"), chargers.dismiss),
    # One charger
    ("GET", "/admin/chargers/{id}", operator("charger.read"), charger.show),
    ("GET", "/admin/chargers/{id}/messages", operator("message.read"), charger_messages.show),
    ("GET", "/admin/chargers/{id}/commands", operator("charger.command"), charger_commands.show),
    ("POST", "/admin/chargers/{id}/commands/raw", operator("charger.raw_command"), charger_commands.send_raw),
    (
        "POST",
        "/admin/chargers/{id}/commands/{command:change}",
        operator("charger.configure"),
        charger_commands.send,
    ),
    ("POST", "/admin/chargers/{id}/commands/{command}", operator("charger.command"), charger_commands.send),
    ("GET", "/admin/chargers/{id}/commands/{command}", operator("charger.command"), charger_commands.show),
    ("GET", "/admin/chargers/{id}/settings", operator("charger.configure"), charger_settings.show),
    ("POST", "/admin/chargers/{id}/settings", operator("charger.configure"), charger_settings.save),
    (
        "POST",
        "/admin/chargers/{id}/connectors/{number:[0-9.]{1,9}}",
        operator("charger.configure"),
        charger_settings.save_connector,
    ),
    ("POST", "/admin/chargers/{id}/password", operator("charger.configure"), chargers.reset_password),
    ("POST", "/admin/chargers/{id}/archive", operator("charger.archive"), chargers.archive),
    # Sessions
    ("GET", "/admin/sessions", operator("session.read"), sessions.show_list),
    ("GET", "/admin/sessions/{id}", operator("session.read"), sessions.show),
    ("GET", "/admin/sessions/{id}/curve.json", operator("session.read"), sessions.curve),
    ("POST", "/admin/sessions/{id}/stop", operator("session.stop"), sessions.stop),
    ("POST", "/admin/sessions/{id}/close", operator("session.correct"), sessions.close),
    ("GET", "/admin/sessions/{id}/correct", operator("session.correct"), corrections.show),
    ("POST", "/admin/sessions/{id}/correct", operator("session.correct"), corrections.save),
    ("GET", "/admin/review", operator("review.read"), review.show),
    ("POST", "/admin/review/{id}/resolve", operator("review.resolve"), review.resolve),
    # People and cards
    ("GET", "/admin/people", operator("person.read"), people.show_list),
    ("GET", "/admin/people/new", operator("person.change"), people.show_new),
    ("POST", "/admin/people/new", operator("person.change"), people.create),
    ("GET", "/admin/people/{id}", operator("person.read"), people.show),
    ("POST", "/admin/people/{id}", operator("person.change"), people.save),
    ("POST", "/admin/people/{id}/archive", operator("person.archive"), people.archive),
    ("GET", "/admin/cards", operator("card.read"), cards.show_list),
    ("GET", "/admin/cards/new", operator("card.issue"), cards.show_new),
    ("POST", "/admin/cards/new", operator("card.issue"), cards.create),
    ("GET", "/admin/cards/{uid}", operator("card.read"), cards.show),
    ("POST", "/admin/cards/{uid}", operator("card.change"), cards.save),
    ("POST", "/admin/cards/{uid}/block", operator("card.block"), cards.block),
    ("POST", "/admin/cards/{uid}/unblock", operator("card.block"), cards.unblock),
    ("POST", "/admin/cards/{uid}/archive", operator("card.archive"), cards.archive),
    # Prices
    ("GET", "/admin/tariffs", operator("tariff.read"), tariffs.show_list),
    ("GET", "/admin/tariffs/new", operator("tariff.change"), tariffs.show_new),
    ("POST", "/admin/tariffs/new", operator("tariff.change"), tariffs.create),
    ("GET", "/admin/tariffs/{id}", operator("tariff.read"), tariffs.show),
    ("POST", "/admin/tariffs/{id}", operator("tariff.change"), tariffs.save),
    ("POST", "/admin/tariffs/{id}/default", operator("tariff.change"), tariffs.make_default),
    ("POST", "/admin/tariffs/{id}/archive", operator("tariff.change"), tariffs.archive),
    # The site itself
    ("GET", "/admin/settings", operator("site.configure"), settings.show),
    ("POST", "/admin/settings/operators", operator("operator.change"), settings.add_operator),
    ("GET", "/admin/settings/operators/{id}", operator("operator.change"), settings.show_operator),
    ("POST", "/admin/settings/operators/{id}/password", operator("operator.change"), settings.set_password),
    (
        "POST",
        "/admin/settings/operators/{id}/disable",
        operator("operator.change"),
        settings.disable_operator,
    ),
    ("POST", "/admin/settings/operators/{id}/enable", operator("operator.change"), settings.enable_operator),
    ("POST", "/admin/settings/api-keys", operator("api_key.change"), settings.create_key),
    ("POST", "/admin/settings/api-keys/{id}/revoke", operator("api_key.change"), settings.revoke_key),
    ("GET", "/admin/audit", operator("audit.read"), settings.show_audit),
    ("GET", "/admin/about", operator("site.read"), about.show),
)


def add(app: web.Application, ctx: Context) -> None:
    """Add the operators' site, the desk and the labels with QR codes included."""
    Routes(app).table(ROUTES)
    desk.add(app, ctx)
