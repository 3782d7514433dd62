"""Plays a case: frames of chargers in order against the whole program, over real sockets.

A case is a JSON file beside this one. ``frames`` are, in order: ``do`` connect or disconnect, a ``call`` with its
payload (``keep`` names values of the answer), an ``answer`` that the charger gives to a command from then on,
``set`` (of a charger or a connector), an ``api`` request, or a ``mark`` at which the test looks, waits for what
happens by itself, or moves the clock. ``T-600`` is 600 seconds before the case begins, ``NOW`` the moment of sending.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import websockets
from websockets.typing import Subprotocol

from tests.api.conftest import Api, Reply

FOLDER = Path(__file__).parent
PASSWORD = "a password for every case"
Marks = dict[str, Callable[["Played"], Awaitable[None]]]


def load(name: str) -> dict[str, Any]:
    """Read a case."""
    case: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return case


@dataclass
class Charger:
    """One connection of a charger: its calls are answered by us, ours are recorded and answered by rule."""

    name: str
    socket: Any
    answers: dict[str, Any]
    asked: list[tuple[str, dict[str, Any]]]
    replies: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    number: int = 0

    async def listen(self) -> None:
        """Take answers and commands until the connection ends."""
        with contextlib.suppress(websockets.ConnectionClosed):
            async for text in self.socket:
                await self._take(json.loads(text))

    async def _take(self, message: list[Any]) -> None:
        if message[0] == 2:
            self.asked.append((message[2], message[3]))
            given = self.answers.get(message[2], {"status": "Accepted"})
            if given is not None:
                await self.socket.send(json.dumps([3, message[1], expanded(given)]))
        elif (waiting := self.replies.pop(message[1], None)) is not None:
            waiting.set_result(message)

    async def call(self, action: str, payload: dict[str, Any]) -> list[Any]:
        """Send a call and return the whole answer."""
        self.number += 1
        id = f"{self.name}-{id_of(self.socket)}-{self.number}"
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.replies[id] = waiting
        await self.socket.send(json.dumps([2, id, action, payload]))
        answer: list[Any] = await waiting
        return answer


def id_of(socket: Any) -> str:
    """A word that differs between connections."""
    return str(socket.id)[:8]


def expanded(value: Any) -> Any:
    """Write a repetition out: ``{"repeat": 900, "key": "Vendor.#", "value": "x*300"}``."""
    if isinstance(value, dict):
        return {name: expanded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [one for each in value for one in _repeated(each)]
    return value


def _repeated(each: Any) -> Iterator[Any]:
    if not isinstance(each, dict) or "repeat" not in each:
        yield expanded(each)
        return
    pattern = {name: value for name, value in each.items() if name != "repeat"}
    for number in range(each["repeat"]):
        yield {name: _numbered(value, number) for name, value in pattern.items()}


def _numbered(value: Any, number: int) -> Any:
    if not isinstance(value, str):
        return value
    letter, star, times = value.partition("*")
    return letter * int(times) if star else value.replace("#", str(number))


class Ticks:
    """Counts how often the supervisor looked, so that a test knows that something did not happen."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Condition()

    async def another(self) -> None:
        """Count one."""
        async with self._changed:
            self.count += 1
            self._changed.notify_all()

    async def more(self, number: int) -> None:
        """Wait for so many further ones."""
        wanted = self.count + number
        async with self._changed:
            await self._changed.wait_for(lambda: self.count >= wanted)


class MovedClock:
    """The machine's clock, moved on by a test."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Return the moment."""
        return datetime.now(UTC) + self.ahead


