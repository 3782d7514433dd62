"""A simulated charger's end of the wire: OCPP-J 1.6 over a real WebSocket."""

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

log = logging.getLogger(__name__)

Payload = dict[str, Any]
ANSWER_WITHIN_S = 30.0


class OfflineError(Exception):
    """There is no connection, or it was lost before the answer came."""


class RefusedError(Exception):
    """The server answered with a CALLERROR."""


class Brain(Protocol):
    """What a link belongs to."""

    async def connected(self) -> None:
        """Do what a charger does after it has connected; runs beside the reading."""

    def obey(self, action: str, payload: Payload) -> Payload | None:
        """Answer a request of the server; None when the action is not known."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect, and as who; ``subprotocol`` None offers none, as some chargers do."""

    url: str
    id: str
    password: str | None
    subprotocol: str | None = "ocpp1.6"

    def headers(self) -> dict[str, str]:
        """Return the headers of the handshake."""
        if self.password is None:
            return {}
        credentials = b64encode(f"{self.id}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {credentials}"}


class Link:
    """Keeps one charger connected; one call at a time goes out."""

    def __init__(self, http: aiohttp.ClientSession, address: Address, brain: Brain) -> None:
        self._http = http
        self._address = address
        self._brain = brain
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._turn = asyncio.Lock()
        self._number = 0
        self._awaited: tuple[str, asyncio.Future[Payload]] | None = None
        self._up = asyncio.Event()
        self.away_s = 0.0

    async def run(self, retry_s: Callable[[], float]) -> None:
        """Connect again and again until cancelled; ``retry_s`` says how long to wait in between."""
        while True:
            try:
                await self._once()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                log.debug("%s: %s", self._address.id, error)
            await asyncio.sleep(self.away_s or retry_s())
            self.away_s = 0.0

    async def wait_until_up(self) -> None:
        """Wait until there is a connection."""
        await self._up.wait()

    async def hang_up(self, away_s: float) -> None:
        """Drop the connection and stay away for a while."""
        self.away_s = away_s
        if self._socket is not None:
            await self._socket.close()

    async def call(self, action: str, payload: Payload) -> Payload:
        """Send a request and return its answer; OfflineError, or RefusedError."""
        async with self._turn:
            if self._socket is None:
                raise OfflineError
            self._number += 1
            id = f"{self._number}"
            answered: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._awaited = (id, answered)
            try:
                await self._send([2, id, action, payload])
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    return await answered
            except (ConnectionError, TimeoutError) as error:
                raise OfflineError from error
            finally:
                self._awaited = None

    async def deliver(self, action: str, payload: Payload) -> Payload:
        """Send what must arrive: again after every lost connection, until it was answered."""
        while True:
            await self._up.wait()
            try:
                return await self.call(action, payload)
            except OfflineError:
                await asyncio.sleep(0.2)

    async def _once(self) -> None:
        wanted = self._address.subprotocol
        async with self._http.ws_connect(
            self._address.url,
            protocols=() if wanted is None else (wanted,),
            headers=self._address.headers(),
            max_msg_size=1 << 20,
        ) as socket:
            self._socket = socket
            beginning = asyncio.create_task(self._begin(self._brain.connected()))
            try:
                async for message in socket:
                    await self._received(message)
            finally:
                self._lost()
                beginning.cancel()

    async def _begin(self, connected: Awaitable[None]) -> None:
        try:
            await connected
            self._up.set()
        except (OfflineError, RefusedError):
            if self._socket is not None:
                await self._socket.close()

    def _lost(self) -> None:
        self._socket = None
        self._up.clear()
        if self._awaited is not None and not self._awaited[1].done():
            self._awaited[1].set_exception(OfflineError())

    async def _received(self, message: aiohttp.WSMessage) -> None:
        if message.type is not aiohttp.WSMsgType.TEXT:
            return
        kind, id, *rest = json.loads(message.data)
        if kind == 2:
            await self._answer(id, rest[0], rest[1])
        elif self._awaited is not None and self._awaited[0] == id and not self._awaited[1].done():
            if kind == 3:
                self._awaited[1].set_result(rest[0])
            else:
                self._awaited[1].set_exception(RefusedError(*rest[:2]))

    async def _answer(self, id: str, action: str, payload: Payload) -> None:
        answer = self._brain.obey(action, payload)
        if answer is None:
            await self._send([4, id, "NotImplemented", "", {}])
        else:
            await self._send([3, id, answer])

    async def _send(self, frame: list[Any]) -> None:
        if self._socket is None:
            raise OfflineError
        await self._socket.send_str(json.dumps(frame, separators=(",", ":")))
