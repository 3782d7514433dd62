"""Every route of the API in one table: reading it is a tour of the API."""

from functools import cache
from typing import Any

from aiohttp import web

from onprem_csms import __version__
from onprem_csms.services.core.context import Context
from onprem_csms.web.api import (
    chargers,
    commands,
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
    Route("GET", "/chargers", "viewer", chargers.find),
    Route("POST", "/chargers", "admin", chargers.create),
    Route("GET", "/chargers/{id}", "viewer", chargers.get),
    Route("PATCH", "/chargers/{id}", "admin", chargers.change),
    Route("DELETE", "/chargers/{id}", "admin", chargers.remove),
    Route("POST", "/chargers/{id}/password", "admin", chargers.reset_password),
    Route("PATCH", "/chargers/{id}/connectors/{number}", "admin", chargers.change_connector),
    Route("GET", "/chargers/{id}/messages", "viewer", chargers.messages),
    Route("GET", "/chargers/{id}/configuration", "viewer", chargers.settings),
    Route("GET", "/chargers/{id}/charging-profiles", "viewer", profiles.in_force),
    # Refused connection attempts
    Route("GET", "/unknown-chargers", "viewer", chargers.unknown),
    Route("POST", "/unknown-chargers/{identity}/accept", "admin", chargers.accept),
    Route("DELETE", "/unknown-chargers/{identity}", "admin", chargers.dismiss),
    # Commands
    Route("GET", "/chargers/{id}/commands", "viewer", commands.find),
    Route("POST", "/chargers/{id}/commands/{command}", "admin", commands.send),
    Route("GET", "/chargers/{id}/commands/{command}", "viewer", commands.get),
    Route("GET", "/commands/{id}", "viewer", commands.get_any),
    # Sessions
    Route("GET", "/sessions", "viewer", sessions.find),
    Route("GET", "/sessions/{id}", "viewer", sessions.get),
    Route("GET", "/sessions/{id}/readings", "viewer", sessions.readings),
    Route("POST", "/sessions/{id}/stop", "desk", sessions.stop),
    Route("POST", "/sessions/{id}/close", "admin", sessions.close),
    # Reservations
    Route("GET", "/reservations", "viewer", reservations.find),
    Route("POST", "/reservations", "desk", reservations.create),
    Route("GET", "/reservations/{id}", "viewer", reservations.get),
    Route("DELETE", "/reservations/{id}", "desk", reservations.cancel),
    # Charging profiles
    Route("GET", "/charging-profiles", "viewer", profiles.find),
    Route("POST", "/charging-profiles", "admin", profiles.create),
    Route("GET", "/charging-profiles/{id}", "viewer", profiles.get),
    Route("PATCH", "/charging-profiles/{id}", "admin", profiles.change),
    Route("DELETE", "/charging-profiles/{id}", "admin", profiles.remove),
    Route("POST", "/charging-profiles/{id}/apply", "admin", profiles.apply),
    # Cards
    Route("GET", "/tokens", "viewer", tokens.find),
    Route("POST", "/tokens", "desk", tokens.create),
    Route("GET", "/tokens/{token}", "viewer", tokens.get),
    Route("PATCH", "/tokens/{token}", "desk", tokens.change),
    Route("DELETE", "/tokens/{token}", "admin", tokens.remove),
    # People
    Route("GET", "/people", "viewer", people.find),
    Route("POST", "/people", "desk", people.create),
    Route("GET", "/people/{id}", "viewer", people.get),
    Route("PATCH", "/people/{id}", "desk", people.change),
    Route("DELETE", "/people/{id}", "admin", people.remove),
    # Money
    Route("GET", "/wallets", "viewer", wallets.find),
    Route("POST", "/wallets", "desk", wallets.create),
    Route("GET", "/wallets/{id}", "viewer", wallets.get),
    Route("GET", "/wallets/{id}/movements", "viewer", wallets.movements),
    Route("GET", "/topups", "viewer", wallets.find_top_ups),
    Route("POST", "/topups", "desk", wallets.top_up),
    Route("GET", "/topups/{id}", "viewer", wallets.get_top_up),
    Route("GET", "/ledger", "viewer", ledger.find),
    Route("GET", "/ledger/{id}", "viewer", ledger.get),
    Route("GET", "/tariffs", "viewer", tariffs.find),
    Route("POST", "/tariffs", "admin", tariffs.create),
    Route("GET", "/tariffs/{id}", "viewer", tariffs.get),
    Route("PATCH", "/tariffs/{id}", "admin", tariffs.change),
    Route("DELETE", "/tariffs/{id}", "admin", tariffs.remove),
    Route("POST", "/tariffs/{id}/default", "admin", tariffs.make_default),
    # Reviews and reports
    Route("GET", "/reviews", "viewer", reviews.find),
    Route("GET", "/reviews/{id}", "viewer", reviews.get),
    Route("POST", "/reviews/{id}/resolve", "admin", reviews.resolve),
    Route("GET", "/reports/today", "viewer", reports.today),
    Route("GET", "/reports/days", "viewer", reports.days),
    # This API itself
    Route("GET", "/openapi.json", "public", openapi),
)
