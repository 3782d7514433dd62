"""From a call to its answer: everything that is the same for every action, done once."""

import logging
import secrets
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol

from onprem_csms.domain.chargers.chargers import Registration
from onprem_csms.errors import AppError, StoreError, say_fault
from onprem_csms.ocpp.link.fast import FastCall, Heard
from onprem_csms.ocpp.link.incoming import Action, Incoming, Station
from onprem_csms.ocpp.rpc import frames, schemas
from onprem_csms.ocpp.rpc.frames import Call
from onprem_csms.ocpp.rpc.moments import Windows
from onprem_csms.ocpp.rpc.repair import repair
from onprem_csms.ocpp.rpc.schemas import Fault
from onprem_csms.ocpp.rpc.typed import MISS
from onprem_csms.ocpp.versions import Version
from onprem_csms.services.charging import review
from onprem_csms.services.core.context import Context, Tx

log = logging.getLogger(__name__)

LARGEST_TRANSACTION = 2**31 - 1
_HEAD = 128
"""Bytes in which type, id and action of a well-formed call stand."""
_LARGEST_FAST = 64 * 1024
# With these the content had to be guessed: a sale that hangs on it is looked at by a person.
_BREAKING = frozenset(("broken_json", "unreadable", "too_deep", "payload", "missing", "wrong_type"))
# After the repair only these leave a message without a meaning.
_FATAL = frozenset(("required", "type"))


class Peer(Station, Protocol):
    """What the router needs to know of the connection that a call came on."""

    charger_id: str
    registration: Registration

    def expects(self, action: str) -> bool:
        """Tell whether the charger was asked to send this."""

    def reply(self, answer: bytes) -> None:
        """Send the answer to the call that was carried out; it does not raise."""

    def reply_after(self, work: Coroutine[Any, Any, bytes]) -> None:
        """Send what this returns unless it is NO_ANSWER, or close without an answer where it raises UnansweredError."""


NO_ANSWER = b""
"""Of a message that could not be stored: the charger keeps it, or forgets it, as it would on a bad line."""


class UnansweredError(Exception):
    """A message that carries money could not be stored: no answer, so that the charger keeps it and tries again."""


