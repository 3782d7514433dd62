"""One charger's connection: it reads, answers in order, sends what it is given, and ends cleanly."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from aiohttp import ClientConnectionResetError, WSMsgType, web

from onprem_csms.domain.chargers.chargers import QuirkCount, Registration
from onprem_csms.ocpp.link.outgoing import Pending
from onprem_csms.ocpp.link.router import UnansweredError
from onprem_csms.ocpp.link.surroundings import Surroundings
from onprem_csms.ocpp.rpc import frames
from onprem_csms.ocpp.rpc.frames import Call, CallError, CallResult, FrameError
from onprem_csms.ocpp.rpc.turns import Turns

log = logging.getLogger(__name__)

_FAIR = 64
"""Frames that may follow each other before the other chargers get their turn."""
_MOST_ODD_FRAMES_LOGGED = 100
_MOST_KINDS = 64
_TRY_AGAIN_LATER = 1013
_GRACE_S = 1.0
"""More than a charger has to agree to the end, so that only one that reads nothing is cut off."""
_TEXT, _BINARY, _PING, _PONG = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG


class Connection:
    """Lives as long as its WebSocket. What is seldom needed is made when it is."""

    __slots__ = (
        "_answering",
        "_asked",
        "_idle",
        "_limits",
        "_log",
        "_odd_frames",
        "_options",
        "_owner",
        "_probe",
        "_quirks",
        "_router",
        "_stuck_since",
        "_transport",
        "_turns",
        "_ws",
        "charger_id",
        "closing",
        "heard",
        "interval_id",
        "key",
        "pinged",
        "reason",
        "registration",
        "remote",
        "version",
    )

    def __init__(self, shared: Surroundings, charger_id: str) -> None:
        self.charger_id = charger_id
        self.version = shared.router.version
        self.registration: Registration = "pending"
        self.remote = ""
        self.key = b""
        self.reason = "lost"
        self.heard = 0.0
        self.pinged = 0.0
        self.closing = False
        self.interval_id = 0
        self._owner = shared.owner
        self._options = shared.options
        self._router = shared.router
        self._limits = shared.limits
        self._log = shared.log
        self._ws: web.WebSocketResponse[bool] | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._stuck_since = 0.0
        self._turns: Turns[Pending] | None = None
        self._quirks: dict[str, list[str | int]] | None = None
        self._probe: asyncio.Future[bool] | None = None
        self._asked: set[str] | None = None
        self._odd_frames = 0
        self._answering = False
        self._idle: asyncio.Future[None] | None = None

    # ------------------------------------------------------------------ reading

    def opened(self, ws: "web.WebSocketResponse[bool]", transport: asyncio.WriteTransport | None) -> None:
        """Take the WebSocket and what carries it; from now on the charger can be spoken to."""
        self._ws = ws
        self._transport = transport
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
            self._end_unanswered()

    def _note_end(self, message: object) -> None:
        error = getattr(message, "data", None)
        if isinstance(error, Exception):
            self.quirk("over_limit", str(error))
            self._why("over_limit")
        else:
            self._why("closed")

    async def _read(self, data: bytes, *, binary: bool) -> None:
        if self._answering and not await self._answered():
            return
        if binary:
            self.quirk("binary")
        fast = self._router.fast(self, data)
        if fast is not None:
            self._log(self.charger_id, "in", data)
            self._answering = True
            self._router.carry_out(self, fast, data)
            return
        try:
            frame = frames.parse(data, self._limits)
        except FrameError as fault:
            await self._refuse(data, fault)
            return
        if type(frame) is not Call:
            await self._take_answer(frame, data)  # type: ignore[arg-type]
            return
        raw = data.decode("utf-8", "replace")
        self._log(self.charger_id, "in", data)
        answer = await self._router.answer(self, frame, raw)
        if answer:
            self._log(self.charger_id, "out", answer)
            await self._ws.send_frame(answer, _TEXT)  # type: ignore[union-attr]

    async def _answered(self) -> bool:
        """Wait until the call before was answered, so that answers keep their order; False when there is no more."""
        self._idle = asyncio.get_running_loop().create_future()
        await self._idle
        return not self.closing

    async def _refuse(self, data: bytes, fault: FrameError) -> None:
        self.quirk("unreadable", data[:500].decode("utf-8", "replace"))
        if self._odd_frames < _MOST_ODD_FRAMES_LOGGED:
            self._odd_frames += 1
            self._log(self.charger_id, "in", data[:2000])
        if fault.id is not None:
            await self._send(frames.encode_error(fault.id, self.version.unreadable or fault.code, str(fault)))

    async def _take_answer(self, frame: CallResult | CallError, data: bytes) -> None:
        pending = None if self._turns is None else self._turns.answer(frame.id)
        if pending is None:
            self.quirk("stray_answer", data[:500].decode("utf-8", "replace"))
            return
        self._log(self.charger_id, "in", pending.shown_answer(frame, data))
        for kind in frame.quirks:
            self.quirk(kind, data[:500].decode("utf-8", "replace"))
        self._send_next()
        if type(frame) is CallResult:
            pending.end("answered", frame.payload)
        elif isinstance(frame, CallError):
            response = {"code": frame.code, "description": frame.description, "details": frame.details}
            pending.end("error", response)

    # ------------------------------------------------------------------ sending

    def want(self, pending: Pending) -> None:
        """Send a call of ours, or let it wait for its turn; Conflict when too many wait."""
        if self._turns is None:
            self._turns = Turns(self._options.queue_length)
        older = self._turns.supersede(pending)
        if older is not None:
            older.end("superseded")
        now = self._turns.want(pending)
        self._owner.watch(self)
        if now is not None:
            self._dispatch(now)

    def _send_next(self) -> None:
        if self._turns is None:
            return
        following = self._turns.next()
        if following is not None:
            self._dispatch(following)
        elif self._turns.idle:
            self._turns = None

    def _dispatch(self, pending: Pending) -> None:
        self._log(self.charger_id, "out", pending.text)
        pending.writing = True
        self._owner.spawn(self._write_call(pending))

    async def _write_call(self, pending: Pending) -> None:
        try:
            await self._send(pending.data)
        except (ClientConnectionResetError, ConnectionError):
            self.end("lost")
        else:
            pending.written()

    def reply(self, answer: bytes) -> None:
        """Send the answer to the call that was carried out, after those of its group that came before."""
        self._log(self.charger_id, "out", answer)
        self._owner.reply(self, answer)

    def reply_after(self, work: Coroutine[Any, Any, bytes]) -> None:
        """Send what this returns, if anything, or close without an answer where it raises UnansweredError."""
        self._owner.spawn(self._reply_after(work))

    async def _reply_after(self, work: Coroutine[Any, Any, bytes]) -> None:
        answer = b""
        try:
            answer = await work
        except UnansweredError:
            self._end_unanswered()
        finally:
            if not answer:
                self._free()
        if answer:
            self._log(self.charger_id, "out", answer)
            await self.send_answer(answer)

    async def send_answer(self, answer: bytes) -> None:
        """Send an answer; it waits for nothing unless something is ``unsent``."""
        try:
            if not self.closing:
                await self._send(answer)
        except (ClientConnectionResetError, ConnectionError):
            self.end("lost")
        finally:
            self._free()

    @property
    def unsent(self) -> bool:
        """Whether the charger has not taken all that was sent before."""
        return self._transport is None or self._transport.get_write_buffer_size() > 0

    def _free(self) -> None:
        self._answering = False
        idle, self._idle = self._idle, None
        if idle is not None and not idle.done():
            idle.set_result(None)

    async def _send(self, data: bytes) -> None:
        ws = self._ws
        if ws is not None:
            await ws.send_frame(data, _TEXT)

    def end_overdue(self, now: float) -> None:
        """Give up calls of ours that waited too long; a charger that does not even take them is dropped."""
        turns = self._turns
        if turns is None:
            return
        for pending in turns.overdue(now):
            pending.end("timeout")
            if pending.writing:
                self.end("not_reading", text="Nothing was read for too long.")
        self._send_next()

    def stuck(self, now: float) -> bool:
        """Tell whether what we write has not been taken for longer than an answer may need; ask every few seconds."""
        if self._transport is None or not self._transport.get_write_buffer_size():
            self._stuck_since = 0.0
        elif not self._stuck_since:
            self._stuck_since = now
        return 0 < self._stuck_since < now - self._options.call_timeout_s

    @property
    def calling(self) -> bool:
        """Whether a call of ours is under way or in line."""
        return self._turns is not None

    def abandon(self) -> None:
        """End with the connection; calls that wait will never be answered."""
        self._end_probe(alive=False)
        if self._turns is not None:
            for pending in self._turns.close():
                pending.end("lost")

    # ------------------------------------------------------------------ what is known of it

    def quirk(self, kind: str, example: str = "") -> None:
        """Count a deviation; the counters are stored now and then."""
        if self._quirks is None:
            self._quirks = {}
        if not self._quirks:
            self._owner.deviated(self)
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
        if registration == "accepted":
            self._owner.booted(self)

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
            async with asyncio.timeout(within_s):
                return await asyncio.shield(probe)
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
            self._owner.spawn(self._close(self._ws, code, text))

    def end(self, reason: str, code: int = 1001, text: str = "") -> None:
        """End the connection for a reason of ours."""
        if not self.closing:
            self.reason = reason
            self.closing = True
            self.close_soon(code, text or reason)

    def _end_unanswered(self) -> None:
        # Not answered and cut off, the charger keeps the message and comes again.
        self.end("not_stored", _TRY_AGAIN_LATER, "The message could not be stored.")

    async def _close(self, ws: "web.WebSocketResponse[bool]", code: int, text: str) -> None:
        """Part politely; from who takes nothing, without."""
        try:
            within = self._options.close_wait_s + _GRACE_S
            async with asyncio.timeout(within):
                await ws.close(code=code, message=text.encode()[:120])
        except (TimeoutError, ClientConnectionResetError, ConnectionError, RuntimeError) as error:
            log.debug("close: %s", error)
            if self._transport is not None:
                self._transport.abort()
