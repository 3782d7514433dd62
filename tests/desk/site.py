"""The whole program on a free port: a reader on a pseudo-terminal, a clerk, prices, a charger that isn't ours."""

import asyncio
import contextlib
import os
import re
import tty
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import websockets
from aiohttp import ClientResponse, ClientSession, CookieJar
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.typing import Subprotocol

from onprem_csms import app
from onprem_csms.config import Config, Prepaid, Server, Site
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.access.actor import Actor
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.domain.secrets import hash_pin
from onprem_csms.rfid.serial_port import Pace
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import NewOperator
from onprem_csms.services.cards import cards, people
from onprem_csms.services.cards.cards import Card, NewCard
from onprem_csms.services.cards.people import NewPerson
from onprem_csms.services.chargers import inventory
from onprem_csms.services.core import logins
from onprem_csms.services.core.context import Context
from onprem_csms.services.core.logins import Owner
from onprem_csms.services.core.ports import DeskTap
from onprem_csms.services.money import tariffs, wallets
from onprem_csms.services.money.wallets import Movement, TopUp

ANNA, NEW, OTHER = "04A1B2C3D4E580", "0477AA55BB22CC", "04FFEE11223344"
PIN = "471108"
CLERK, CLERK_PASSWORD = "Béla", "a password of the desk"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


class PlugReader:
    """A reader whose device appears when it is plugged in and vanishes when it is unplugged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master: int | None = None

    def plug(self) -> None:
        """Put the device where the path leads."""
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        """Hang the line up, as the kernel does when the plug is drawn."""
        self.path.unlink(missing_ok=True)
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def tap(self, uid: str) -> None:
        """Hold a card to it."""
        assert self.master is not None
        os.write(self.master, f"{uid}\r\n".encode())


@dataclass
class DeskSite:
    """The running program and short words for what tests do with it."""

    ctx: Context
    base: str
    reader: PlugReader
    clerk: int

    @property
    def at_desk(self) -> Context:
        """The context of the clerk, who acts."""
        return self.ctx.acting(Actor("operator", CLERK, str(self.clerk), "desk"))

    async def prepaid(self, uid: str = ANNA, amount: int = 5_000, name: str = "Kovács Anna") -> Card:
        """Issue a prepaid card with a PIN and a balance."""
        person = await self.ctx.write(people.create, NewPerson(name))
        new = NewCard(uid, "prepaid", person_id=person.id, pin_hash=hash_pin(PIN))
        card = await self.ctx.write(cards.create, new)
        assert card.wallet is not None
        if amount:
            await self.ctx.write(wallets.top_up, TopUp(card.wallet.id, amount, f"before {uid}"))
        return await self.card(uid)

    async def personal(self, uid: str = OTHER, name: str = "Nagy Péter") -> Card:
        """Issue a personal card with a PIN."""
        person = await self.ctx.write(people.create, NewPerson(name))
        return await self.ctx.write(
            cards.create, NewCard(uid, "personal", person_id=person.id, pin_hash=hash_pin(PIN))
        )

    async def card(self, uid: str = ANNA) -> Card:
        """Look at a card."""
        return await self.ctx.read(cards.get, uid)

    async def balance(self, uid: str = ANNA) -> int:
        """Look at a card's balance."""
        wallet = (await self.card(uid)).wallet
        assert wallet is not None
        return wallet.balance

    async def available(self, uid: str = ANNA) -> int:
        """Look at what of a card's balance can be spent."""
        wallet = (await self.card(uid)).wallet
        assert wallet is not None
        return wallet.available

    async def movements(self, uid: str = ANNA) -> list[Movement]:
        """Look at what was booked on a card, newest first."""
        wallet = (await self.card(uid)).wallet
        assert wallet is not None
        return await self.ctx.read(wallets.movements, wallet.id)

    async def tap_again(self, uid: str) -> DeskTap:
        """Hold a card to the reader that lay there just now: long enough after for it to be another tap."""
        await asyncio.sleep(Pace().hold_s + 0.1)
        return await self.tap(uid)

    async def tap(self, uid: str) -> DeskTap:
        """Hold a card to the reader and wait until the station has it."""
        before = self.ctx.readers.last_tap("desk")
        number = before.number if before else 0
        await self.until(self._connected, "desk")
        news = self.ctx.bus.subscribe({"desk"})
        self.reader.tap(uid)
        async for _ in news:
            tap = self.ctx.readers.last_tap("desk")
            if tap is not None and tap.number > number:
                news.close()
                return tap
        raise AssertionError

    def _connected(self) -> bool:
        return self.ctx.readers.states()[0].state == "connected"

    async def until(self, true: Callable[[], object], topic: str) -> None:
        """Wait for the events after which something is true."""
        news = self.ctx.bus.subscribe({topic})
        while not true():
            await anext(news)
        news.close()

    async def slug(self, charger_id: str = "CP1", number: int = 1) -> str:
        """Return the slug of a connector's code."""
        found = await self.ctx.read(inventory.get, charger_id)
        slug = next(one.slug for one in found.connectors if one.number == number)
        assert slug is not None
        return slug

    async def operator_secret(self) -> str:
        """Sign the clerk in; returns the cookie's value."""
        return await self.ctx.write(logins.begin, Owner("operator", self.clerk))

    async def driver_secret(self, uid: str = ANNA) -> str:
        """Sign a driver in; returns the cookie's value."""
        return await self.ctx.write(logins.begin, Owner("driver", card_id=(await self.card(uid)).id))


