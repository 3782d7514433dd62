"""A simulated charger: it boots, reports, serves visitors and does what the server asks."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp

from onprem_csms.demo import obedience
from onprem_csms.demo.link import Address, Link, OfflineError, Payload, RefusedError
from onprem_csms.demo.outlet import Outlet, Pace, Say, Socket, timestamp
from onprem_csms.demo.quirks import oddly
from onprem_csms.demo.visitors import Visitors

log = logging.getLogger(__name__)
_FAULTS = ("GroundFailure", "HighTemperature", "ConnectorLockFailure", "OverVoltage")


@dataclass(frozen=True, slots=True)
class Make:
    """What is written on a charger; ``password`` None for one without, ``odd`` for the one with quirks.

    Nobody comes by to a ``quiet`` one: it waits for the visitor of the demo.
    """

    id: str
    vendor: str
    model: str
    sockets: tuple[Socket, ...]
    password: str | None = None
    odd: bool = False
    quiet: bool = False


class Charger:
    """One charger and its connectors."""

    def __init__(self, make: Make, visitors: Visitors, pace: Pace, seed: int) -> None:
        self.make = make
        self.pace = pace
        self.random = Random(f"{seed} {make.id}")  # noqa: S311 - a play, to be played again
        self.settings = obedience.factory_settings(len(make.sockets))
        self.list_version: int = 0
        self.link: Link
        self._visitors = visitors
        self._heartbeat_s = 300.0
        self._booted = False
        self._tasks: set[asyncio.Task[None]] = set()
        say = Say(now=self.say, surely=self.say_surely)
        self.outlets = [
            Outlet(number, socket, say, self.random) for number, socket in enumerate(make.sockets, start=1)
        ]

    async def run(self, http: aiohttp.ClientSession, base_url: str) -> None:
        """Live until cancelled; ``base_url`` is what a charger is told, such as ``ws://localhost:8080/ocpp``."""
        subprotocol = None if self.make.odd else "ocpp1.6"
        address = Address(f"{base_url}/{self.make.id}", self.make.id, self.make.password, subprotocol)
        self.link = Link(http, address, self)
        self.later(self._beat())
        self.later(self._lose_touch())
        if not self.make.quiet:
            for outlet in self.outlets:
                self.later(self._serve(outlet))
        try:
            await self.link.run(lambda: self.random.uniform(2, 6))
        finally:
            while self._tasks:
                for task in self._tasks:
                    task.cancel()
                # Once more: a visit that is broken off wants to report that, on a line that is gone.
                await asyncio.wait(self._tasks, timeout=0.2)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside; it ends with the charger."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ speaking

    async def say(self, action: str, payload: Payload) -> Payload:
        """Send a request; OfflineError, RefusedError."""
        return await self.link.call(action, oddly(action, payload) if self.make.odd else payload)

    async def say_surely(self, action: str, payload: Payload) -> Payload:
        """Send a request until it is answered."""
        return await self.link.deliver(action, oddly(action, payload) if self.make.odd else payload)

    def obey(self, action: str, payload: Payload) -> Payload | None:
        """Answer the server."""
        return obedience.obey(self, action, payload)

    async def connected(self) -> None:
        """Boot when the power came on, and say how every connector is."""
        if not self._booted:
            await self.boot()
            self._booted = True
        await self.say("StatusNotification", self.own_status())
        for outlet in self.outlets:
            await self.say("StatusNotification", outlet.status_payload())

    async def boot(self) -> None:
        """Send BootNotification until it is accepted."""
        payload = {
            "chargePointVendor": self.make.vendor,
            "chargePointModel": self.make.model,
            "chargePointSerialNumber": f"SN-{self.make.id}",
            "firmwareVersion": "2.4.1",
        }
        answer = await self.say("BootNotification", payload)
        while answer["status"] != "Accepted":
            await asyncio.sleep(min(float(answer["interval"]), 10.0))
            answer = await self.say("BootNotification", payload)
        self._heartbeat_s = float(answer["interval"]) or self._heartbeat_s

    def own_status(self) -> Payload:
        """Return the StatusNotification of the charger as a whole."""
        return {
            "connectorId": 0,
            "errorCode": "NoError",
            "status": "Available",
            "timestamp": timestamp(),
        }

    # ------------------------------------------------------------------ living

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            with contextlib.suppress(OfflineError, RefusedError):
                await self.say("Heartbeat", {})

    async def _lose_touch(self) -> None:
        """Now and then the network is gone for a while; what runs goes on and is told later."""
        while True:
            await asyncio.sleep(self.random.uniform(*self.pace.touch_s))
            await self.link.hang_up(self.random.uniform(*self.pace.away_s))

    async def _serve(self, outlet: Outlet) -> None:
        """Let visitors come to a connector, and now and then a fault."""
        await self.link.wait_until_up()
        low, high = self.pace.pause_s
        await asyncio.sleep(self.random.uniform(0, low))
        while True:
            if outlet.free and outlet.reservation is None:
                await self._something_happens(outlet)
            await asyncio.sleep(self.random.uniform(low, high))

    async def _something_happens(self, outlet: Outlet) -> None:
        try:
            if self.random.randrange(self.pace.fault_every) == 0:
                await self._break(outlet)
                return
            with self._visitors.one(self.random) as uid:
                if uid is not None:
                    await outlet.visit(uid, self.pace)
        except RefusedError as error:
            log.warning(
                "%s, connector %d: the server refused a message: %s", self.make.id, outlet.number, error
            )

    async def _break(self, outlet: Outlet) -> None:
        outlet.busy = True
        await outlet.become("Faulted", self.random.choice(_FAULTS))
        await asyncio.sleep(self.pace.fault_s)
        outlet.busy = False
        await outlet.become("Available")

    async def start_for(self, outlet: Outlet, uid: str) -> None:
        """Begin a session that the server asked for."""
        try:
            await outlet.visit(uid, self.pace, asked_for=True)
        except RefusedError as error:
            log.warning("%s: the server refused a message: %s", self.make.id, error)

    async def restart(self, reason: str) -> None:
        """Stop what runs, drop the connection and boot again."""
        for outlet in self.outlets:
            if outlet.busy:
                outlet.end(reason)
        await asyncio.sleep(0.5)
        self._booted = False
        await self.link.hang_up(away_s=1.5)
