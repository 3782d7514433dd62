"""One connector of a simulated charger: what happens between plugging in and driving away."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from onprem_csms.demo.car import Car, Current, arriving_car

Payload = dict[str, Any]
_VOLTS = {"ac": 230.0, "dc": 400.0}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the demo lives, in real seconds; ``hurry`` makes batteries so many times smaller.

    Between two customers a connector is free for ``pause_s``; one visit in ``fault_every`` is a fault instead.
    A charger keeps its connection for ``touch_s``, then loses it for ``away_s``.
    """

    meter_s: float = 5.0
    plug_s: float = 3.0
    pause_s: tuple[float, float] = (5.0, 40.0)
    idle_s: tuple[float, float] = (5.0, 30.0)
    fault_s: float = 25.0
    fault_every: int = 12
    touch_s: tuple[float, float] = (240.0, 1200.0)
    away_s: tuple[float, float] = (5.0, 30.0)
    hurry: float = 30.0


@dataclass(frozen=True, slots=True)
class Socket:
    """What a connector can do."""

    current: Current
    power_w: int


@dataclass(slots=True)
class Say:
    """How a connector speaks: ``now`` gives up when offline, ``surely`` sends until it is answered."""

    now: Callable[[str, Payload], Awaitable[Payload]]
    surely: Callable[[str, Payload], Awaitable[Payload]]


class Outlet:
    """The state of one connector, and the story of one session."""

    def __init__(self, number: int, socket: Socket, say: Say, random: Random) -> None:
        self.number = number
        self.socket = socket
        self.status = "Available"
        self.error = "NoError"
        self.operative = True
        self.limit_w: float | None = None
        self.transaction: int | None = None
        self.reservation: tuple[int, str] | None = None
        self.busy = False
        self.register_wh = random.randrange(200_000, 4_000_000) * 1.0
        self.sample_s: float | None = None
        self._say = say
        self._random = random
        self._power_w = 0.0
        self._read_at = asyncio.get_running_loop().time()
        self._stop = asyncio.Event()
        self._stop_reason = ""

    @property
    def free(self) -> bool:
        """Tell whether a car may plug in."""
        return self.operative and not self.busy and self.status in ("Available", "Preparing", "Reserved")

    def end(self, reason: str) -> None:
        """End the running session, for a reason in OCPP's words."""
        self._stop_reason = reason
        self._stop.set()

    async def become(self, status: str, error: str = "NoError") -> None:
        """Change the status and report it."""
        self.status, self.error = status, error
        await self.report()

    async def report(self) -> None:
        """Send a StatusNotification."""
        await self._say.surely("StatusNotification", self.status_payload())

    def status_payload(self) -> Payload:
        """Return the connector's StatusNotification."""
        return {
            "connectorId": self.number,
            "errorCode": self.error,
            "status": self.status,
            "timestamp": timestamp(),
        }

    async def visit(self, uid: str, pace: Pace, *, asked_for: bool = False) -> None:
        """A car comes, charges and leaves; ``asked_for`` when the server began it, so no card is held up."""
        self.busy = True
        self._stop.clear()
        self._stop_reason = ""
        try:
            await self.become("Preparing")
            await self._pass(pace.plug_s)
            if asked_for or await self._authorized(uid):
                await self._charge(uid, arriving_car(self._random, pace.hurry), pace)
        finally:
            self.busy = False
            await self.become("Available" if self.operative else "Unavailable")

    async def _authorized(self, uid: str) -> bool:
        answer = await self._say.surely("Authorize", {"idTag": uid})
        return bool(answer["idTagInfo"]["status"] == "Accepted")

    async def _charge(self, uid: str, car: Car, pace: Pace) -> None:
        began: Payload = {"connectorId": self.number, "idTag": uid, "meterStart": int(self.register_wh)}
        began["timestamp"] = timestamp()
        if self.reservation is not None and self.reservation[1] == uid:
            began["reservationId"] = self.reservation[0]
            self.reservation = None
        self._read_at = asyncio.get_running_loop().time()
        answer = await self._say.surely("StartTransaction", began)
        self.transaction = answer["transactionId"]
        if answer["idTagInfo"]["status"] != "Accepted":
            self.end("DeAuthorized")
        else:
            await self.become("Charging")
            await self._flow(car, pace)
        await self._finish(uid)
        await self.become("Finishing")
        await self._pass(pace.plug_s)

    async def _flow(self, car: Car, pace: Pace) -> None:
        """Let energy flow until the car is full and its driver back, or until the session is ended."""
        patience = self._random.uniform(*pace.idle_s)
        while not self._stop.is_set():
            self._run_meter(car)
            await self.meter_values("Sample.Periodic", round(car.soc * 100))
            step = self.sample_s or pace.meter_s
            if car.full:
                if self.status == "Charging":
                    await self.become("SuspendedEV")
                patience -= step
            if patience < 0:
                self.end("EVDisconnected" if self.socket.current == "dc" else "Local")
            await self._pass(step)
        self._run_meter(car)
        self._power_w = 0.0

    def _run_meter(self, car: Car) -> None:
        """Add what flowed since the last reading, and look how much the car takes now."""
        now = asyncio.get_running_loop().time()
        energy = self._power_w * (now - self._read_at) / 3600
        self._read_at = now
        self.register_wh += energy
        car.charge(energy)
        limit = self.socket.power_w if self.limit_w is None else min(self.limit_w, self.socket.power_w)
        self._power_w = car.power_w(self.socket.current, limit) * self._random.uniform(0.985, 1.0)

    async def _finish(self, uid: str) -> None:
        ended: Payload = {
            "transactionId": self.transaction,
            "meterStop": int(self.register_wh),
            "timestamp": timestamp(),
            "reason": self._stop_reason,
        }
        if self._stop_reason == "Local":
            ended["idTag"] = uid
        self.transaction = None
        await self._say.surely("StopTransaction", ended)

    async def meter_values(self, context: str, soc: int | None = None) -> None:
        """Send a MeterValues."""
        payload: Payload = {"connectorId": self.number, "meterValue": [self._reading(context, soc)]}
        if self.transaction is not None:
            payload["transactionId"] = self.transaction
        await self._say.surely("MeterValues", payload)

    def _reading(self, context: str, soc: int | None) -> Payload:
        volts = _VOLTS[self.socket.current]
        amperes = self._power_w / volts
        values = [
            ("Energy.Active.Import.Register", "Wh", f"{int(self.register_wh)}"),
            ("Power.Active.Import", "W", f"{self._power_w:.0f}"),
            ("Current.Import", "A", f"{amperes:.1f}"),
            ("Voltage", "V", f"{volts:.1f}"),
        ]
        if soc is not None and self.socket.current == "dc":
            values.append(("SoC", "Percent", f"{soc}"))
        sampled = [
            {"value": value, "context": context, "measurand": measurand, "unit": unit}
            for measurand, unit, value in values
        ]
        return {"timestamp": timestamp(), "sampledValue": sampled}

    async def _pass(self, seconds: float) -> None:
        """Let time pass, less when the session is ended meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return


def timestamp() -> str:
    """Return the time as chargers write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
