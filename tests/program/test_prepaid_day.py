"""The day of a prepaid card against the running program, with parts that are not ours.

The charger is the ``ocpp`` package's client over ``websockets``, the card reader a pseudo-terminal,
desk and driver sit at a real browser.
"""

import asyncio
import base64
import os
import re
import tty
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from playwright.async_api import Browser, Page, async_playwright, expect
from websockets import Subprotocol

from tests.browser.patience import patient
from tests.program.conftest import Program, csms, started

UID = "04A1B2C3D4E580"
HOLDER = "Árvíztűrő Anna"
PIN = "904862"
PASSWORD = "charger-password-1"
OPERATOR, OPERATOR_PASSWORD = "bela", "correct horse battery"
POWER_W = 150_000
STEP_WH = 400


class Charger(ChargePoint):  # type: ignore[misc]
    """A charger of 150 kW that does what it is told, and delivers in moments what takes minutes."""

    def __init__(self, connection: Any) -> None:
        super().__init__("DC1", connection)
        self.register = 1_000_000
        self.transaction: int | None = None
        self.told_to_start = asyncio.Event()
        self.told_to_stop = asyncio.Event()

    @on("RemoteStartTransaction")
    def on_start(self, **_: Any) -> Any:
        self.told_to_start.set()
        return call_result.RemoteStartTransaction(status="Accepted")

    @on("RemoteStopTransaction")
    def on_stop(self, transaction_id: int) -> Any:
        assert transaction_id == self.transaction
        self.told_to_stop.set()
        return call_result.RemoteStopTransaction(status="Accepted")

    @staticmethod
    def now() -> str:
        """Return the time as it goes onto the wire."""
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def wake(self) -> None:
        """Boot and report a free connector."""
        booted = await self.call(call.BootNotification(charge_point_model="X", charge_point_vendor="Y"))
        assert booted.status == "Accepted"
        await self.status("Available")

    async def status(self, status: str) -> None:
        """Report the connector's state."""
        await self.call(
            call.StatusNotification(connector_id=1, error_code="NoError", status=status, timestamp=self.now())
        )

    async def may(self) -> str:
        """Ask whether the card may charge."""
        answer = await self.call(call.Authorize(id_tag=UID))
        return str(answer.id_tag_info["status"])

    async def listen(self) -> None:
        """Run the client's own loop."""
        await ChargePoint.start(self)

    async def begin(self) -> str:
        """Begin a session and return the verdict on the card."""
        self.told_to_stop.clear()
        answer = await self.call(
            call.StartTransaction(connector_id=1, id_tag=UID, meter_start=self.register, timestamp=self.now())
        )
        self.transaction = answer.transaction_id
        return str(answer.id_tag_info["status"])

    async def meter(self, energy: int) -> None:
        """Deliver energy and report the register."""
        self.register += energy
        power = {"value": str(POWER_W), "measurand": "Power.Active.Import", "unit": "W"}
        value = {"timestamp": self.now(), "sampledValue": [{"value": str(self.register)}, power]}
        await self.call(
            call.MeterValues(connector_id=1, transaction_id=self.transaction, meter_value=[value])
        )

    async def stop(self, reason: str) -> None:
        """End the session."""
        await self.call(
            call.StopTransaction(
                transaction_id=self.transaction,
                meter_stop=self.register,
                timestamp=self.now(),
                id_tag=UID,
                reason=reason,
            )
        )


@dataclass
class Reader:
    """A card reader on a pseudo-terminal."""

    master: int
    path: str

    def tap(self) -> None:
        """Hold the card to it."""
        os.write(self.master, f"{UID}\r\n".encode())


@dataclass
class Day:
    """The site of one day: program, reader, browser and charger."""

    program: Program
    reader: Reader
    browser: Browser
    balances: list[int] = field(default_factory=list)


@pytest.fixture
async def day(tmp_path: Path, chromium: Path, chromium_arguments: list[str]) -> AsyncIterator[Day]:
    """Everything is plugged in."""
    master, slave = os.openpty()
    tty.setraw(slave)
    reader = Reader(master, os.ttyname(slave))
    config = f'[[readers]]\nid = "front"\nname = "Front desk"\nport = "{reader.path}"\ndecoder = "line"\n'
    async with started(tmp_path, config) as program, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=chromium_arguments)
        yield Day(program, reader, browser)
        await browser.close()
    os.close(master)
    os.close(slave)


async def test_a_card_is_issued_charged_topped_up_used_on_the_phone_and_refused(day: Day) -> None:
    desk = await _set_up(day)
    await _issue(day, desk)
    token = base64.b64encode(f"DC1:{PASSWORD}".encode()).decode()
    async with websockets.connect(
        f"ws://127.0.0.1:{day.program.port}/ocpp/DC1",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers={"Authorization": f"Basic {token}"},
    ) as socket:
        charger = Charger(socket)
        listening = asyncio.create_task(charger.listen())
        await _day(day, desk, charger)
        listening.cancel()
    await _see_the_spending(day, desk)
    assert csms("verify", "--data-dir", day.program.folder) == "4 entries, 3 sessions: no faults\n"
    _no_plain_text(day.program.folder)