@dataclass
class Played:
    """What came of a case: answers by the order of the calls, kept values, commands to each charger."""

    api: Api
    began: datetime
    clock: MovedClock
    kept: dict[str, Any] = field(default_factory=dict)
    answers: list[list[Any]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    asked: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    open: dict[str, tuple[Charger, asyncio.Task[None]]] = field(default_factory=dict)
    marks: Marks = field(default_factory=dict)
    ticks: Ticks = field(default_factory=Ticks)

    # ------------------------------------------------------------------------------ what tests look at

    async def sessions(self, query: str = "") -> list[dict[str, Any]]:
        """Every session, the oldest first."""
        found = await self.api.get(f"/sessions?limit=100{query}")
        items: list[dict[str, Any]] = found.body["items"]
        return items[::-1]

    async def session(self, name: str) -> dict[str, Any]:
        """The session of a kept transaction id."""
        found = [one for one in await self.sessions() if one["transaction_id"] == str(self.kept[name])]
        assert len(found) == 1, found
        return found[0]

    async def reviews(self, *, all: bool = False) -> list[dict[str, Any]]:
        """The review list."""
        found = await self.api.get(f"/reviews?limit=100{'&all=true' if all else ''}")
        items: list[dict[str, Any]] = found.body["items"]
        return items

    async def kinds(self) -> set[str]:
        """The kinds on the review list."""
        return {item["kind"] for item in await self.reviews()}

    async def balance(self, token: str) -> tuple[int, int]:
        """Balance of a card and what is available of it."""
        card = (await self.api.get(f"/tokens/{token}")).body
        return card["balance"], card["available"]

    def actions(self, charger: str = "CP1") -> list[str]:
        """The commands that a charger was given."""
        return [action for action, _ in self.asked.get(charger, [])]

    async def until(self, look: Callable[[], Awaitable[object]]) -> None:
        """Wait until a condition holds; the test's own guard ends a wait that is in vain."""
        while not await look():
            await self.ticks.more(1)

    async def asked_to(self, action: str, charger: str = "CP1") -> None:
        """Wait until a charger was given a command."""

        async def given() -> bool:
            return action in self.actions(charger)

        await self.until(given)

    async def pass_time(self, seconds: float) -> None:
        """Move the program's clock on and let the supervisor look twice."""
        self.clock.ahead += timedelta(seconds=seconds)
        await self.ticks.more(3)

    # ------------------------------------------------------------------------------ how it is played

    async def play(self, frames: list[dict[str, Any]], marks: Marks | None = None) -> None:
        """Send the frames in order; each mark of them must be in ``marks`` or is passed over."""
        self.marks = marks or {}
        for frame in frames:
            await self._step(frame)

    async def _step(self, frame: dict[str, Any]) -> None:
        if "do" in frame:
            await (self._connect if frame["do"] == "connect" else self._disconnect)(frame["charger"])
        elif "call" in frame:
            await self._call(frame)
        elif "answer" in frame:
            self.rules.setdefault(frame["charger"], {})[frame["answer"]] = frame["with"]
        elif "set" in frame:
            await self._set(frame["charger"], frame["set"])
        elif "api" in frame:
            method, path = frame["api"].split(" ", 1)
            self.replies.append(await self.api.ask(method, path, frame.get("body")))
        elif "mark" in frame and frame["mark"] in self.marks:
            await self.marks[frame["mark"]](self)

    async def _connect(self, name: str) -> None:
        if name not in self.rules:
            await self.api.post("/chargers", {"id": name, "password": PASSWORD})
        secret = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
        socket = await websockets.connect(
            f"ws://127.0.0.1:{self.api.port}/ocpp/{name}",
            subprotocols=[Subprotocol("ocpp1.6")],
            additional_headers={"Authorization": f"Basic {secret}"},
            max_size=None,
        )
        rules = self.rules.setdefault(name, {})
        charger = Charger(name, socket, rules, self.asked.setdefault(name, []))
        self.open[name] = charger, asyncio.create_task(charger.listen())

    async def _disconnect(self, name: str) -> None:
        charger, listening = self.open.pop(name)
        await charger.socket.close()
        await listening

    async def _call(self, frame: dict[str, Any]) -> None:
        charger, _ = self.open[frame["charger"]]
        answer = await charger.call(frame["call"], self._filled(_with_series(frame["payload"], self)))
        self.answers.append(answer)
        for name, path in frame.get("keep", {}).items():
            self.kept[name] = answer[2][path]

    async def _set(self, charger: str, values: dict[str, Any]) -> None:
        if "tariff" not in values:
            await self.api.patch(f"/chargers/{charger}", values)
            return
        tariff = await self.api.post("/tariffs", tariff_of(values["tariff"], f"of {charger}"))
        path = f"/chargers/{charger}"
        if "connector" in values:
            path += f"/connectors/{values['connector']}"
        reply = await self.api.patch(path, {"tariff_id": tariff.body["id"]})
        assert reply.status == 200, reply.body

    def moment(self, text: str) -> str:
        """Write ``T-600`` and ``NOW`` out; anything else stays."""
        if text == "NOW":
            return wire(self.clock.now())
        if text.startswith("T") and text[1:2] in "+-" and text[2:].isdigit():
            return wire(self.began + timedelta(seconds=int(text[1:])))
        return text

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if isinstance(value, str):
            return self.kept[value[1:]] if value.startswith("$") else self.moment(value)
        return value

    async def close(self) -> None:
        """End every connection."""
        for name in list(self.open):
            await self._disconnect(name)


def wire(at: datetime) -> str:
    """Write a moment as chargers do."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _with_series(payload: Any, played: Played) -> Any:
    """Write a series of meter values out: ``repeat`` times, each some seconds and some Wh on."""
    if isinstance(payload, dict):
        return {name: _with_series(each, played) for name, each in payload.items()}
    if isinstance(payload, list):
        return [one for each in payload for one in _series(each, played)]
    return payload


def _series(each: Any, played: Played) -> Iterator[Any]:
    if not isinstance(each, dict) or "repeat" not in each:
        yield _with_series(each, played)
        return
    first = played.began + timedelta(seconds=int(each["first"][1:]))
    for number in range(each["repeat"]):
        register = str(each.get("register_first", 0) + (number + 1) * each["register_step_wh"])
        samples = [
            {**sample, "value": sample["value"].replace("#", register)} for sample in each["sampledValue"]
        ]
        yield {
            "timestamp": wire(first + timedelta(seconds=number * each["every_s"])),
            "sampledValue": samples,
        }


def tariff_of(prices: dict[str, str], name: str = "Standard") -> dict[str, Any]:
    """Make the request for a tariff from a case's prices."""
    given = {key: value for key, value in prices.items() if key != "grace"}
    return {"name": name, "prices": given, "idle_grace_minutes": prices.get("grace", 0)}


async def furnish(api: Api, case: dict[str, Any]) -> None:
    """Make the tariff and the cards of a case."""
    made = await api.post("/tariffs", tariff_of(case["tariff"]))
    assert made.status == 201, made.body
    for number, card in enumerate(case["cards"]):
        issued = await api.post("/tokens", {"token": card["token"], "type": "prepaid"})
        assert issued.status == 201, issued.body
        topup = {"token": card["token"], "amount": card["balance"], "idempotency_key": f"case-{number}"}
        paid = await api.post("/topups", topup)
        assert paid.status in (200, 201), paid.body
