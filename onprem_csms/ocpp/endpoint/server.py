"""The charger endpoint: a WebSocket at ``/ocpp/{identity}``.

The order of the checks reads as the argument for them: is it a WebSocket, is there capacity, who is it, may it
come in, do we share a language, is somebody of this name here already. Whoever is turned away before it
has proved itself gets the same answer.
"""

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import hdrs, web

from onprem_csms.domain.chargers.chargers import ConnectionAttempt
from onprem_csms.errors import StoreError, say_fault
from onprem_csms.ocpp import versions
from onprem_csms.ocpp.endpoint import handshake
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.endpoint.throttle import Bucket
from onprem_csms.ocpp.link.connection import Connection
from onprem_csms.ocpp.link.stations import Stations
from onprem_csms.ocpp.versions import Version
from onprem_csms.services.chargers import admission
from onprem_csms.services.chargers.admission import Admitted, Reason, Refused
from onprem_csms.services.core import tries
from onprem_csms.services.core.context import Context, Tx

log = logging.getLogger(__name__)

# Also with doubled slashes in front, as some chargers write it.
ROUTES = ("/{slashes:/*}ocpp/{identity:.*}", "/{slashes:/*}ocpp")
LARGEST_SALE = 16 * 1024 * 1024
"""Messages that carry money are read up to so many bytes (see ``frames.parse``): a stop may hold days of readings."""
_RECORDED_AT_ONCE, _RECORD_REFILL_S = 200, 0.02
_ALL = "all"
_TRY_AGAIN_LATER = 1013
SAFE_FROM_GUESSING = 16
"""Bytes of a key that can't be guessed (white paper A00.FR.205). One that long is looked at however many wrong
tries came before, or whoever shares an address with a charger could keep it out."""


def stations(options: Options) -> Stations:
    """Make the port to the chargers, which the context takes."""
    return Stations(options)


def setup(app: web.Application, ctx: Context, options: Options) -> None:
    """Mount the endpoint on an application; ``ctx.stations`` was made by ``stations``."""
    connected = ctx.stations
    if not isinstance(connected, Stations):
        message = "the context's stations are not those of this endpoint"
        raise TypeError(message)
    connected.bind(ctx)
    endpoint = Endpoint(ctx, connected, options)
    app.add_routes([web.get(path, endpoint.open) for path in ROUTES])

    async def start(_: web.Application) -> None:
        await connected.start()

    async def stop(_: web.Application) -> None:
        await connected.close()

    app.on_startup.append(start)
    app.on_shutdown.append(stop)


