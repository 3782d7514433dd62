"""Chargers in fast time: a clock that is moved second by second, and stations that draw energy meanwhile.

Everything but the time is real: sockets, messages, the store, the supervisor. What happens in a second is done before
the next one begins, so that a figure does not depend on the machine.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LATENCY_S, LATE_LATENCY_S = 3, 8
OFFLINE = range(600, 900)
CLOCKS_S = {"slow clock": -3600, "fast clock": 3600}
DELAYS_S = (0, 4, 1, 3, 0, 2)
VOLTS = 230


class SteppedClock:
    """The site's clock: it stands still until it is moved."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> datetime:
        """Return the moment."""
        return self.at


@dataclass(frozen=True)
class Case:
    """One line of the table: power of connector and car, seconds between readings, what they say, what is odd."""

    watts: int
    every_s: int
    kind: str
    trouble: str


@dataclass
class Charger:
    """A charger of 1.6 with one car: it answers to commands and says what is due in a second."""

    id: str
    password: str
    card: str
    case: Case
    ws: ClientWebSocketResponse | None = None
    listening: asyncio.Task[None] | None = None
    register_wh: float = 0.0
    second: int = 0
    began: int = 0
    running: bool = False
    opens_at: int | None = None
    transaction: int = 0
    refused: int = 0
    waiting: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    replies: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    calls: int = 0
    readings: int = 0

    async def come(self, http: ClientSession, port: int) -> None:
        """Connect."""
        secret = base64.b64encode(f"{self.id}:{self.password}".encode()).decode()
        self.ws = await http.ws_connect(
            f"http://127.0.0.1:{port}/ocpp/{self.id}",
            headers={"Authorization": f"Basic {secret}"},
            protocols=("ocpp1.6",),
        )
        self.listening = asyncio.create_task(self._listen(self.ws))

    async def leave(self) -> None:
        """Lose the connection."""
        if self.ws is not None and self.listening is not None:
            ws, self.ws = self.ws, None
            await ws.close()
            await self.listening

    async def _listen(self, ws: ClientWebSocketResponse) -> None:
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                return
            frame = json.loads(message.data)
            if frame[0] == 2:
                with contextlib.suppress(ConnectionError):
                    await ws.send_str(json.dumps([3, frame[1], self._obey(frame[2])]))
            elif (waiting := self.replies.pop(frame[1], None)) is not None:
                waiting.set_result(frame)

    def _obey(self, action: str) -> dict[str, Any]:
        if action == "RemoteStopTransaction" and self.running and self.opens_at is None:
            if self.case.trouble == "refused stop" and not self.refused:
                self.refused += 1
                return {"status": "Rejected"}
            self.opens_at = self.second + (
                LATE_LATENCY_S if self.case.trouble == "late contactor" else LATENCY_S
            )
            return {"status": "Accepted"}
        if action == "TriggerMessage":
            if self.case.kind != "none" and self.running:
                self.waiting.append((self.second + 1, *self._reading()))
            return {"status": "Accepted"}
        if action == "RemoteStopTransaction":
            return {"status": "Accepted"}
        if action == "GetConfiguration":
            return {"configurationKey": [], "unknownKey": []}
        return {"status": "NotSupported" if action == "ChangeConfiguration" else "Rejected"}

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call and return the payload of the answer."""
        if self.ws is None:
            return {}
        self.calls += 1
        id = f"{self.id}-{self.calls}"
        reply = self.replies[id] = asyncio.get_running_loop().create_future()
        await self.ws.send_str(json.dumps([2, id, action, payload]))
        frame = await reply
        if frame[0] != 3:
            message = f"{self.id} {action}: {frame}"
            raise SystemExit(message)
        answer: dict[str, Any] = frame[2]
        return answer

    async def start(self) -> None:
        """Begin a session; the contactor closes a moment later."""
        self.began, self.running, self.opens_at, self.refused = self.second, True, None, 0
        self.readings = 0
        payload = {"connectorId": 1, "idTag": self.card, "meterStart": int(self.register_wh)}
        answer = await self.call("StartTransaction", {**payload, "timestamp": self._stamp()})
        self.transaction = answer["transactionId"]

    def advance(self, second: int) -> Coroutine[Any, Any, None] | None:
        """Let a second pass; returns what is to be said, if anything."""
        self.second = second
        if not self.running:
            return None
        closes = 90 if self.case.trouble == "late contactor" else 5
        age = second - self.began
        if age > closes and (self.opens_at is None or second <= self.opens_at):
            self.register_wh += self.case.watts / 3600
        if self.case.kind != "none" and age and age % self.case.every_s == 0:
            self._take_reading(second)
        over = self.opens_at is not None and second > self.opens_at
        due = [one for one in self.waiting if one[0] <= second]
        if self.ws is None or not (due or over):
            return None
        self.waiting = [one for one in self.waiting if one[0] > second]
        return self._say(due, over=over)

    def _take_reading(self, second: int) -> None:
        self.readings += 1
        if self.case.trouble == "loss" and self.readings % 3 == 2:
            return
        delay = DELAYS_S[self.readings % len(DELAYS_S)] if self.case.trouble == "jitter" else 0
        self.waiting.append((second + delay, *self._reading()))

    async def _say(self, due: list[tuple[int, str, dict[str, Any]]], *, over: bool) -> None:
        for _, action, payload in due:
            await self.call(action, payload)
        if over:
            self.running = False
            stop = {"transactionId": self.transaction, "meterStop": int(self.register_wh), "reason": "Remote"}
            await self.call("StopTransaction", {**stop, "timestamp": self._stamp()})
            self.waiting = []

    def _reading(self) -> tuple[str, dict[str, Any]]:
        flows = self.second - self.began > (90 if self.case.trouble == "late contactor" else 5)
        watts = self.case.watts if flows else 0
        values = [{"timestamp": self._stamp(), "sampledValue": self._samples(watts)}]
        return "MeterValues", {"connectorId": 1, "transactionId": self.transaction, "meterValue": values}

    def _samples(self, watts: int) -> list[dict[str, str]]:
        if self.case.kind == "currents":
            amperes = f"{watts / VOLTS / 3:.1f}"
            return [
                {"value": amperes, "measurand": "Current.Import", "unit": "A", "phase": phase}
                for phase in ("L1", "L2", "L3")
            ]
        samples = [{"value": str(int(self.register_wh)), "measurand": "Energy.Active.Import.Register"}]
        if self.case.kind == "power":
            samples.append({"value": str(watts), "measurand": "Power.Active.Import", "unit": "W"})
        return samples

    def _stamp(self) -> str:
        at = BEGIN + timedelta(seconds=self.second + CLOCKS_S.get(self.case.trouble, 0))
        return at.isoformat(timespec="seconds").replace("+00:00", "Z")
