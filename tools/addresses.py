"""Every address at which the product answers, read from the sites' own route tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from onprem_csms.services.core.context import Context
from onprem_csms.web.admin import routes as admin
from onprem_csms.web.api import routes as api
from onprem_csms.web.api.route import PREFIX
from onprem_csms.web.driver import routes as driver
from onprem_csms.web.guards import guard_of


@dataclass(frozen=True, slots=True)
class Address:
    """One route: ``pattern`` matches the paths it answers."""

    method: str
    path: str
    guard: str
    pattern: re.Pattern[str]


def pages() -> list[Address]:
    """The routes of the operators', desk's and drivers' sites, in the order of their tables."""
    app = web.Application()
    # The tables only name their views; nothing of the context is asked for before a request comes.
    nothing = cast("Context", None)
    admin.add(app, nothing)
    driver.add(app, nothing)
    return list(_addresses(app))


def _addresses(app: web.Application) -> Iterator[Address]:
    for route in app.router.routes():
        resource = route.resource
        if resource is None or route.method == "HEAD":
            continue
        info = resource.get_info()
        pattern = info.get("pattern") or re.compile(re.escape(info["path"]))
        guard = guard_of(route.handler)
        yield Address(route.method, resource.canonical, guard.name if guard else "", pattern)


def api_paths() -> list[tuple[str, str]]:
    """The routes of the API, as (method, path)."""
    return [(route.method, f"{PREFIX}{route.path}") for route in api.ROUTES]
