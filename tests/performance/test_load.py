"""The load that the measurements are made with says nothing that a real charger could not say."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import ocpp
import pytest

from bench.speech import Speech
from bench.v16 import V16
from bench.v201 import V201
from bench.wire import READING_BYTES, Identity

ONE = Identity("B00001", "a password", "04000000000001", "05000000000001")


def said(speech: Speech) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls of two sessions."""
    yield call(speech.boot())
    for _ in range(2):
        yield call(speech.plugged())
        yield call(speech.authorize(ONE.prepaid))
        yield call(speech.start(ONE.prepaid))
        speech.started(b'[3,"1",{"transactionId":815,"idTagInfo":{"status":"Accepted"}}]')
        yield call(speech.charging())
        yield call(speech.reading())
        yield call(speech.reading())
        yield call(speech.stop())
        yield call(speech.freed())


def call(frame: bytes) -> tuple[str, dict[str, Any]]:
    """Take a frame apart as its receiver does; what it says it is long it is."""
    short = frame[1] & 0x7F
    length, head = (short, 2) if short < 126 else (int.from_bytes(frame[2:4], "big"), 4)
    text = frame[head + 4 :]
    assert len(text) == length
    kind, _, action, payload = json.loads(text)
    assert kind == 2
    return action, payload


def moments(value: Any) -> Iterator[str]:
    """Every timestamp in a payload."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "timestamp":
                yield inner
            else:
                yield from moments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from moments(inner)


@pytest.mark.parametrize(
    "speech,schemas", [(V16, "v16/schemas/{}.json"), (V201, "v201/schemas/{}Request.json")]
)
def test_every_call_of_the_load_is_valid_by_its_schema(
    speech: Callable[[Identity], Speech], schemas: str
) -> None:
    for action, payload in said(speech(ONE)):
        schema = Path(ocpp.__path__[0]) / schemas.format(action)
        validator = jsonschema_rs.validator_for(json.loads(schema.read_text(encoding="utf-8-sig")))
        assert [error.message for error in validator.iter_errors(payload)] == []


@pytest.mark.parametrize("speech", [V16, V201])
def test_no_moment_is_told_twice_by_a_call_and_the_register_goes_on_from_where_it_stood(
    speech: Callable[[Identity], Speech],
) -> None:
    told = [list(moments(payload)) for _, payload in said(speech(ONE)) if list(moments(payload))]
    firsts = [moment[0] for moment in told]
    assert firsts == sorted(set(firsts))
    texts = [json.dumps(payload) for _, payload in said(speech(ONE))]
    registers = [int(found) for text in texts for found in _registers(text)]
    assert len(registers) == 8
    assert registers == sorted(registers)
    assert registers[4] == registers[3], "the second session begins where the first ended"


def _registers(text: str) -> list[str]:
    return re.findall(r"\b1000\d{5}\b", text)


@pytest.mark.parametrize("speech", [V16, V201])
def test_a_reading_has_six_values_and_is_as_long_as_those_in_the_field(
    speech: Callable[[Identity], Speech],
) -> None:
    one = speech(ONE)
    one.start(ONE.prepaid)
    one.started(b'[3,"1",{"transactionId":815}]')
    frame = one.reading()
    assert len(frame) >= READING_BYTES
    _, payload = call(frame)
    assert len(payload["meterValue"][0]["sampledValue"]) == 6