async def _set_up(day: Day) -> Page:
    """The admin follows the one-time link and sets prices and a charger up."""
    link = re.search(r"/setup/\S+", day.program.said)
    assert link is not None
    context = patient(await day.browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900}))
    page = await context.new_page()
    await page.goto(day.program.base + link[0])
    await page.get_by_label("Your name").fill(OPERATOR)
    for field_ in await page.locator("input[type=password]").all():
        await field_.fill(OPERATOR_PASSWORD)
    await page.locator("main form button").first.click()
    await expect(page.get_by_role("navigation").first).to_be_visible()
    prices = {"start_fee": "300", "per_kwh": "149"}
    tariff = {"name": "Standard", "currency": "HUF", "vat": "27", "prices": prices, "default": True}
    await day.program.api("POST", "/tariffs", tariff)
    await day.program.api("POST", "/chargers", {"id": "DC1", "name": "Garage", "password": PASSWORD})
    return page


async def _issue(day: Day, desk: Page) -> None:
    """An unknown card shows itself at the desk; it is issued with 5000 Ft and a PIN."""
    await desk.goto(f"{day.program.base}/desk")
    await expect(desk.get_by_text("Reader ready")).to_be_visible()
    day.reader.tap()
    await expect(desk.get_by_role("heading", name="New card")).to_be_visible()
    await desk.get_by_label("Holder’s name").fill(HOLDER)
    await desk.locator('label.tile:has(input[value="5000"])').click()
    await desk.get_by_label("PIN").fill(PIN)
    await desk.get_by_role("button", name="Issue the card").click()
    await expect(desk.get_by_role("heading", name="The card is issued")).to_be_visible()


async def _day(day: Day, desk: Page, charger: Charger) -> None:
    await charger.wake()
    await _charge_by_card(charger)
    left = await _balance(day)
    assert 0 <= left < 150, "the session should end just before the money is gone"
    assert await charger.may() == "Blocked"
    await _top_up(day, desk)
    await _charge_by_phone(day, charger)
    assert await _balance(day) < 300
    assert await charger.may() == "Blocked"
    assert await charger.begin() == "Blocked"
    await charger.stop("DeAuthorized")


async def _charge_by_card(charger: Charger) -> None:
    assert await charger.may() == "Accepted"
    assert await charger.begin() == "Accepted"
    await charger.status("Charging")
    # 5000 Ft pay 31.5 kWh; the last step before that must be followed by the word to stop.
    for _ in range(31_543 // STEP_WH):
        if charger.told_to_stop.is_set():
            break
        await charger.meter(STEP_WH)
    await charger.told_to_stop.wait()
    await charger.stop("Remote")
    await charger.status("Available")


async def _balance(day: Day) -> int:
    token = await day.program.api("GET", f"/tokens/{UID}")
    wallet = await day.program.api("GET", f"/wallets/{token['wallet']}")
    assert wallet["held"] == 0
    balance: int = wallet["balance"]
    return balance


async def _top_up(day: Day, desk: Page) -> None:
    """The known card shows itself; 1000 Ft are typed and confirmed."""
    before = await _balance(day)
    await desk.goto(f"{day.program.base}/desk")
    await expect(desk.get_by_text("Reader ready")).to_be_visible()
    await asyncio.sleep(1.6)  # the same card within 1.5 s is one tap
    day.reader.tap()
    await expect(desk.get_by_role("heading", name=HOLDER)).to_be_visible()
    await desk.get_by_label("Another amount").last.fill("1000")
    await desk.get_by_role("button", name="Confirm the top-up").click()
    await expect(desk.get_by_role("heading", name="booked")).to_be_visible()
    assert await _balance(day) == before + 1000


async def _charge_by_phone(day: Day, charger: Charger) -> None:
    """The driver scans the code, pays from the balance, watches, stops, and gets the rest back."""
    found = await day.program.api("GET", "/chargers/DC1")
    slug = next(connector["slug"] for connector in found["connectors"] if connector["number"] == 1)
    context = patient(await day.browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844}))
    phone = await context.new_page()
    await phone.goto(f"{day.program.base}/c/{slug}")
    await phone.get_by_label("Card number").fill(UID)
    await phone.get_by_label("PIN").fill(PIN)
    await phone.get_by_role("button", name="Sign in").click()
    await phone.get_by_role("button", name="Deduct and start").click()
    await charger.told_to_start.wait()
    await expect(phone.get_by_text("deducted", exact=False).first).to_be_visible()
    assert await charger.begin() == "Accepted"
    await charger.meter(4_000)
    await expect(phone.get_by_text("4.0", exact=False).first).to_be_visible()
    await phone.get_by_role("button", name="Stop charging").click()
    await charger.told_to_stop.wait()
    await charger.stop("Remote")
    await expect(phone.get_by_role("heading", name="Charging finished")).to_be_visible()
    await expect(phone.get_by_text("Given back to your balance")).to_be_visible()
    await charger.status("Available")
    await context.close()


async def _see_the_spending(day: Day, desk: Page) -> None:
    await desk.goto(f"{day.program.base}/desk/cards/{UID}")
    lines = desk.locator("#desk-spending tbody tr")
    await expect(lines).to_have_count(4)
    await expect(lines.first).to_contain_text("Garage")


def _no_plain_text(folder: Path) -> None:
    for file in folder.iterdir():
        content = file.read_bytes()
        for secret in (HOLDER.encode(), UID.encode(), b"Garage", PASSWORD.encode(), b"StartTransaction"):
            assert secret not in content, file.name
