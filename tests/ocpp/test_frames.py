"""Whatever bytes come in, the parser gives a call, an answer or a FrameError, never anything else."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.ocpp.rpc import frames, salvage
from onprem_csms.ocpp.rpc.frames import Call, CallError, CallResult, FrameError, Limits

MONEY = frozenset(("StartTransaction", "StopTransaction", "MeterValues"))
LIMITS = Limits(max_bytes=2000, max_depth=8, must_answer=MONEY)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=6),
    max_leaves=20,
)


def parse(frame: object) -> frames.Frame:
    data = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    return frames.parse(data, LIMITS)


@given(st.binary(max_size=4000))
def test_any_bytes_give_a_value_or_a_frame_error(data: bytes) -> None:
    try:
        frame: object = frames.parse(data, LIMITS)
    except FrameError as fault:
        frame = frames.encode_error(fault.id or "", fault.code, str(fault))
    assert isinstance(frame, Call | CallResult | CallError | bytes)


@given(st.text(alphabet='[]{},:"\\0123456789eE.-+ntfu a\x00\ufeff', max_size=60))
def test_almost_json_gives_a_value_or_a_frame_error(text: str) -> None:
    for data in (text.encode(), b'[2,"a","MeterValues",' + text.encode(), b'[2,"a","Other",' + text.encode()):
        try:
            frame = frames.parse(data, LIMITS)
        except FrameError:
            continue
        assert isinstance(frame, Call | CallResult | CallError)


@given(st.lists(json_values, max_size=7))
def test_any_list_gives_a_value_or_a_frame_error(value: list[object]) -> None:
    try:
        frame = frames.parse(json.dumps(value).encode("utf-8", "surrogatepass"), LIMITS)
    except FrameError:
        return
    assert isinstance(frame, Call | CallResult | CallError)
    assert isinstance(frame.id, str | int)


@given(st.binary(max_size=300), st.sampled_from(sorted(MONEY)))
def test_a_message_that_carries_money_is_always_a_call(rubbish: bytes, action: str) -> None:
    frame = frames.parse(b'[2,"m1","' + action.encode() + b'",' + rubbish, LIMITS)
    assert isinstance(frame, Call)
    assert (frame.id, frame.action) == ("m1", action)


@given(json_values)
def test_what_is_json_is_read_as_json(value: object) -> None:
    payload = {"value": value}
    try:
        plain = orjson.loads(json.dumps(payload))
    except orjson.JSONDecodeError:
        return
    data = json.dumps([2, "a", "Whatever", payload]).encode()
    assert frames.parse(data, Limits()) == Call("a", "Whatever", plain)


@pytest.mark.parametrize(
    "frame,expected",
    [
        ([2, "a", "Heartbeat", {}], Call("a", "Heartbeat", {})),
        ([2, "a", "Heartbeat"], Call("a", "Heartbeat", {}, ("elements",))),
        ([2, "a", "Heartbeat", {}, 5], Call("a", "Heartbeat", {}, ("elements",))),
        ([2, "a", "Heartbeat", None], Call("a", "Heartbeat", {}, ("payload",))),
        ([2, "a", "Heartbeat", []], Call("a", "Heartbeat", {}, ("payload",))),
        ([2, 77, "Heartbeat", {}], Call(77, "Heartbeat", {}, ("message_id",))),
        ([2, "", "Heartbeat", {}], Call("", "Heartbeat", {}, ("message_id",))),
        ([2, None, "Heartbeat", {}], Call("-1", "Heartbeat", {}, ("message_id",))),
        ([2, "x" * 37, "Heartbeat", {}], Call("x" * 37, "Heartbeat", {}, ("message_id",))),
        (["2", "a", "Heartbeat", {}], Call("a", "Heartbeat", {}, ("message_type",))),
        ([2.0, "a", "Heartbeat", {}], Call("a", "Heartbeat", {}, ("message_type",))),
        ([3, "a", {"b": 1}], CallResult("a", {"b": 1})),
        ([3, "a"], CallResult("a", {}, ("elements",))),
        ([3, "a", None], CallResult("a", {}, ("payload",))),
        ([4, "a", "E", "d", {}], CallError("a", "E", "d", {})),
        ([4, "a", "E", "d"], CallError("a", "E", "d", {}, ("elements",))),
        ([4, "a", "E"], CallError("a", "E", "", {}, ("elements",))),
        ([4, "a"], CallError("a", "GenericError", "", {}, ("elements",))),
        ([4, "a", "E", "d", "text"], CallError("a", "E", "d", {"details": "text"})),
        ([4, "a", None, None, None], CallError("a", "GenericError", "", {})),
    ],
)
def test_a_frame_that_is_slightly_wrong_is_read_and_the_oddity_named(
    frame: list[object], expected: frames.Frame
) -> None:
    assert parse(frame) == expected


@pytest.mark.parametrize(
    "frame,id",
    [
        (b"", "-1"),
        (b"rubbish", "-1"),
        (b"{}", "-1"),
        (b"[]", "-1"),
        (b"[2]", "-1"),
        (b'[2,"a"]', "a"),
        (b'[2,"a",["Heartbeat"],{}]', "a"),
        (b'[2,["a"],["b"],{}]', "-1"),
        (b'[9,"a","Heartbeat",{}]', None),
        (b'[true,"a","Heartbeat",{}]', None),
        (b'[3,"a",{"b":[[[[[[[[[[', None),
        (b'[4,"a",[[[[[[[[[[', None),
    ],
)
def test_what_cannot_be_read_says_what_to_answer_to(frame: bytes, id: str | None) -> None:
    with pytest.raises(FrameError) as fault:
        frames.parse(frame, LIMITS)
    assert fault.value.id == id


def test_a_hundred_thousand_brackets_are_turned_away() -> None:
    for bracket in (b"[", b'{"a":'):
        with pytest.raises(FrameError):
            frames.parse(bracket * 100_000, Limits())


@pytest.mark.parametrize("depth", [0, 1, 7, 8, 9, 20])
def test_depth_is_counted_before_parsing(depth: int) -> None:
    data = json.dumps([2, "[{[{", "A", {"}": 0}]).encode()
    nested = b"[" * depth + b"]" * depth
    assert frames.shallow(nested, 8) == (depth <= 8)
    assert frames.shallow(data, 2)
    assert not frames.shallow(data, 1)


@given(json_values)
def test_depth_is_the_same_however_it_is_counted(value: object) -> None:
    def deep(part: object) -> int:
        if isinstance(part, list):
            return 1 + max(map(deep, part), default=0)
        if isinstance(part, dict):
            return 1 + max(map(deep, part.values()), default=0)
        return 0

    data = json.dumps(value).encode()
    assert salvage.depth(data) == deep(value)
    for limit in (2, 4, 8):
        assert frames.shallow(data, limit) == (deep(value) <= limit)


def test_a_call_that_is_too_big_is_refused_unless_a_sale_hangs_on_it() -> None:
    large = {"data": "x" * 3000}
    with pytest.raises(FrameError) as fault:
        parse([2, "a", "DataTransfer", large])
    assert fault.value.id == "a"
    assert parse([2, "a", "StopTransaction", large]) == Call("a", "StopTransaction", large, ("too_big",))


@pytest.mark.parametrize(
    "broken,payload",
    [
        (b'{"transactionId":,"meterStop":5}', {"transactionId": None, "meterStop": 5}),
        (b'{"sampledValue":[,{"value":"1"}]}', {"sampledValue": [{"value": "1"}]}),
        (b'{"meterStop":5,}', {"meterStop": 5}),
        (b'{"a":[1,2,],"b":[,]}', {"a": [1, 2], "b": []}),
        (b'{"value":NaN,"other":-Infinity,"third":1e999}', {"value": None, "other": None, "third": None}),
        (b'{"meterStart":' + b"1" * 5000 + b"}", {"meterStart": None}),
        (b'{"idTag":"a\x00b\xff"}', {"idTag": "a\ufffdb\ufffd"}),
        (b'{"idTag":"\\ud800 \\ud83d\\ude00"}', {"idTag": "\ufffd \U0001f600"}),
        (b'{"idTag":"a\\xb"}', {"idTag": "a\ufffdb"}),
        (b'{"meterStop":12', {"meterStop": None}),
        (b'{"idTag":"ABC","meterStop":', {"idTag": "ABC", "meterStop": None}),
        (b"{} trailing", {}),
        (b"{True:1}", {}),
    ],
)
def test_broken_json_with_a_sound_part_is_mended(broken: bytes, payload: dict[str, object]) -> None:
    data = b'[2,"a","StopTransaction",' + broken
    frame = frames.parse(data if b"trailing" in broken else data + b"]", Limits(must_answer=MONEY))
    assert isinstance(frame, Call)
    assert frame.payload == payload
    assert frame.quirks[0] == "broken_json"


def test_a_number_that_was_cut_off_is_no_number() -> None:
    frame = frames.parse(b'[2,"a","StopTransaction",{"transactionId":12', LIMITS)
    assert isinstance(frame, Call)
    assert frame.payload == {"transactionId": None}


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse(b'\xef\xbb\xbf[2,"a","Heartbeat",{}]') == Call("a", "Heartbeat", {}, ("broken_json",))


def test_what_goes_out_is_compact_and_keeps_the_order_of_its_members() -> None:
    payload = {"idTag": "É", "connectorId": 1, "a": [1, 2]}
    assert (
        frames.encode_call("i", "A", payload)
        == '[2,"i","A",{"idTag":"É","connectorId":1,"a":[1,2]}]'.encode()
    )
    assert frames.encode_result("i", {}) == b'[3,"i",{}]'
    assert frames.encode_result(7, {"b": 1}) == b'[3,7,{"b":1}]'
    assert frames.encode_error("i", "GenericError", "no") == b'[4,"i","GenericError","no",{}]'
    assert len(frames.encode_error("i", "GenericError", "x" * 999)) < 300
