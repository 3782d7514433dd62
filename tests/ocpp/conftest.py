"""The charger endpoint on a real port before a real encrypted store, and clients that speak to it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yarl
from aiohttp import web

from onprem_csms.clock import SystemClock
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.chargers.commands import Command
from onprem_csms.domain.chargers.records import Quirk
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.events import Bus
from onprem_csms.ocpp.endpoint import server
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.link.connection import Connection
from onprem_csms.ocpp.link.stations import Stations
from onprem_csms.rfid.station import Readers
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory, records, sending
from onprem_csms.services.charging import presence, sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Context
from onprem_csms.services.core.ports import CommandResult
from onprem_csms.services.money import tariffs

PASSWORD = "correct-horse-battery"
# A loaded machine answers late: where an answer must come in time, there is time enough.
QUICK = Options(call_timeout_s=300, second_connection_wait_s=300, settle_s=0.1, close_wait_s=0.2)
IMPATIENT = replace(QUICK, call_timeout_s=3, second_connection_wait_s=0.5)
impatient = pytest.mark.parametrize("options", [IMPATIENT], ids=["impatient"])
"""Marks a test in which somebody is given up who does not answer."""


def basic(user: str, password: str | bytes) -> dict[str, str]:
    """Make the header of Basic authentication."""
    secret = password if isinstance(password, bytes) else password.encode()
    return {"Authorization": "Basic " + base64.b64encode(user.encode() + b":" + secret).decode()}


@dataclass
class Charger:
    """A charger made by hand: it says whatever a test wants, and keeps what it hears."""

    ws: aiohttp.ClientWebSocketResponse
    calls: int = 0
    heard: list[Any] = field(default_factory=list)

    async def say(self, frame: object) -> None:
        """Send a frame: text and bytes as they are, anything else as JSON."""
        if isinstance(frame, bytes):
            await self.ws.send_bytes(frame)
        else:
            await self.ws.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def hear(self, within: float | None = None) -> Any:
        """Return the next frame."""
        message = await self.ws.receive(timeout=within)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def silent(self, for_s: float = 0.15) -> bool:
        """Tell whether nothing is heard for a moment."""
        try:
            self.heard.append(await self.hear(for_s))
        except TimeoutError:
            return True
        return False

    async def call(self, action: str, payload: Any = None, id: object = None) -> Any:
        """Call and return the whole answer."""
        self.calls += 1
        id = f"c{self.calls}" if id is None else id
        await self.say([2, id, action, {} if payload is None else payload])
        return await self.hear()

    async def result(self, action: str, payload: Any = None) -> Any:
        """Call and return the payload of the answer, which must be a result."""
        answer = await self.call(action, payload)
        assert answer[0] == 3, answer
        return answer[2]

    async def boot(self) -> Any:
        """Boot as a decent charger does."""
        return await self.result("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})

    async def answer(self, payload: Any) -> Any:
        """Wait for a call and answer it; returns the call."""
        call = await self.hear()
        assert call[0] == 2, call
        await self.say([3, call[1], payload])
        return call

    @property
    def transport(self) -> asyncio.Transport:
        """What carries the connection."""
        connection = self.ws._response.connection
        assert connection is not None
        assert isinstance(connection.transport, asyncio.Transport)
        return connection.transport

    def cut(self) -> None:
        """Lose the connection without a word, as when the power goes."""
        self.transport.abort()

    async def closed(self) -> int | None:
        """Wait for the end; returns the close code."""
        while True:
            message = await self.ws.receive()
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                return self.ws.close_code


@dataclass
class Site:
    """One site: its store, its endpoint, and short words for what tests do with it."""

    ctx: Context
    stations: Stations
    port: int
    http: aiohttp.ClientSession

    @property
    def ws_url(self) -> str:
        """The address to type into a charger, without its identity."""
        return f"ws://127.0.0.1:{self.port}/ocpp/"

    async def do(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a service function as a durable transaction."""
        return await self.ctx.write(fn, *args, **kwargs)

    async def see(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a service function that only looks."""
        return await self.ctx.read(fn, *args, **kwargs)

    async def add(self, charger_id: str = "CP1", **more: Any) -> None:
        """Add a charger with the password of these tests."""
        await self.do(inventory.create, NewCharger(charger_id, **{"password": PASSWORD, **more}))

    def path(self, path: str) -> str:
        """Return a URL of the endpoint's host for a raw path."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def connect(
        self,
        identity: str = "CP1",
        *,
        path: str | None = None,
        headers: dict[str, str] | None = None,
        protocols: tuple[str, ...] = ("ocpp1.6",),
    ) -> Charger:
        """Connect with the right key, or with the headers given."""
        sent = basic(identity, PASSWORD) if headers is None else headers
        url = yarl.URL(self.path(path or f"/ocpp/{identity}"), encoded=True)
        ws = await self.http.ws_connect(url, headers=sent, protocols=protocols, autoping=True, max_msg_size=0)
        return Charger(ws)

    async def refused(self, identity: str = "CP1", **more: Any) -> int:
        """Try to connect; returns the status of the refusal."""
        try:
            charger = await self.connect(identity, **more)
        except aiohttp.WSServerHandshakeError as error:
            return error.status
        await charger.ws.close()
        return 101

    async def send(
        self, charger_id: str, action: str, request: Mapping[str, Any], *, origin: str, wait: bool = True
    ) -> CommandResult:
        """Send a request of the charger's own protocol."""
        order = self.ctx.stations.order(charger_id, action, request)
        return await sending.send(self.ctx, order, origin=origin, wait=wait)

    async def perform(self, charger_id: str, command: Command, *, origin: str) -> CommandResult:
        """Send a neutral command."""
        return await sending.perform(self.ctx, charger_id, command, origin=origin)

    def connection(self, charger_id: str = "CP1") -> Connection:
        """Return the server's side of a connection."""
        found = self.stations.get(charger_id)
        assert found is not None
        return found

    async def sessions(self, **wanted: Any) -> list[SessionView]:
        """Return the sessions, newest first."""
        found: list[SessionView] = await self.see(sessions.find, SessionFilter(**wanted))
        return found

    async def quirks(self, charger_id: str = "CP1") -> dict[str, Quirk]:
        """Return the counters of a charger, after what is in memory was stored."""
        connection = self.stations.get(charger_id)
        if connection is not None:
            counts = connection.take_quirks()
            await self.do(presence.count_quirks, charger_id, counts)
        return {quirk.kind: quirk for quirk in await self.see(records.quirks, charger_id)}

    async def messages_stored(self) -> None:
        """Wait until the raw messages so far are in the store: they go there with the next group."""
        await self.do(lambda _: None)

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition holds, asking often; returns what it gave."""
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_site(
    folder: Path, options: Options = QUICK, settings: SiteSettings | None = None
) -> AsyncIterator[Site]:
    """Start a site in a folder, an old one or a new one."""
    data = DataFolder(folder)
    if not data.database.exists():
        keys.create(data)
    bus, clock, settings = Bus(), SystemClock(), settings or SiteSettings()
    store = await Database.open(data.database, keys.unlock(data), clock=clock, bus=bus, settings=settings)
    stations = server.stations(options)
    ctx = Context(store, bus, clock, settings, stations, Readers((), bus, clock))
    app = web.Application()
    server.setup(app, ctx, options)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        yield Site(ctx, stations, runner.addresses[0][1], http)
    await runner.cleanup()
    await store.close()


@pytest.fixture
def options() -> Options:
    """The settings of the charger endpoint; a test of its patience sets others."""
    return QUICK


@pytest.fixture
async def site(tmp_path: Path, options: Options) -> AsyncIterator[Site]:
    """A site with the charger CP1, a default tariff and the personal card 04A1B2C3."""
    async with open_site(tmp_path / "data", options) as made:
        await made.add("CP1")
        tariff = simple_tariff("Standard", "HUF", per_kwh="149", vat_percent="27", timezone="Europe/Budapest")
        stored = await made.do(tariffs.create, tariff)
        await made.do(tariffs.make_default, getattr(stored, "id", stored))
        await made.do(cards.create, NewCard(uid="04A1B2C3", kind="personal"))
        yield made


@pytest.fixture
def other_settings() -> Callable[..., SiteSettings]:
    """Make settings that differ from the defaults."""
    return lambda **changes: replace(SiteSettings(), **changes)


UNTIL = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
RESERVE = {"connectorId": 1, "expiryDate": "2030-01-02T03:04:05Z", "idTag": "A1", "reservationId": 7}
PROFILE = {
    "chargingProfileId": 5,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.1}],
    },
}


async def ask(
    site: Site, charger: Charger, action: str, request: Mapping[str, Any], answer: Mapping[str, Any]
) -> CommandResult:
    """Send a command and let the charger answer it."""
    asking = asyncio.create_task(site.send("CP1", action, request, origin="test"))
    call = await charger.answer(answer)
    assert call[2:] == [action, request]
    return await asking
