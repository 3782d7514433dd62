"""One charger's connection: it reads, answers in order, sends what it is given, and ends cleanly."""

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import ClientConnectionResetError, WSMsgType, web

from onprem_csms.domain.chargers.chargers import QuirkCount, Registration
from onprem_csms.ocpp.link.outgoing import Pending
from onprem_csms.ocpp.link.router import Router, UnansweredError
from onprem_csms.ocpp.rpc import frames
from onprem_csms.ocpp.rpc.frames import Call, CallError, CallResult, FrameError
from onprem_csms.ocpp.rpc.turns import Turns
from onprem_csms.ocpp.versions import Version

if TYPE_CHECKING:
    from onprem_csms.ocpp.link.stations import Stations

log = logging.getLogger(__name__)

_FAIR = 64
"""Frames that may follow each other before the other chargers get their turn."""
_MOST_ODD_FRAMES_LOGGED = 100
_MOST_KINDS = 64
_TRY_AGAIN_LATER = 1013
_TEXT, _BINARY, _PING, _PONG = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG


class Connection:
    """Lives as long as its WebSocket. What is seldom needed is made when it is."""

    __slots__ = (
        "_asked",
        "_limits",
        "_log_frame",
        "_odd_frames",
        "_probe",
        "_quirks",
        "_router",
        "_stations",
        "_turns",
        "_ws",
        "charger_id",
        "closing",
        "heard",
        "interval_id",
        "pinged",
        "reason",
        "registration",
        "remote",
        "version",
    )

    def __init__(
        self, stations: "Stations", charger_id: str, version: Version, registration: Registration
    ) -> None:
        self.charger_id = charger_id
        self.version = version
        self.registration = registration
        self.remote = ""
        self.reason = "lost"
        self.heard = 0.0
        self.pinged = 0.0
        self.closing = False
        self.interval_id = 0
        self._stations = stations
        self._router: Router = stations.router(version)
        self._limits = stations.limits(version)
        self._log_frame = stations.ctx.store.log_frame
        self._ws: web.WebSocketResponse[bool] | None = None
        self._turns: Turns[Pending] | None = None
        self._quirks: dict[str, list[str | int]] | None = None
        self._probe: asyncio.Future[bool] | None = None
        self._asked: set[str] | None = None
        self._odd_frames = 0

    # ------------------------------------------------------------------ reading

    def opened(self, ws: "web.WebSocketResponse[bool]") -> None:
        """Take the WebSocket; from now on the charger can be spoken to."""
        self._ws = ws
        self.heard = asyncio.get_running_loop().time()

    @property
    def ready(self) -> bool:
        """Whether the charger can be spoken to."""
        return self._ws is not None and not self.closing

    async def listen(self, ws: "web.WebSocketResponse[bool]") -> None:
        """Read and answer until the connection ends; whatever the charger sends, this returns."""
        now = asyncio.get_running_loop().time
        frames_read = 0
        try:
            while not self.closing:
                message = await ws.receive()
                self.heard = now()
                if self._probe is not None:
                    self._end_probe(alive=True)
                kind = message.type
                if kind is _TEXT or kind is _BINARY:
                    await self._read(message.data, binary=kind is _BINARY)
                elif kind is _PING:
                    await ws.pong(message.data)
                elif kind is not _PONG:
                    self._note_end(message)
                    break
                frames_read += 1
                if not frames_read % _FAIR:
                    await asyncio.sleep(0)
        except (ClientConnectionResetError, ConnectionError):
            self._why("lost")
        except UnansweredError:
            # Not answered and cut off, the charger keeps the message and comes again.
            self._why("not_stored")
            self.close_soon(_TRY_AGAIN_LATER, "The message could not be stored.")

    def _note_end(self, message: object) -> None:
        error = getattr(message, "data", None)
        if isinstance(error, Exception):
            self.quirk("over_limit", str(error))
            self._why("over_limit")
        else:
            self._why("closed")

    async def _read(self, data: bytes, *, binary: bool) -> None:
        # One coroutine from the frame to its answer: each more would cost a little in every message.
        if binary:
            self.quirk("binary")
        try:
            frame = frames.parse(data, self._limits)
        except FrameError as fault:
            await self._refuse(data, fault)
            return
        if type(frame) is not Call:
            await self._take_answer(frame, data)  # type: ignore[arg-type]
            return
        raw = data.decode("utf-8", "replace")
        action = self.version.actions.get(frame.action)
        if action is None or action.logged:
            self._log_frame(self.charger_id, "in", raw)
        answer = await self._router.answer(self, frame, raw)
        if action is None or (action.logged and action.answer_logged):
            self._log_frame(self.charger_id, "out", answer.decode())
        await self._ws.send_frame(answer, _TEXT)  # type: ignore[union-attr]

    async def _refuse(self, data: bytes, fault: FrameError) -> None:
        text = data[:2000].decode("utf-8", "replace")
        self.quirk("unreadable", text)
        if self._odd_frames < _MOST_ODD_FRAMES_LOGGED:
            self._odd_frames += 1
            self._log_frame(self.charger_id, "in", text)
        if fault.id is not None:
            await self._send(frames.encode_error(fault.id, fault.code, str(fault)))

    async def _take_answer(self, frame: CallResult | CallError, data: bytes) -> None:
        pending = None if self._turns is None else self._turns.answer(frame.id)
        if pending is None:
            self.quirk("stray_answer", data[:500].decode("utf-8", "replace"))
            return
        self._log_frame(self.charger_id, "in", _shown(pending, frame, data))
        for kind in frame.quirks:
            self.quirk(kind, data[:500].decode("utf-8", "replace"))
        await self._send_next()
        if type(frame) is CallResult:
            await self._stations.conclude(self, pending, "answered", frame.payload)
        elif isinstance(frame, CallError):
            response = {"code": frame.code, "description": frame.description, "details": frame.details}
            await self._stations.conclude(self, pending, "error", response)

    # ------------------------------------------------------------------ sending

    async def want(self, pending: Pending) -> None:
        """Send a call of ours, or let it wait for its turn; Conflict when too many wait."""
        if self._turns is None:
            self._turns = Turns(self._stations.options.queue_length)
        now = self._turns.want(pending)
        self._stations.watch(self)
        if now is not None:
            await self._dispatch(now)

    async def _send_next(self) -> None:
        if self._turns is None:
            return
        following = self._turns.next()
        if following is not None:
            await self._dispatch(following)
        elif self._turns.idle:
            self._turns = None

    async def _dispatch(self, pending: Pending) -> None:
        pending.deadline = asyncio.get_running_loop().time() + self._stations.options.call_timeout_s
        self._log_frame(self.charger_id, "out", pending.text)
        self._stations.sent(self, pending)
        await self._send(pending.data)

    async def _send(self, data: bytes) -> None:
        ws = self._ws
        if ws is not None:
            await ws.send_frame(data, _TEXT)

    def overdue(self, now: float) -> Pending | None:
        """Return the call of ours that waited too long for its answer; it is given up."""
        turns = self._turns
        if turns is None or turns.current is None or turns.current.deadline > now:
            return None
        return turns.late()

    async def send_next_safely(self) -> None:
        """Send what waits in line; a connection that breaks meanwhile ends by itself."""
        try:
            await self._send_next()
        except (ClientConnectionResetError, ConnectionError):
            self._why("lost")

    @property
    def calling(self) -> bool:
        """Whether a call of ours is under way or in line."""
        return self._turns is not None

    def abandon(self) -> list[Pending]:
        """End with the connection; returns the calls that will never be answered."""
        self._end_probe(alive=False)
        return [] if self._turns is None else self._turns.close()

    # ------------------------------------------------------------------ what is known of it

    def quirk(self, kind: str, example: str = "") -> None:
        """Count a deviation; the counters are stored now and then."""
        if self._quirks is None:
            self._quirks = {}
        if not self._quirks:
            self._stations.deviated(self)
        count = self._quirks.get(kind)
        if count is not None:
            count[0] = int(count[0]) + 1
        elif len(self._quirks) < _MOST_KINDS:
            self._quirks[kind] = [1, example[:500]]

    def take_quirks(self) -> list[QuirkCount]:
        """Return the counters and begin anew."""
        counted, self._quirks = self._quirks or {}, None
        return [QuirkCount(kind, int(times), str(example)) for kind, (times, example) in counted.items()]

    def registered(self, registration: Registration) -> None:
        """Remember what the charger was told at its boot."""
        self.registration = registration

    def asked_for(self, action: str) -> None:
        """Remember that the charger was asked to send a message."""
        self._asked = {action} if self._asked is None else self._asked | {action}

    def expects(self, action: str) -> bool:
        """Tell whether the charger was asked to send this."""
        return self._asked is not None and action in self._asked

    # ------------------------------------------------------------------ alive and end

    async def alive(self, within_s: float) -> bool:
        """Ping and tell whether anything came back in time."""
        if self._ws is None or self.closing:
            return False
        if self._probe is None:
            self._probe = asyncio.get_running_loop().create_future()
        probe = self._probe
        try:
            await self._ws.ping(b"alive?")
            return await asyncio.wait_for(asyncio.shield(probe), within_s)
        except (TimeoutError, ClientConnectionResetError, ConnectionError):
            return False

    def _end_probe(self, *, alive: bool) -> None:
        probe, self._probe = self._probe, None
        if probe is not None and not probe.done():
            probe.set_result(alive)

    async def ping(self) -> None:
        """Ping without waiting; a connection that breaks by it ends by itself."""
        if self._ws is not None:
            try:
                await self._ws.ping()
            except (ClientConnectionResetError, ConnectionError):
                self._why("lost")

    def _why(self, reason: str) -> None:
        if not self.closing:
            self.reason = reason

    def close_soon(self, code: int, text: str) -> None:
        """End the connection without waiting for the charger to agree."""
        if self._ws is not None:
            self._stations.spawn(_close(self._ws, code, text))

    def end(self, reason: str, code: int = 1001, text: str = "") -> None:
        """End the connection for a reason of ours."""
        if not self.closing:
            self.reason = reason
            self.closing = True
            self.close_soon(code, text or reason)


def _shown(pending: Pending, frame: CallResult | CallError, data: bytes) -> str:
    """Return an answer as it may be written down."""
    hide = pending.kind.shown_answer
    if hide is not None and isinstance(frame, CallResult):
        data = frames.encode_result(frame.id, dict(hide(frame.payload)))
    return data.decode("utf-8", "replace")


async def _close(ws: "web.WebSocketResponse[bool]", code: int, text: str) -> None:
    try:
        await ws.close(code=code, message=text.encode()[:120])
    except (ClientConnectionResetError, ConnectionError, RuntimeError) as error:
        log.debug("close: %s", error)