class Router:
    """Answers the calls of chargers that speak one version."""

    __slots__ = ("_actions", "_also", "_ctx", "_folded", "_valid", "_windows", "version")

    def __init__(self, ctx: Context, version: Version) -> None:
        self._ctx = ctx
        self.version = version
        self._actions = version.actions
        self._windows = Windows(ctx.settings.sessions.clock_skew_s)
        self._folded = {name.casefold(): name for name in version.actions}
        self._also = tuple(Router(ctx, other) for other in version.also)
        self._valid = {name: schemas.incoming(version.schemas, name).is_valid for name in version.actions}

    def fast(self, peer: Peer, data: bytes) -> FastCall | None:
        """Read a call on its short way; None where the tolerant way must look, which is never wrong."""
        start = data[:_HEAD].split(b'"', 4)
        found = self.version.fast.get(start[3].decode("ascii", "replace")) if len(start) == 5 else None
        if found is None or len(data) > _LARGEST_FAST or peer.registration != "accepted":
            return None
        try:
            call = found.decode(data)
        except MISS:
            return None
        now = self._ctx.clock.now()
        deed = found.read(Heard(peer.charger_id, call.payload, self._windows.at(now), now))
        return None if deed is None else FastCall(call.id, call.action, deed)

    def carry_out(self, peer: Peer, call: FastCall, data: bytes) -> None:
        """Have what a call on its short way says stored; the peer replies from the end of its group of writes."""
        service, done = call.deed.service, partial(self._carried_out, peer, call, data)
        if service is None:
            done(None, None)
            return
        try:
            self._ctx.submit(service, (call.deed.value,), done)
        except StoreError as error:
            done(None, error)

    def _carried_out(
        self, peer: Peer, call: FastCall, data: bytes, result: Any, error: Exception | None
    ) -> None:
        if error is None:
            try:
                answer = frames.encode_result(call.id, call.deed.answer(result))
            except Exception as bug:  # noqa: BLE001 - as in ``answer``: whatever fails is answered here
                error = bug
            else:
                peer.reply(answer)
                return
        incoming = Incoming(self._ctx, peer, peer.charger_id, self._windows.at(self._ctx.clock.now()))
        incoming.action, incoming.raw = call.action, data.decode("utf-8", "replace")
        refused = Call(call.id, call.action, {})
        peer.reply_after(self._failed(incoming, self._actions[call.action], refused, error))

    async def answer(self, peer: Peer, call: Call, raw: str) -> bytes:
        """Return the answer to a call, after what it says is stored; UnansweredError when it can't be."""
        name = call.action
        action = self._actions.get(name)
        if action is None:
            name = self._folded.get(name.strip("/ ").casefold(), "")
            if not name:
                return await self._unknown(peer, call, raw)
            action = self._actions[name]
            peer.quirk("action_case", raw)
        incoming = Incoming(self._ctx, peer, peer.charger_id, self._windows.at(self._ctx.clock.now()))
        incoming.action, incoming.payload, incoming.raw = name, call.payload, raw
        if call.quirks or not self._valid[name](call.payload):
            if self._also and (other := self._really(name, call)) is not None:
                peer.quirk("other_version", raw)
                return await other.answer(peer, call, raw)
            fault = self._mend(incoming, action, call.quirks)
            if fault is not None:
                return self._error(call, fault.code, f"{fault.path}: {fault.sentence}")
        if peer.registration != "accepted" and not _may_speak(peer, name, action):
            return self._error(call, "SecurityError", "The charger is not accepted yet.")
        try:
            return frames.encode_result(call.id, await action.handler(incoming))
        except Exception as error:  # noqa: BLE001 - the endpoint's own loop: whatever fails is answered here
            return await self._failed(incoming, action, call, error)

    def _error(self, call: Call, code: str, text: str) -> bytes:
        return frames.encode_error(call.id, self.version.error_codes.get(code, code), text)

    def _really(self, name: str, call: Call) -> "Router | None":
        """Find the version that a call is well formed in, where it isn't in the one that was agreed on."""
        return next((other for other in self._also if other.takes(name, call.payload)), None)

    def takes(self, name: str, payload: dict[str, Any]) -> bool:
        """Tell whether a payload is well formed in this version."""
        return name in self._valid and self._valid[name](payload)

    async def _unknown(self, peer: Peer, call: Call, raw: str) -> bytes:
        for other in self._also:
            if call.action in other.version.actions:
                peer.quirk("other_version", raw)
                return await other.answer(peer, call, raw)
        peer.quirk("unknown_action", call.action[:100])
        known = call.action in self.version.commands
        code = "NotSupported" if known else "NotImplemented"
        return self._error(call, code, f"{call.action[:50]} is not understood here.")

    def _mend(self, incoming: Incoming, action: Action, quirks: tuple[str, ...]) -> Fault | None:
        """Put a payload right; returns the fault that leaves it without a meaning, never one of a sale."""
        schema = schemas.incoming(self.version.schemas, incoming.action)
        mended, found = repair(incoming.payload, schema.document)
        for kind in (*quirks, *found):
            incoming.station.quirk(kind, incoming.raw)
        mended |= {name: incoming.payload[name] for name in action.also if name in incoming.payload}
        incoming.payload = {**action.stand_ins, **mended} if action.stand_ins else mended
        if action.must_answer is not None:
            incoming.broken = not _BREAKING.isdisjoint((*quirks, *found))
        if action.must_answer is not None or action.lenient:
            return None
        return next((fault for fault in schema.faults(incoming.payload) if fault.keyword in _FATAL), None)

    async def _failed(self, incoming: Incoming, action: Action, call: Call, error: Exception) -> bytes:
        place = f"{incoming.charger_id} {incoming.action}"
        if isinstance(error, StoreError):
            say_fault(log, place, error)
            if action.must_answer is not None:
                raise UnansweredError from error
            # An answer, even a bad one, would let the charger throw the message away.
            return NO_ANSWER
        if not isinstance(error, AppError):
            log.error("%s: %s", place, incoming.raw, exc_info=error)
        if action.must_answer is None:
            text = str(error) if isinstance(error, AppError) else "internal error"
            return self._error(call, "InternalError", text)
        return await self._set_aside(incoming, action, call, error)

    async def _set_aside(self, incoming: Incoming, action: Action, call: Call, error: Exception) -> bytes:
        """Keep a sale that the csms itself failed on for a person to look at, and answer it as ever."""
        detail = {"action": incoming.action, "message": incoming.raw, "error": repr(error)[:200]}
        try:
            await self._ctx.write(_to_review, incoming.charger_id, detail)
        except StoreError as failure:
            raise UnansweredError from failure
        must_answer = action.must_answer
        payload = must_answer(1 + secrets.randbelow(LARGEST_TRANSACTION)) if must_answer else {}
        return frames.encode_result(call.id, payload)


def _to_review(tx: Tx, charger_id: str, detail: dict[str, str]) -> None:
    review.flag_message(tx, charger_id, "broken", detail)


def _may_speak(peer: Peer, name: str, action: Action) -> bool:
    """Before it is accepted a charger may boot, answer to what it was asked, and report sales.

    OCPP 1.6 section 4.2; OCPP-J 1.6 errata 3.8.
    """
    if action.must_answer is not None or name == "BootNotification":
        return True
    return peer.registration == "pending" and (action.before_accepted or peer.expects(name))
