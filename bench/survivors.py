"""Clients of a program that is killed again and again: they keep what was answered, and send the rest again.

In the end everything that was answered must be there, once.
"""

# ruff: noqa: ASYNC110, ASYNC240 - the other process tells nothing when it is back, and nothing else waits here

import asyncio
import base64
import json
import random
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

CHARGERS = 6
PASSWORD = "a-password-of-16"  # noqa: S105 - of a charger that is made here
Message = tuple[str, dict[str, Any]]


@asynccontextmanager
async def forking() -> AsyncIterator[asyncio.subprocess.Process]:
    """Hold the process that forks the program."""
    pipe = asyncio.subprocess.PIPE
    forks = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.forks", stdin=pipe, stdout=pipe)
    try:
        yield forks
    finally:
        forks.kill()
        await forks.wait()


async def fork(
    forks: asyncio.subprocess.Process, command: str, folder: Path, port: int, trace: Path | None = None
) -> int:
    """Start the program; returns its process id."""
    assert forks.stdin is not None
    assert forks.stdout is not None
    forks.stdin.write(f"{command} {folder} {port} {trace or ''}\n".encode())
    return int(await forks.stdout.readline())


async def gone(process: int) -> None:
    """Wait until a process has ended."""
    while Path(f"/proc/{process}").exists():
        await asyncio.sleep(0.01)


@dataclass
class Deeds:
    """What truly happened and was answered in the end."""

    sessions: dict[tuple[str, str], int] = field(default_factory=dict)
    paid: int = 0
    rounds: int = 0


@dataclass
class Site:
    """The program that is killed or loses its power, and how its clients reach it."""

    folder: Path
    port: int
    key: str
    forks: asyncio.subprocess.Process
    seed: int
    over: bool = False
    process: int = 0

    async def start(self, trace: Path | None = None) -> int:
        """Start the program once more; returns its process id."""
        self.process = await fork(self.forks, "serve", self.folder, self.port, trace)
        return self.process

    async def ready(self, http: aiohttp.ClientSession) -> None:
        """Wait until the program answers."""
        while True:
            assert Path(f"/proc/{self.process}").exists(), f"seed {self.seed}: it ended by itself"
            try:
                async with http.get(f"http://127.0.0.1:{self.port}/healthz") as response:
                    if response.status == 200:
                        return
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.01)


