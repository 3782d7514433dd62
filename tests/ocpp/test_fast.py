"""Whatever the fast way of a call accepts, the tolerant way stores and answers the same."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bench.speech import Speech
from bench.v16 import V16
from bench.v201 import V201
from bench.wire import Identity
from onprem_csms.clock import ManualClock
from onprem_csms.domain.charging.reports import ReportAnswer
from onprem_csms.domain.charging.sessions import Verdict
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import PeerError
from onprem_csms.ocpp import versions
from onprem_csms.ocpp.link.router import Router
from onprem_csms.ocpp.rpc import frames
from onprem_csms.ocpp.rpc.frames import Call, Limits
from onprem_csms.ocpp.v16.hot import FAST
from onprem_csms.ocpp.versions import Version
from onprem_csms.services.charging import authorization, presence

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


class Recorder:
    """Stands where the store stands, and remembers what is handed to it; the answer is always the same."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.settings = SiteSettings()
        self.written: list[Any] = []

    async def write(self, fn: Any, value: Any) -> Any:
        return self._write(fn, value)

    def submit(self, fn: Any, args: tuple[Any, ...], done: Any) -> None:
        done(self._write(fn, *args), None)

    def _write(self, fn: Any, value: Any) -> Any:
        self.written.append((fn, value))
        if fn is authorization.authorize:
            return Verdict("accepted")
        return None if fn is presence.status_changed else ReportAnswer(7, "77", Verdict("accepted"))


class Peer:
    """A charger that is accepted; what is odd about it is counted."""

    charger_id = "CP1"
    registration = "accepted"

    def __init__(self) -> None:
        self.quirks: list[str] = []
        self.answers: list[bytes] = []

    def quirk(self, kind: str, example: str = "") -> None:
        self.quirks.append(kind)

    def registered(self, registration: str) -> None:
        """Never asked here."""

    def expects(self, action: str) -> bool:
        return False

    def reply(self, answer: bytes) -> None:
        self.answers.append(answer)


def fast_way(data: bytes) -> tuple[Any, Any] | None:
    recorder, peer = Recorder(), Peer()
    router = Router(recorder, versions.V16)  # type: ignore[arg-type]
    call = router.fast(peer, data)  # type: ignore[arg-type]
    if call is None:
        return None
    router.carry_out(peer, call, data)  # type: ignore[arg-type]
    assert peer.quirks == []
    (answer,) = peer.answers
    return answer, recorder.written


def tolerant_way(data: bytes) -> tuple[Any, Any]:
    recorder, peer = Recorder(), Peer()
    router = Router(recorder, versions.V16)  # type: ignore[arg-type]
    call = frames.parse(data, Limits(must_answer=versions.V16.must_answer))
    assert isinstance(call, Call)
    answer = asyncio.run(router.answer(peer, call, data.decode("utf-8", "replace")))  # type: ignore[arg-type]
    # A whole number written as 5.0 means the same both ways; only the slow one counts the spelling.
    assert set(peer.quirks) <= {"fraction"}, "what is odd is counted, so it must not take the fast way"
    return answer, recorder.written


def check(data: bytes) -> bool:
    """Compare the two ways; False where the fast one did not take it."""
    fast = fast_way(data)
    if fast is not None:
        try:
            assert tolerant_way(data) == fast
        except PeerError as error:
            pytest.fail(f"the tolerant way refuses what the fast one takes: {error}")
    return fast is not None


TIMES = st.one_of(
    st.sampled_from(["2026-11-25T07:59:00Z", "2026-11-25T08:59:00+01:00", "2026-11-25T07:59:00.1234567Z"]),
    st.sampled_from(
        ["2026-11-25 07:59:00Z", "2026-11-25t07:59:00z", "20261125T075900Z", "1970-01-01T00:00:00Z"]
    ),
    st.sampled_from(["", "yesterday", "2026-11-25T07:59", 1_764_000_000, None]),
)
NUMBERS = st.one_of(
    st.integers(-2, 3), st.sampled_from([2**31, 2**53 + 1, 2**64, 10**30, 1.0, 1.5, True, "1", None])
)
TEXTS = st.one_of(
    st.text(max_size=30), st.sampled_from(["04A1B2C3", "é" * 20, "x" * 51, "\ud800", "a\x00b", 5])
)


def word(*words: str) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(words), st.sampled_from(["", "Other", "nonsense", None]))