class Pages:
    """A browser without a screen: follows redirects, keeps cookies, fills the forms of the page it is on."""

    def __init__(self, site: DeskSite, http: ClientSession) -> None:
        self.site, self.http = site, http
        self.status, self.url, self.text = 0, "", ""

    async def get(self, path: str) -> str:
        """Open a page."""
        async with self.http.get(self.site.base + path) as answer:
            return await self._take(answer)

    async def post(self, path: str, **fields: str | int) -> str:
        """Send a form with the hidden fields of the page it stands on."""
        hidden = dict(HIDDEN.findall(self.text))
        async with self.http.post(self.site.base + path, data={**hidden, **fields}) as answer:
            return await self._take(answer)

    async def _take(self, answer: ClientResponse) -> str:
        self.status, self.url, self.text = answer.status, answer.url.path, await answer.text()
        return self.text


@contextlib.asynccontextmanager
async def pages(site: DeskSite, **cookies: str) -> AsyncIterator[Pages]:
    """Open a browser without a screen, signed in by these cookies; it reads English."""
    jar = CookieJar(unsafe=True)
    headers = {"Accept-Language": "en", "Origin": site.base}
    async with ClientSession(cookie_jar=jar, cookies=cookies, headers=headers) as http:
        yield Pages(site, http)


@contextlib.asynccontextmanager
async def running(folder: Path, start_timeout: int = 90) -> AsyncIterator[DeskSite]:
    """Run the program with a clerk, prices and a charger CP1 that is accepted without a password."""
    data = DataFolder(folder / "data")
    keys.create(data)
    reader = PlugReader(folder / "reader")
    reader.plug()
    config = Config(
        server=Server(host="127.0.0.1", port=0),
        site=Site(name="Duna Parkoló"),
        prepaid=Prepaid(start_timeout=start_timeout),
        readers=(ReaderConfig("desk", str(reader.path), name="Front desk"),),
    )
    try:
        async with app.running(config, data) as program:
            ctx = program.ctx
            clerk = await operators.add(ctx, NewOperator(CLERK, CLERK_PASSWORD, "desk", "en"))
            await ctx.write(tariffs.create, _tariff(), is_default=True)
            await ctx.write(inventory.create, NewCharger("CP1", "Front car park", security_profile=0))
            await ctx.write(inventory.ensure_connector, "CP1", Place(0, 1))
            yield DeskSite(ctx, f"http://127.0.0.1:{program.port}", reader, clerk)
    finally:
        reader.unplug()


def _tariff() -> Any:
    return simple_tariff(
        "Standard",
        "HUF",
        start_fee="300",
        per_kwh="149",
        idle_per_minute="10.5",
        idle_grace_minutes=15,
        vat_percent="27",
        timezone="Europe/Budapest",
    )


class Charger(ChargePoint):  # type: ignore[misc]
    """A charger of another make: the ``ocpp`` package's client. ``answer`` is what it says to a start."""

    def __init__(self, connection: Any) -> None:
        super().__init__("CP1", connection)
        self.answer = "Accepted"
        self.told_to_start = asyncio.Event()
        self.told_to_stop = asyncio.Event()
        self.starts = 0
        self.transaction = 0
        self.register = 10_000

    @on("RemoteStartTransaction")
    def on_start(self, **_: Any) -> Any:
        self.starts += 1
        self.told_to_start.set()
        return call_result.RemoteStartTransaction(status=self.answer)

    @on("RemoteStopTransaction")
    def on_stop(self, **_: Any) -> Any:
        self.told_to_stop.set()
        return call_result.RemoteStopTransaction(status="Accepted")

    async def wake(self) -> None:
        """Boot and report a free connector."""
        await self.call(call.BootNotification("Model", "Maker"))
        await self.status("Available")

    async def status(self, status: str) -> None:
        """Report the connector's state."""
        await self.call(call.StatusNotification(1, "NoError", status, timestamp=now()))

    async def begin(self, uid: str) -> None:
        """Report that a session began now."""
        answer = await self.call(call.StartTransaction(1, uid, self.register, now()))
        self.transaction = answer.transaction_id

    async def meter(self, energy: int, power: int = 11_000) -> None:
        """Deliver energy and report it, with the power."""
        self.register += energy
        values = [
            {"value": str(self.register)},
            {"value": str(power), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        await self.call(call.MeterValues(1, [{"timestamp": now(), "sampledValue": values}], self.transaction))

    async def stop(self) -> None:
        """Report that the session ended now."""
        await self.call(call.StopTransaction(self.register, now(), self.transaction, reason="Remote"))
        await self.status("Available")


def now() -> str:
    """Return the time as it goes onto the wire."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextlib.asynccontextmanager
async def charger(site: DeskSite) -> AsyncIterator[Charger]:
    """Connect CP1 and let it listen."""
    address = f"{site.base.replace('http', 'ws')}/ocpp/CP1"
    async with websockets.connect(address, subprotocols=[Subprotocol("ocpp1.6")]) as socket:
        one = Charger(socket)
        listening = asyncio.create_task(ChargePoint.start(one))
        try:
            await one.wake()
            yield one
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