class Charger:
    """Keeps every message until it is answered and sends it again after a lost connection, word for word."""

    def __init__(self, site: Site, number: int, deeds: Deeds) -> None:
        self.site = site
        self.id = f"KILL{number}"
        self.uid = f"04{number:08X}"
        self.random = random.Random(site.seed * 100 + number)
        self.deeds = deeds
        self.register = self.random.randint(0, 100_000)
        self.now = datetime.now(UTC) - timedelta(days=2)
        self.sent = 0

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Charge again and again until the site says it is over."""
        steps = self._days()
        call = await anext(steps)
        while True:
            try:
                async with self._connect(http) as socket:
                    while call is not None:
                        answer = await self._exchange(socket, *call)
                        call = await steps.asend(answer)
                    return
            except (aiohttp.ClientError, OSError, TypeError):
                await asyncio.sleep(0.01)

    def _connect(self, http: aiohttp.ClientSession) -> Any:
        token = base64.b64encode(f"{self.id}:{PASSWORD}".encode()).decode()
        return http.ws_connect(
            f"ws://127.0.0.1:{self.site.port}/ocpp/{self.id}",
            protocols=("ocpp1.6",),
            headers={"Authorization": f"Basic {token}"},
        )

    async def _exchange(
        self, socket: aiohttp.ClientWebSocketResponse, action: str, payload: dict[str, Any]
    ) -> dict[str, Any]:
        self.sent += 1
        # A new message id at each try: a replay is known by its content.
        await socket.send_str(json.dumps([2, f"{self.id}-{self.sent}", action, payload]))
        while True:
            message = await socket.receive_str()
            frame = json.loads(message)
            if frame[0] == 2:
                await socket.send_str(json.dumps([3, frame[1], {"status": "Accepted"}]))
            elif frame[1] == f"{self.id}-{self.sent}":
                assert frame[0] == 3, f"{action} was refused: {message}"
                answer: dict[str, Any] = frame[2]
                return answer

    def _moment(self) -> str:
        self.now += timedelta(seconds=self.random.randint(20, 60))
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    async def _days(self) -> AsyncGenerator[Message | None, dict[str, Any]]:
        """Yield message after message; each gets its answer sent in."""
        while not self.site.over:
            begin, first = self._moment(), self.register
            start = {"connectorId": 1, "idTag": self.uid, "meterStart": first, "timestamp": begin}
            answer = yield "StartTransaction", start
            transaction = answer["transactionId"]
            for _ in range(self.random.randint(1, 4)):
                self.register += self.random.randint(10, 300)
                value = {"timestamp": self._moment(), "sampledValue": [{"value": str(self.register)}]}
                batch = {"connectorId": 1, "transactionId": transaction, "meterValue": [value]}
                yield "MeterValues", batch
            self.register += self.random.randint(10, 300)
            stop = {"transactionId": transaction, "meterStop": self.register, "timestamp": self._moment()}
            yield "StopTransaction", {**stop, "idTag": self.uid}
            self.deeds.sessions[self.id, str(transaction)] = self.register - first
            self.deeds.rounds += 1
        yield None


async def top_ups(site: Site, wallet: int, deeds: Deeds, http: aiohttp.ClientSession) -> None:
    """Pay in again and again; a payment without an answer is repeated with its key."""
    number = 0
    while not site.over:
        number += 1
        body = {"wallet": wallet, "amount": 1000 + number, "idempotency_key": f"kill-{wallet}-{number}"}
        while not await _posted(site, http, body):
            await asyncio.sleep(0.01)
        deeds.paid += 1000 + number


async def _posted(site: Site, http: aiohttp.ClientSession, body: dict[str, Any]) -> bool:
    headers = {"Authorization": f"Bearer {site.key}"}
    try:
        async with http.post(
            f"http://127.0.0.1:{site.port}/api/v1/topups", json=body, headers=headers
        ) as response:
            assert response.status in {200, 201}, await response.text()
            await response.read()
            return True
    except (aiohttp.ClientError, OSError):
        return False


async def furnish(site: Site, http: aiohttp.ClientSession) -> list[int]:
    wallets = []
    headers = {"Authorization": f"Bearer {site.key}"}
    base = f"http://127.0.0.1:{site.port}/api/v1"

    async def post(path: str, body: dict[str, Any]) -> Any:
        async with http.post(base + path, json=body, headers=headers) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    prices = {"name": "Standard", "currency": "HUF", "vat": "27", "prices": {"per_kwh": "149"}}
    await post("/tariffs", {**prices, "default": True})
    for number in range(CHARGERS):
        await post("/chargers", {"id": f"KILL{number}", "password": PASSWORD, "security_profile": 1})
        card = await post("/tokens", {"token": f"04{number:08X}", "type": "prepaid"})
        wallets.append(card["wallet"])
        rich = {"wallet": wallets[-1], "amount": 50_000_000, "idempotency_key": f"rich-{number}"}
        await post("/topups", rich)
    return wallets


async def check(site: Site, http: aiohttp.ClientSession, deeds: Deeds, wallets: list[int]) -> None:
    headers = {"Authorization": f"Bearer {site.key}"}
    base = f"http://127.0.0.1:{site.port}/api/v1"
    found: dict[tuple[str, str], int] = {}
    for number in range(CHARGERS):
        async for session in _pages(http, f"{base}/sessions?charger=KILL{number}&limit=100", headers):
            assert session["state"] == "closed", f"seed {site.seed}: {session}"
            found[session["charger"], session["transaction_id"]] = session["energy_wh"]
    lost = dict(deeds.sessions.items() - found.items())
    more = dict(found.items() - deeds.sessions.items())
    assert not lost, f"seed {site.seed}: answered and lost: {lost}; there instead: {more}"
    assert not more, f"seed {site.seed}: there and never done: {more}"
    async with http.get(f"{base}/wallets/{wallets[0]}", headers=headers) as response:
        wallet = await response.json()
    mine = [energy for (charger, _), energy in deeds.sessions.items() if charger == "KILL0"]
    spent = sum((149 * energy * 2 + 1000) // 2000 for energy in mine)
    assert wallet["balance"] == 50_000_000 + deeds.paid - spent, f"seed {site.seed}"
    assert wallet["held"] == 0


async def _pages(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str]
) -> AsyncIterator[dict[str, Any]]:
    following: str | None = ""
    while following is not None:
        cursor = f"&cursor={following}" if following else ""
        async with http.get(url + cursor, headers=headers) as response:
            page = await response.json()
        for item in page["items"]:
            yield item
        following = page.get("next")
