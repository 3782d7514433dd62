"""The frames of OCPP-J, pure: bytes in, a call or an answer out, or a ``FrameError``; never anything else.

OCPP-J 1.6 section 4.2 gives the forms. What a charger gets slightly wrong is read anyway and named
in ``quirks``, because a frame that is refused may be a sale that is lost.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import orjson

from onprem_csms.errors import PeerError
from onprem_csms.ocpp.rpc import salvage

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
NO_ID = "-1"
"""The id of an answer to a frame whose own id could not be read (the custom of OCPP-J 2.0.1, section 4.2.3)."""
LONGEST_ID = 36

MessageId = str | int

_ALL_BUT_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")


class Call(NamedTuple):
    """A request; a named tuple because one is made for every message of every charger."""

    id: MessageId
    action: str
    payload: dict[str, Any]
    quirks: tuple[str, ...] = ()


_new_call = partial(tuple.__new__, Call)
"""The way past the checks of the constructor, for what is checked already."""


class CallResult(NamedTuple):
    """The answer to a call."""

    id: MessageId
    payload: dict[str, Any]
    quirks: tuple[str, ...] = ()


class CallError(NamedTuple):
    """The refusal of a call."""

    id: MessageId
    code: str
    description: str
    details: dict[str, Any]
    quirks: tuple[str, ...] = ()


Frame = Call | CallResult | CallError


class FrameError(PeerError):
    """A frame that can't be read; ``id`` is what to answer to with ``code``, None: don't answer."""

    def __init__(
        self, message: str, *, code: str = "FormationViolation", id: MessageId | None = NO_ID
    ) -> None:
        super().__init__(message)
        self.code = code
        self.id = id


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a frame is read: bytes, nesting, and the actions that are answered however broken."""

    max_bytes: int = 256 * 1024
    max_depth: int = 32
    must_answer: frozenset[str] = frozenset()


def parse(data: bytes, limits: Limits) -> Frame:
    """Read one message; FrameError when nothing can be made of it."""
    if len(data) > limits.max_bytes:
        return _oversize(data, limits)
    if not shallow(data, limits.max_depth):
        return _unreadable(data, limits, "too_deep", "The message is nested too deeply.")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _salvaged(data, limits)
    return _frame(value)


def shallow(data: bytes, limit: int) -> bool:
    """Tell whether brackets nest no deeper than ``limit``, without parsing.

    Brackets are peeled from the inside: a round takes off at most two levels, so what is gone after
    half as many rounds as levels was not too deep. Only the rest is counted character by character.
    """
    brackets = data.translate(None, _ALL_BUT_BRACKETS)
    for _ in range(limit // 2):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return True
    return salvage.depth(data) <= limit


def encode_call(id: str, action: str, payload: dict[str, Any]) -> bytes:
    """Write a request, compact, its members in the order given; TypeError for what JSON can't hold."""
    return b"[2,%b,%b,%b]" % (orjson.dumps(id), orjson.dumps(action), orjson.dumps(payload))


def encode_result(id: MessageId, payload: dict[str, Any]) -> bytes:
    """Write an answer, compact, its members in the order given."""
    return b"[3,%b,%b]" % (orjson.dumps(id), orjson.dumps(payload) if payload else b"{}")


def encode_error(id: MessageId, code: str, description: str) -> bytes:
    """Write a refusal; the details are always an empty object (OCPP-J 1.6, section 4.2.3)."""
    return orjson.dumps([CALL_ERROR, id, code, description[:255], {}])


def _frame(value: Any, quirks: tuple[str, ...] = ()) -> Frame:
    if type(value) is not list or len(value) < 2:
        raise FrameError("A message is a list of its type, its id and more.")
    kind = value[0]
    if kind == CALL and type(kind) is int:
        return _call(value, quirks)
    if type(kind) in (str, float) and str(kind).removesuffix(".0").strip() in ("2", "3", "4"):
        return _frame([int(float(kind)), *value[1:]], (*quirks, "message_type"))
    if type(kind) is int and kind in (CALL_RESULT, CALL_ERROR):
        return _answer(kind, value, quirks)
    # A type not in the table is ignored (OCPP-J 1.6, section 4.1.3).
    raise FrameError("The message type is unknown.", id=None)


def _call(value: list[Any], quirks: tuple[str, ...]) -> Call:
    if len(value) == 4:
        _, id, action, payload = value
        if type(id) is str and type(action) is str and type(payload) is dict and 0 < len(id) <= LONGEST_ID:
            return _new_call((id, action, payload, quirks))
    else:
        quirks = (*quirks, "elements")
    id, odd_id = _id(value[1])
    if len(value) < 3 or type(value[2]) is not str:
        raise FrameError("The action is missing or not a text.", id=id)
    payload = value[3] if len(value) > 3 else {}
    if type(payload) is not dict:
        quirks, payload = (*quirks, "payload"), {}
    return Call(id, value[2], payload, (*quirks, *odd_id))


def _answer(kind: int, value: list[Any], quirks: tuple[str, ...]) -> Frame:
    id, odd_id = _id(value[1])
    quirks = (*quirks, *odd_id)
    if len(value) != (3 if kind == CALL_RESULT else 5):
        quirks = (*quirks, "elements")
    if kind == CALL_RESULT:
        payload = value[2] if len(value) > 2 else {}
        return (
            CallResult(id, payload, quirks)
            if type(payload) is dict
            else CallResult(id, {}, (*quirks, "payload"))
        )
    code, description, details = (*value[2:5], None, None, None)[:3]
    if type(details) is not dict:
        details = {} if details is None else {"details": details}
    return CallError(id, str(code or "GenericError"), str(description or ""), details, quirks)


def _id(raw: Any) -> tuple[MessageId, tuple[str, ...]]:
    """Return an id that can be echoed exactly as it came, and what is odd about it."""
    if type(raw) is str:
        return raw, () if 0 < len(raw) <= LONGEST_ID else ("message_id",)
    if type(raw) is int:
        return raw, ("message_id",)
    return NO_ID, ("message_id",)


def _oversize(data: bytes, limits: Limits) -> Frame:
    """Read a message above the limit only when a sale hangs on it, or it answers a question of ours."""
    head = salvage.head(data)
    wanted = salvage.is_answer(data) or (head is not None and head.action in limits.must_answer)
    if wanted and shallow(data, limits.max_depth):
        try:
            return _frame(orjson.loads(data), ("too_big",))
        except orjson.JSONDecodeError:
            pass
    return _unreadable(data, limits, "too_big", "The message is too big.")


def _salvaged(data: bytes, limits: Limits) -> Frame:
    """Mend broken JSON where that can be done without guessing."""
    mended = salvage.mend(data)
    if mended is not None:
        try:
            return _frame(orjson.loads(mended), ("broken_json",))
        except orjson.JSONDecodeError:
            pass
    return _unreadable(data, limits, "broken_json", "The message is not JSON.")


def _unreadable(data: bytes, limits: Limits, quirk: str, sentence: str) -> Frame:
    """Give up on the content: an empty call where a sale hangs on it, so that it is kept and answered."""
    head = salvage.head(data)
    if head is None:
        raise FrameError(sentence, id=None if salvage.is_answer(data) else NO_ID)
    if head.action in limits.must_answer:
        return Call(head.id, head.action, {}, (quirk, "unreadable"))
    raise FrameError(sentence, id=head.id)
