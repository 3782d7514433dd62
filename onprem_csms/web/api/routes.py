"""Every route of the API in one table: reading it is a tour of the API."""

from functools import cache
from typing import Any

from aiohttp import web

from onprem_csms import __version__
from onprem_csms.services.core.context import Context
from onprem_csms.web.api import (
    chargers,
    commands,
    corrections,
    ledger,
    people,
    problems,
    profiles,
    reports,
    reservations,
    reviews,
    sessions,
    tariffs,
    tokens,
    wallets,
)
from onprem_csms.web.api.handling import handler
from onprem_csms.web.api.openapi import describe
from onprem_csms.web.api.route import PREFIX, Call, Route


def add(app: web.Application, ctx: Context) -> None:
    """Mount the API under ``/api/v1``."""
    api = web.Application(middlewares=[problems.middleware])
    for route in ROUTES:
        api.router.add_route(route.method, route.path, handler(ctx, route))
    app.add_subapp(PREFIX, api)


async def openapi(call: Call[None, None]) -> dict[str, Any]:
    """Describe the API (OpenAPI 3.1)."""
    return document()


@cache
def document() -> dict[str, Any]:
    """Return the description of the API, made of the table."""
    return describe(ROUTES, __version__)


ROUTES: tuple[Route, ...] = (
    # Chargers
    Route("GET", "/chargers", "charger.read", chargers.find),
    Route("POST", "/chargers", "charger.configure", chargers.create),
    Route("GET", "/chargers/{id}", "charger.read", chargers.get),
    Route("PATCH", "/chargers/{id}", "charger.configure", chargers.change),
    Route("DELETE", "/chargers/{id}", "charger.archive", chargers.remove),
    Route("POST", "/chargers/{id}/password", "charger.configure", chargers.reset_password),
    Route("PATCH", "/chargers/{id}/connectors/{number}", "charger.configure", chargers.change_connector),
    Route("GET", "/chargers/{id}/messages", "message.read", chargers.messages),
    Route("GET", "/chargers/{id}/configuration", "charger.configuration.read", chargers.settings),
    Route("GET", "/chargers/{id}/charging-profiles", "profile.read", profiles.in_force),
    # Refused connection attempts
    Route("GET", "/unknown-chargers", "charger.read", chargers.unknown),
    Route("POST", "/unknown-chargers/{identity}/accept", "charger.configure", chargers.accept),
    Route("DELETE", "/unknown-chargers/{identity}", "charger.configure", chargers.dismiss),
    # Commands
    Route("GET", "/chargers/{id}/commands", "charger.read", commands.find),
    Route("POST", "/chargers/{id}/commands/{command}", "charger.raw_command", commands.send),
    Route("GET", "/chargers/{id}/commands/{command}", "charger.read", commands.get),
    Route("GET", "/commands/{id}", "charger.read", commands.get_any),
    # Sessions
    Route("GET", "/sessions", "session.read", sessions.find),
    Route("GET", "/sessions/{id}", "session.read", sessions.get),
    Route("GET", "/sessions/{id}/readings", "session.read", sessions.readings),
    Route("POST", "/sessions/{id}/stop", "session.stop", sessions.stop),
    Route("POST", "/sessions/{id}/close", "session.correct", sessions.close),
    Route("POST", "/sessions/{id}/book", "session.correct", corrections.book),
    Route("GET", "/sessions/{id}/corrections", "session.read", corrections.find),
    Route("POST", "/sessions/{id}/corrections", "session.correct", corrections.correct),
    # Reservations
    Route("GET", "/reservations", "reservation.read", reservations.find),
    Route("POST", "/reservations", "reservation.make", reservations.create),
    Route("GET", "/reservations/{id}", "reservation.read", reservations.get),
    Route("DELETE", "/reservations/{id}", "reservation.make", reservations.cancel),
    # Charging profiles
    Route("GET", "/charging-profiles", "profile.read", profiles.find),
    Route("POST", "/charging-profiles", "profile.change", profiles.create),
    Route("GET", "/charging-profiles/{id}", "profile.read", profiles.get),
    Route("PATCH", "/charging-profiles/{id}", "profile.change", profiles.change),
    Route("DELETE", "/charging-profiles/{id}", "profile.change", profiles.remove),
    Route("POST", "/charging-profiles/{id}/apply", "profile.apply", profiles.apply),
    # Cards
    Route("GET", "/tokens", "card.read", tokens.find),
    Route("POST", "/tokens", "card.issue", tokens.create),
    Route("GET", "/tokens/{token}", "card.read", tokens.get),
    Route("PATCH", "/tokens/{token}", "card.change", tokens.change),
    Route("DELETE", "/tokens/{token}", "card.archive", tokens.remove),
    # People
    Route("GET", "/people", "person.read", people.find),
    Route("POST", "/people", "person.change", people.create),
    Route("GET", "/people/{id}", "person.read", people.get),
    Route("PATCH", "/people/{id}", "person.change", people.change),
    Route("DELETE", "/people/{id}", "person.archive", people.remove),
    # Money
    Route("GET", "/wallets", "wallet.read", wallets.find),
    Route("POST", "/wallets", "wallet.create", wallets.create),
    Route("GET", "/wallets/{id}", "wallet.read", wallets.get),
    Route("GET", "/wallets/{id}/movements", "wallet.read", wallets.movements),
    Route("GET", "/topups", "ledger.read", wallets.find_top_ups),
    Route("POST", "/topups", "topup", wallets.top_up),
    Route("GET", "/topups/{id}", "ledger.read", wallets.get_top_up),
    Route("GET", "/ledger", "ledger.read", ledger.find),
    Route("GET", "/ledger/{id}", "ledger.read", ledger.get),
    Route("GET", "/tariffs", "tariff.read", tariffs.find),
    Route("POST", "/tariffs", "tariff.change", tariffs.create),
    Route("GET", "/tariffs/{id}", "tariff.read", tariffs.get),
    Route("PATCH", "/tariffs/{id}", "tariff.change", tariffs.change),
    Route("DELETE", "/tariffs/{id}", "tariff.change", tariffs.remove),
    Route("POST", "/tariffs/{id}/default", "tariff.change", tariffs.make_default),
    # Reviews and reports
    Route("GET", "/reviews", "review.read", reviews.find),
    Route("GET", "/reviews/{id}", "review.read", reviews.get),
    Route("POST", "/reviews/{id}/resolve", "review.resolve", reviews.resolve),
    Route("GET", "/reports/today", "report.read", reports.today),
    Route("GET", "/reports/days", "report.read", reports.days),
    # This API itself
    Route("GET", "/openapi.json", None, openapi),
)
