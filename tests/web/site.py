"""A site with its pages for tests: the real program on a free port, furnished through its own services."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import ClientResponse, ClientSession, CookieJar

from onprem_csms import app, config
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.chargers.chargers import NewCharger, StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import NewOperator
from onprem_csms.services.cards import cards, people
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.cards.people import NewPerson
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import presence, reports
from onprem_csms.services.core.context import Context, Tx
from onprem_csms.services.money import tariffs, wallets
from onprem_csms.services.money.wallets import TopUp
from tests import reporting

PASSWORD = "correct horse battery"
CHARGER, CARD = "GARAGE/1", "04A1B2C3D4E5F6"


@dataclass
class Visitor:
    """A browser without a screen: keeps cookies, follows nothing by itself."""

    http: ClientSession
    base: str
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> "Page":
        """Ask for a page."""
        return await self.request("GET", path, None, headers)

    async def post(self, path: str, data: dict[str, str] | None = None, **headers: str) -> "Page":
        """Send a form, as one of our own pages does."""
        return await self.request("POST", path, data or {}, {"Origin": self.base, **headers})

    async def request(
        self, method: str, path: str, data: dict[str, str] | None, headers: dict[str, str]
    ) -> "Page":
        """Send any request."""
        named = {name.replace("_", "-"): value for name, value in {**self.headers, **headers}.items()}
        url = self.base + path
        async with self.http.request(
            method, url, data=data, headers=named, allow_redirects=False
        ) as response:
            return Page(response, await response.text())

    async def sign_in(self, name: str) -> "Visitor":
        """Sign in as an operator."""
        page = await self.post("/admin/sign-in", {"name": name, "password": PASSWORD})
        assert page.status == 303, page.text
        return self


@dataclass
class Page:
    """An answer with its text."""

    response: ClientResponse
    text: str

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.response.headers.get("Location", "")


@dataclass
class Site:
    """The running program and its visitors."""

    ctx: Context
    base: str
    stack: contextlib.AsyncExitStack

    async def visitor(self, **headers: str) -> Visitor:
        """A new browser."""
        http = ClientSession(cookie_jar=CookieJar(unsafe=True))
        await self.stack.enter_async_context(http)
        return Visitor(http, self.base, headers)

    async def signed_in(self, name: str = "admin") -> Visitor:
        """A browser with a signed-in operator: "admin", "clerk" (desk) or "viewer"."""
        return await (await self.visitor()).sign_in(name)

    async def do(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a service function as a durable transaction."""
        return await self.ctx.write(fn, *args, **kwargs)


@contextlib.asynccontextmanager
async def running_site(
    folder: Path, *, furnished: bool = True, server: dict[str, Any] | None = None
) -> AsyncIterator[Site]:
    """Run the program in a folder, with three operators and a small site."""
    data = DataFolder(folder)
    keys.create(data)
    own = {"host": "127.0.0.1", "port": 0, **(server or {})}
    settings = config.parse({"server": own, "site": {"name": "Teszt telephely"}})
    async with app.running(settings, data) as program, contextlib.AsyncExitStack() as stack:
        site = Site(program.ctx, f"http://127.0.0.1:{program.port}", stack)
        if furnished:
            await operators.add(site.ctx, NewOperator("admin", PASSWORD, "admin"))
            await operators.add(site.ctx, NewOperator("clerk", PASSWORD, "desk"))
            await operators.add(site.ctx, NewOperator("viewer", PASSWORD, "viewer"))
            await furnish(site)
        yield site


async def furnish(site: Site) -> None:
    """Add a charger with two connectors, a tariff, a person with a prepaid card, one session of each kind."""
    await site.do(_build)
    await site.do(_charge)


def _build(tx: Tx) -> None:
    tariffs.create(tx, simple_tariff("Nappali", "HUF", per_kwh="149", start_fee="300", vat_percent="27"))
    inventory.create(tx, NewCharger(CHARGER, "Garázs <bal>", password="a-long-password"))
    for number, status in ((1, "charging"), (2, "faulted")):
        inventory.ensure_connector(tx, CHARGER, Place(0, number))
        error = "GroundFailure" if status == "faulted" else ""
        presence.status_changed(
            tx,
            StatusChange(CHARGER, Place(0, number), "faulted" if error else "charging", tx.now, error),
        )
    person = people.create(tx, NewPerson("Kovács Ágnes"))
    card = cards.create(tx, NewCard(CARD, "prepaid", person_id=person.id))
    assert card.wallet is not None
    wallets.top_up(tx, TopUp(card.wallet.id, 50_000, "first"))


def _charge(tx: Tx) -> None:
    begin = tx.now - timedelta(hours=3)
    ended = reports.take(tx, reporting.begin((CHARGER, 2), CARD, 1_000, begin)).reference
    later = begin + timedelta(hours=1)
    reports.take(tx, reporting.readings((CHARGER, 2), ended, (Reading(later, 8_000, 7_000),)))
    reports.take(tx, reporting.end(CHARGER, ended, 8_500, later + timedelta(minutes=5)))
    begin = tx.now - timedelta(minutes=20)
    running = reports.take(tx, reporting.begin((CHARGER, 1), CARD, 20_000, begin)).reference
    reading = Reading(tx.now - timedelta(minutes=1), 22_000, 11_000)
    reports.take(tx, reporting.readings((CHARGER, 1), running, (reading,)))


def charger_path(tab: str = "") -> str:
    """The address of the test's charger."""
    return f"/admin/chargers/{quote(CHARGER, safe='')}" + (f"/{tab}" if tab else "")