class Endpoint:
    """Takes the connections of chargers."""

    def __init__(self, ctx: Context, connected: Stations, options: Options) -> None:
        self._ctx = ctx
        self._stations = connected
        self._options = options
        self._throttle = connected.throttle
        self._recorded = Bucket(_RECORDED_AT_ONCE, _RECORD_REFILL_S)
        self._capacity = asyncio.Semaphore(options.handshakes_at_once)
        self._waiting = 0

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Take a connection attempt from its opening request to its end."""
        if request.headers.get(hdrs.UPGRADE, "").strip().lower() != "websocket":
            return _plain(
                426, "This address is for chargers (OCPP over WebSocket).", {"Upgrade": "websocket"}
            )
        if self._waiting >= self._options.handshakes_waiting:
            return _plain(503, "Too many chargers come at once.", {"Retry-After": "10"})
        self._waiting += 1
        try:
            async with self._capacity:
                opened = await self._admit(request)
        except StoreError as error:
            say_fault(log, "charger endpoint", error)
            return _plain(503, "The central system can't work now.", {"Retry-After": "30"})
        finally:
            self._waiting -= 1
        if isinstance(opened, web.StreamResponse):
            return opened
        connection, ws = opened
        try:
            await connection.listen(ws)
        finally:
            self._stations.left(connection)
        return ws

    async def _admit(
        self, request: web.Request
    ) -> "web.StreamResponse | tuple[Connection, web.WebSocketResponse[bool]]":
        attempt = _attempt(request, self._ctx.settings.charger_origins)
        admitted = await self._judge(attempt)
        if isinstance(admitted, Refused):
            return _refusal()
        version, reason = _common(attempt, admitted)
        if version is None:
            await self._write_down(
                attempt, Refused(admitted.charger_id, reason or "no_subprotocol", known=True)
            )
            return await self._part_politely(request, reason)
        if not await self._make_way(admitted.charger_id):
            await self._write_down(attempt, Refused(admitted.charger_id, "already_connected", known=True))
            return _plain(409, admission.REASONS["already_connected"])
        return await self._welcome(request, attempt, admitted, version)

    async def _judge(self, attempt: ConnectionAttempt) -> Admitted | Refused:
        """Decide who it is and whether it may come in; counts wrong keys, never those of another place."""
        if not attempt.candidates:
            return await self._write_down(attempt, Refused(attempt.path[:100], "bad_identity", known=True))
        if attempt.foreign:
            return await self._write_down(
                attempt, Refused(attempt.candidates[0], "foreign_origin", known=True)
            )
        now = asyncio.get_running_loop().time()
        tired = any(self._throttle.blocks(attempt.remote, identity, now) for identity in attempt.candidates)
        unseen = Refused(attempt.candidates[0], "too_many_tries", known=False)
        if tired and len(attempt.password or b"") < SAFE_FROM_GUESSING:
            return unseen
        judged = await self._ctx.read_for_charger(admission.judge, attempt)
        if tired and isinstance(judged, Refused):
            return unseen
        if isinstance(judged, Refused):
            self._throttle.failed(attempt.remote, judged.identity, now)
            return await self._write_down(attempt, judged)
        self._throttle.succeeded(attempt.remote, judged.charger_id)
        if judged.settle:
            await self._ctx.write(admission.settle, attempt, judged)
        return judged

    async def _write_down(self, attempt: ConnectionAttempt, refused: Refused) -> Admitted | Refused:
        """Note a refused attempt, unless they come faster than a disk should have to take."""
        now = asyncio.get_running_loop().time()
        if self._recorded.empty(_ALL, now):
            return refused
        self._recorded.spend(_ALL, now)
        tried = self._throttle.state(attempt.remote, refused.identity, now)
        return await self._ctx.write(_record, attempt, refused, tried)

    async def _make_way(self, charger_id: str) -> bool:
        """Tell whether a charger may connect: not while one of its name is connected and answers a ping."""
        there = self._stations.get(charger_id)
        if there is None:
            return True
        if await there.alive(self._options.second_connection_wait_s):
            return False
        there.end("replaced")
        self._stations.left(there)
        # Another newcomer may have been faster while this one waited.
        return self._stations.get(charger_id) is None

    async def _welcome(
        self, request: web.Request, attempt: ConnectionAttempt, admitted: Admitted, version: Version
    ) -> "web.StreamResponse | tuple[Connection, web.WebSocketResponse[bool]]":
        connection = self._stations.connection(admitted.charger_id, version)
        connection.registration = admitted.registration
        connection.remote = attempt.remote
        connection.key = admitted.key
        # Before the answer, so that of two that come at once only one gets in.
        self._stations.came(connection)
        try:
            ws = self._websocket(_echo(attempt, version), compress=version.compression)
            await ws.prepare(request)
            connection.opened(ws, request.transport)
            try:
                await self._stations.welcome(connection)
            except StoreError as error:
                # A WebSocket by now: a plain refusal would be a broken frame to the charger.
                say_fault(log, "charger endpoint", error)
                self._stations.left(connection)
                await ws.close(code=_TRY_AGAIN_LATER, message=b"The central system can't work now.")
                return ws
        except BaseException:
            self._stations.left(connection)
            raise
        if not attempt.subprotocols:
            connection.quirk("no_subprotocol")
        return connection, ws

    def _websocket(self, protocol: str | None, *, compress: bool = False) -> "web.WebSocketResponse[bool]":
        return web.WebSocketResponse(
            protocols=() if protocol is None else (protocol,),
            timeout=self._options.close_wait_s,
            autoping=False,
            compress=compress,
            max_msg_size=LARGEST_SALE,
            decode_text=False,
        )

    async def _part_politely(self, request: web.Request, reason: Reason | None) -> web.StreamResponse:
        """Complete the handshake without a version and close at once (OCPP-J 1.6, section 3.2)."""
        ws = self._websocket(None)
        await ws.prepare(request)
        await ws.close(code=1002, message=admission.REASONS[reason or "no_subprotocol"].encode())
        return ws


def _record(
    tx: Tx, attempt: ConnectionAttempt, refused: Refused, tried: Mapping[str, float]
) -> Admitted | Refused:
    tries.keep(tx, "charger", {place: seconds for place, seconds in tried.items() if seconds})
    return admission.record_refusal(tx, attempt, refused)


def _attempt(request: web.Request, origins: tuple[str, ...]) -> ConnectionAttempt:
    sent = handshake.credentials(request.headers.get(hdrs.AUTHORIZATION))
    return ConnectionAttempt(
        candidates=handshake.candidates(request.rel_url.raw_path, sent),
        user=None if sent is None else sent.user,
        password=None if sent is None else sent.password,
        remote=request.remote or "",
        path=request.raw_path,
        subprotocols=handshake.subprotocols(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])),
        encrypted=request.secure,
        foreign=handshake.foreign_origin(request.headers.get(hdrs.ORIGIN), request.host, origins),
    )


def _common(attempt: ConnectionAttempt, admitted: Admitted) -> tuple[Version | None, Reason | None]:
    """Choose the version: the newest that both sides speak, or the one that the charger is pinned to."""
    version = versions.choose(attempt.subprotocols, admitted.pinned_protocol)
    if version is not None:
        return version, None
    if attempt.subprotocols:
        pinned_away = versions.choose(attempt.subprotocols, "") is not None
        return None, "pinned_to_another" if pinned_away else "unknown_subprotocol"
    if admitted.allow_missing_subprotocol:
        return versions.DEFAULT, None
    return None, "no_subprotocol"


def _echo(attempt: ConnectionAttempt, version: Version) -> str | None:
    """Return the version as the charger itself wrote it: the answer must repeat it letter by letter."""
    return next((name for name in attempt.subprotocols if name.lower() == version.protocol), None)


def _refusal() -> web.Response:
    return _plain(401, "Not admitted.", {hdrs.WWW_AUTHENTICATE: 'Basic realm="OCPP"'})


def _plain(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=text + "\n", headers=headers)