SAMPLE = st.fixed_dictionaries(
    {"value": st.one_of(st.sampled_from(["100", "1e3", "-1", "nan", " 7 ", "1,5", "1_0", "", "x", 5]))},
    optional={
        "context": word("Sample.Periodic", "Transaction.End", "Trigger"),
        "format": word("Raw", "SignedData"),
        "measurand": word(
            "Energy.Active.Import.Register", "Power.Active.Import", "SoC", "Power.Offered", "RPM"
        ),
        "phase": word("L1", "L2", "L3", "N", "L1-N"),
        "location": word("Outlet", "Cable", "EV"),
        "unit": word("Wh", "kWh", "W", "A", "Percent", "Celsius"),
        "extra": st.just(1),
    },
)
METERS = st.lists(
    st.fixed_dictionaries({"timestamp": TIMES, "sampledValue": st.lists(SAMPLE, max_size=4)}), max_size=3
)
PAYLOADS: dict[str, st.SearchStrategy[Any]] = {
    "Heartbeat": st.fixed_dictionaries({}, optional={"extra": TEXTS}),
    "Authorize": st.fixed_dictionaries({"idTag": TEXTS}),
    "StatusNotification": st.fixed_dictionaries(
        {
            "connectorId": NUMBERS,
            "errorCode": word("NoError", "GroundFailure"),
            "status": word("Available", "Occupied"),
        },
        optional={"timestamp": TIMES, "info": TEXTS, "vendorErrorCode": TEXTS, "vendorId": TEXTS},
    ),
    "StartTransaction": st.fixed_dictionaries(
        {"connectorId": NUMBERS, "idTag": TEXTS, "meterStart": NUMBERS, "timestamp": TIMES},
        optional={"reservationId": NUMBERS},
    ),
    "MeterValues": st.fixed_dictionaries(
        {"connectorId": NUMBERS, "meterValue": METERS}, optional={"transactionId": NUMBERS}
    ),
    "StopTransaction": st.fixed_dictionaries(
        {"transactionId": NUMBERS, "meterStop": NUMBERS, "timestamp": TIMES},
        optional={"idTag": TEXTS, "reason": word("Local", "EVDisconnected"), "transactionData": METERS},
    ),
}
CALLS = st.sampled_from(sorted(PAYLOADS)).flatmap(
    lambda action: st.tuples(
        st.one_of(st.just(2), st.sampled_from([2.0, 3, "2"])),
        st.one_of(st.just("id"), st.text(max_size=40), st.sampled_from([1, 'a"b', "\u00e9"])),
        st.just(action),
        PAYLOADS[action],
    )
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(CALLS, st.booleans())
def test_what_the_fast_way_accepts_the_tolerant_way_stores_and_answers_the_same(
    call: Any, compact: bool
) -> None:
    text = json.dumps(call, ensure_ascii=not compact, separators=(",", ":") if compact else None)
    check(text.encode("utf-8", "surrogatepass"))


GOOD = [
    [2, "1", "Heartbeat", {}],
    [2, "1", "Authorize", {"idTag": "04A1B2C3"}],
    [2, "1", "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}],
    [
        2,
        "1",
        "StartTransaction",
        {"connectorId": 1, "idTag": "A", "meterStart": 5, "timestamp": "2026-11-25T07:59:00Z"},
    ],
    [
        2,
        "1",
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": 7,
            "meterValue": [
                {
                    "timestamp": "2026-11-25T07:59:00Z",
                    "sampledValue": [
                        {"value": "1200", "unit": "Wh", "measurand": "Energy.Active.Import.Register"},
                        {"value": "3.5", "unit": "kW", "measurand": "Power.Active.Import", "phase": "L1"},
                        {"value": "3.5", "unit": "kW", "measurand": "Power.Active.Import", "phase": "L2"},
                    ],
                }
            ],
        },
    ],
    [2, "1", "StopTransaction", {"transactionId": 7, "meterStop": 9, "timestamp": "2026-11-25T07:59:00Z"}],
]


@pytest.mark.parametrize("call", GOOD, ids=lambda call: str(call[2]))
def test_a_call_as_it_should_be_takes_the_fast_way(call: Any) -> None:
    assert check(json.dumps(call).encode())
    assert check(json.dumps(call, separators=(",", ":")).encode())


def test_every_fast_action_has_a_good_call_here() -> None:
    assert {call[2] for call in GOOD} == set(FAST)


@pytest.mark.parametrize("version", [versions.V16, versions.V201], ids=lambda version: version.name)
def test_every_call_of_a_session_as_chargers_tell_it_takes_the_fast_way(version: Version) -> None:
    recorder, peer = Recorder(), Peer()
    recorder.clock.at = datetime.now(UTC)
    router = Router(recorder, version)  # type: ignore[arg-type]
    for call in session_of(version):
        data = call[call.index(b"[2,") :]
        assert router.fast(peer, data) is not None, data.decode()  # type: ignore[arg-type]


def session_of(version: Version) -> list[bytes]:
    """The frames of a measured session: values at the outlet, in the cable and in the vehicle."""
    identity = Identity("CP1", "secret", "04A1B2C3", "04D4E5F6")
    say: Speech = V16(identity) if version is versions.V16 else V201(identity)
    start = say.start(identity.prepaid)
    say.started(b'[3,"1",{"transactionId":77}]')
    return [
        say.plugged(),
        say.authorize(identity.prepaid),
        start,
        say.charging(),
        say.reading(),
        say.stop(),
        say.freed(),
    ]


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(GOOD), st.integers(0, 600), st.binary(max_size=3), st.integers(0, 3))
@example(GOOD[1], 24, b"\xff", 1)
@example(GOOD[0], 3, b"\\", 0)
@example(GOOD[2], 47, b"10" * 15, 1)
def test_bytes_that_are_changed_anywhere_are_read_alike_or_left_to_the_tolerant_way(
    call: Any, at: int, instead: bytes, removed: int
) -> None:
    data = json.dumps(call).encode()
    at %= len(data)
    check(data[:at] + instead + data[at + removed :])


def test_what_is_not_utf_8_is_left_to_the_tolerant_way() -> None:
    assert fast_way(b'[2,"1","Authorize",{"idTag":"\xff\xfe"}]') is None


def test_a_time_that_is_not_believed_is_left_to_the_tolerant_way() -> None:
    late = (NOW + timedelta(days=1)).isoformat()
    call = [2, "1", "StopTransaction", {"transactionId": 7, "meterStop": 9, "timestamp": late}]
    assert fast_way(json.dumps(call).encode()) is None
