"""A command of ours on its way to a charger, and what a table of commands says of each."""

import asyncio
import uuid
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from onprem_csms.domain.chargers.command_life import Ending
from onprem_csms.errors import Invalid
from onprem_csms.ocpp.rpc import frames
from onprem_csms.ocpp.rpc.frames import CallError, CallResult
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.ports import Lane, Order, Reply


class Answered(NamedTuple):
    """A command with its ending, as a ``record`` function gets it."""

    charger_id: str
    request: Mapping[str, Any]
    outcome: Ending
    response: Mapping[str, Any]

    @property
    def status(self) -> str:
        """The word of the charger's answer, empty without one."""
        return str(self.response.get("status", "")) if self.outcome == "answered" else ""


Record = Callable[[Tx, Answered], None]
Prepare = Callable[[Tx, str, Mapping[str, Any]], None]


def _nothing(_: Mapping[str, Any]) -> str:
    return ""


def _none(_: Mapping[str, Any]) -> Hashable:
    return None


@dataclass(frozen=True, slots=True)
class CommandKind:
    """What happens around one command of the protocol.

    ``accepted``: the words of an answer that agrees; none where the answer has no such word. ``prepare``
    runs in the transaction that writes down the wish, ``record`` in the one that writes down the outcome,
    so that the same record is left whichever way the command was given. ``shown`` and ``shown_answer``
    return request and answer as they may be written down, without secrets. ``asks_for`` names the message
    that the charger is asked to send. ``replaces`` names what a request sets, so that of several that wait only
    the newest goes out. ``agreement`` reads whether an answer agrees that says so otherwise than by one word.
    """

    accepted: frozenset[str] = frozenset(("Accepted",))
    prepare: Prepare | None = None
    record: Record | None = None
    shown: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    shown_answer: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    asks_for: Callable[[Mapping[str, Any]], str] = _nothing
    lane: Lane = "rest"
    replaces: Callable[[Mapping[str, Any]], Hashable] = _none
    agreement: Callable[[Mapping[str, Any]], bool | None] | None = None

    def order(self, charger_id: str, action: str, request: Mapping[str, Any]) -> Order:
        """Return a request of this kind as an order; Invalid when JSON can't hold it."""
        _check(action, request)

        def prepare(tx: Tx) -> None:
            if self.prepare is not None:
                self.prepare(tx, charger_id, request)

        def record(tx: Tx, reply: Reply) -> None:
            if self.record is not None:
                self.record(tx, Answered(charger_id, request, reply.ending, reply.response))

        def agrees(reply: Reply) -> bool | None:
            if reply.ending != "answered":
                return None
            if self.agreement is not None:
                return self.agreement(reply.response)
            if not self.accepted:
                return None
            return str(reply.response.get("status", "")) in self.accepted

        return Order(
            charger_id,
            action,
            request,
            self.shown(request),
            prepare=prepare,
            record=record,
            shown_answer=self.shown_answer or _as_it_is,
            agrees=agrees,
            lane=self.lane,
            replaces=self.replaces(request),
        )


def _as_it_is(response: Mapping[str, Any]) -> Mapping[str, Any]:
    return response


def _check(action: str, request: Mapping[str, Any]) -> None:
    try:
        frames.encode_call("", action, dict(request))
    except TypeError as error:
        raise Invalid("The request holds what JSON can't: {reason}.", reason=str(error)) from error


class Pending:
    """An order that was handed in and has not ended: its frame, and who waits for the reply.

    ``text`` is what is written down of the frame, without secrets; ``deadline`` is in the time of the loop.
    """

    __slots__ = ("_sent", "data", "deadline", "id", "lane", "order", "replaces", "reply", "text", "writing")

    def __init__(self, order: Order, sent: Callable[[], None], deadline: float) -> None:
        self.id = str(uuid.uuid4())
        self.order = order
        self.data = frames.encode_call(self.id, order.action, dict(order.request))
        self.text = frames.encode_call(self.id, order.action, dict(order.shown))
        self.writing = False
        self._sent = sent
        self.deadline = deadline
        self.lane = order.lane
        self.replaces = order.replaces
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def written(self) -> None:
        """Tell that it has been taken by the connection, unless it has ended meanwhile."""
        self.writing = False
        if not self.reply.done():
            self._sent()

    def shown_answer(self, frame: CallResult | CallError, data: bytes) -> bytes:
        """Return the answer to it as it may be written down."""
        if isinstance(frame, CallResult):
            shown = self.order.shown_answer(frame.payload)
            if shown is not frame.payload:
                return frames.encode_result(frame.id, dict(shown))
        return data

    def end(self, ending: Ending, response: Mapping[str, Any] | None = None) -> None:
        """Tell who waits how it ended; only the first ending counts."""
        if not self.reply.done():
            self.reply.set_result(Reply(ending, response or {}))
