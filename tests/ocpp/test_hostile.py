"""Every fault of chargers in the field, and worse: the loop lives, a sale is never refused, others notice nothing."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onprem_csms.errors import StoreError
from onprem_csms.ocpp.rpc import moments
from onprem_csms.services.chargers import inventory, records
from onprem_csms.services.charging import presence, review, sessions
from onprem_csms.services.charging.sessions import SessionFilter
from tests.ocpp.conftest import Charger, Site

CARD = "04A1B2C3"


def now(seconds_ago: float = 0) -> str:
    return moments.wire(datetime.now(UTC) - timedelta(seconds=seconds_ago))


async def lives(charger: Charger) -> bool:
    """Tell whether the connection still answers, dropping what else was in the way."""
    await charger.say([2, "still-here", "Heartbeat", {}])
    while True:
        answer = await charger.hear()
        if answer[1] == "still-here":
            return bool(answer[0] == 3)


@pytest.fixture
async def neighbour(site: Site) -> AsyncIterator[Charger]:
    """Another charger, which must notice nothing."""
    await site.add("CP2")
    charger = await site.connect("CP2")
    await charger.boot()
    yield charger
    assert await charger.result("Authorize", {"idTag": CARD}) == {"idTagInfo": {"status": "Accepted"}}
    assert await site.quirks("CP2") == {}


DEEP = "[" * 100_000
RUBBISH: list[str | bytes] = [
    "",
    " ",
    "null",
    "true",
    "42",
    '"text"',
    "{}",
    "[]",
    "[[]]",
    "[2]",
    '[2,"x"]',
    '[2,"x",null,{}]',
    '[2,"x",["Heartbeat"],{}]',
    '[2,"x",{"a":1},{}]',
    "[2,{},[],4]",
    '[0,"x","Heartbeat",{}]',
    '[99,"x","Heartbeat",{}]',
    '[-2,"x","Heartbeat",{}]',
    '[true,"x","Heartbeat",{}]',
    '[3,"",{}]',
    '[3,"never-asked",{"status":"Accepted"}]',
    "[3,null,null]",
    '[4,"never-asked"]',
    '[4,"never-asked","E"]',
    '[4,"never-asked","E","d"]',
    '[4,"never-asked","E","d","details"]',
    '[4,"never-asked","E","d",{}]',
    '[4,"never-asked",{},[],3,4,5,6]',
    DEEP,
    "{" * 50_000,
    '{"a":' * 50_000,
    DEEP + "]" * 100_000,
    '[2,"x","Heartbeat",' + DEEP,
    '[2,"x","Heartbeat",{"a":' + "[" * 500 + "]" * 500 + "}]",
    '[2,"x","Heartbeat",{"a":' + "1" * 5000 + "}]",
    '[2,"x","Heartbeat",{"a":NaN}]',
    '[2,"x","Heartbeat",{"a":Infinity,"b":-Infinity,"c":1e999}]',
    '[2,"x","DataTransfer",{"vendorId":"\\ud800"}]',
    '[2,"x","DataTransfer",{"vendorId":"\\u0000"}]',
    '[2,"x","DataTransfer",{"vendorId":"a","vendorId":"b"}]',
    '[2,"x","DataTransfer",{"vendorId":"' + "v" * 100_000 + '"}]',
    '[2,"' + "i" * 100_000 + '","Heartbeat",{}]',
    '[2,"x","' + "A" * 100_000 + '",{}]',
    '[2,"x","Heart\\nbeat",{}]',
    '[2,"x","__class__",{}]',
    '[2,"x","Authorize",{"idTag":{"a":[]}}]',
    '[2,"x","Authorize",{"idTag":null}]',
    '[2,"x","Authorize",{"idTag":""}]',
    '[2,"x","Authorize",{"idTag":"' + "A" * 10_000 + '"}]',
    '[2,"x","BootNotification",[]]',
    '[2,"x","BootNotification",{"chargePointVendor":{},"chargePointModel":[1]}]',
    '[2,"x","StatusNotification",{"connectorId":1e30,"errorCode":"NoError","status":"Available"}]',
    '[2,"x","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Sleeping"}]',
    '[2,"x","StatusNotification",{"connectorId":1,"errorCode":5,"status":["Available"]}]',
    '[2,"x","SecurityEventNotification",{"type":"x","timestamp":"never"}]',
    b"\x00\x01\x02\xff",
    b"\xff" * 1000,
    b'[2,"x","Heartbeat",{}]',
]


@pytest.mark.parametrize("frame", RUBBISH, ids=lambda frame: repr(frame[:40]))
async def test_no_frame_ends_the_connection_or_disturbs_another(
    site: Site, neighbour: Charger, frame: str | bytes
) -> None:
    charger = await site.connect()
    await charger.say(frame)
    assert await lives(charger)
    assert site.stations.online("CP1")


@pytest.mark.parametrize("invalid", [b'[2,"x","Authorize",{"idTag":"\xff\xfe"}]', b"\xc3\x28"])
async def test_text_that_is_no_utf_8_is_survived(site: Site, invalid: bytes) -> None:
    charger = await site.connect()
    from aiohttp import WSMsgType

    await charger.ws.send_frame(invalid, WSMsgType.TEXT)
    assert await lives(charger)


async def test_an_error_is_never_answered_with_an_error(site: Site) -> None:
    charger = await site.connect()
    for frame in ('[4,"x"', '[3,"x",[', '[4,"x","E","d",{"a":', '[3,"x",{}]', '[4,"x","E","d",{}]'):
        await charger.say(frame)
    assert await charger.silent()


async def test_a_flood_of_answers_nobody_asked_for_is_dropped_and_leaves_no_messages(
    site: Site, neighbour: Charger
) -> None:
    charger = await site.connect()
    for number in range(20_000):
        await charger.say(f'[3,"flood-{number}",{{"status":"Accepted"}}]')
    assert await lives(charger)
    assert (await site.quirks())["stray_answer"].times == 20_000
    kept = await site.see(records.messages, "CP1")
    assert not any("flood" in message.text for message in kept)


async def test_a_flood_of_rubbish_is_counted_but_not_kept_without_end(site: Site, neighbour: Charger) -> None:
    charger = await site.connect()
    for _ in range(500):
        await charger.say("rubbish")
    assert await lives(charger)
    assert (await site.quirks())["unreadable"].times == 500
    await site.messages_stored()
    kept = await site.see(records.messages, "CP1", limit=1000)
    assert len([message for message in kept if message.text == "rubbish"]) <= 100


async def test_a_frame_beyond_every_limit_ends_this_connection_only(site: Site, neighbour: Charger) -> None:
    charger = await site.connect()
    # It may be gone before all of it is sent.
    with contextlib.suppress(ConnectionError):
        await charger.say('[2,"x","DataTransfer",{"data":"' + "x" * 17_000_000 + '"}]')
    assert await charger.closed() in (1009, 1006)
    await site.until(lambda: not site.stations.online("CP1"))

    async def counted() -> bool:
        return "over_limit" in {quirk.kind for quirk in await site.see(records.quirks, "CP1")}

    await site.until(counted)


async def test_a_frame_over_the_limit_is_refused_with_its_own_id(site: Site) -> None:
    charger = await site.connect()
    answer = await charger.call("DataTransfer", {"vendorId": "v", "data": "x" * 400_000})
    assert answer[:2] == [4, "c1"]
    assert await lives(charger)


async def test_a_stop_with_days_of_readings_is_a_sale_like_any_other(site: Site) -> None:
    charger = await site.connect()
    start = {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": "2026-11-20T07:00:00Z"}
    transaction = (await charger.result("StartTransaction", start))["transactionId"]
    moment = datetime(2026, 11, 20, 7, tzinfo=UTC)
    readings = [
        {
            "timestamp": (moment + timedelta(seconds=10 * number)).isoformat().replace("+00:00", "Z"),
            "sampledValue": [{"value": str(number), "unit": "Wh", "location": "Outlet"}] * 30,
        }
        for number in range(1, 1_441)
    ]
    stop = {"transactionId": transaction, "meterStop": 1_500, "timestamp": "2026-11-20T12:00:00Z"}
    assert len(json.dumps(readings)) > 1_500_000
    await charger.result("StopTransaction", {**stop, "transactionData": readings})
    found = await site.see(sessions.find, SessionFilter(charger_id="CP1"))
    assert [(one.state, one.energy_wh) for one in found] == [("ended", 1_500)]
    assert await lives(charger)


async def test_the_same_message_id_for_ever_is_answered_for_ever(site: Site) -> None:
    charger = await site.connect()
    for _ in range(20):
        answer = await charger.call("Authorize", {}, id="always-the-same")
        assert answer[:2] == [4, "always-the-same"]


async def test_the_operator_sees_each_deviation_with_an_example(site: Site) -> None:
    charger = await site.connect()
    await charger.result("Heartbeat", {"extra": True})
    await charger.result("Heartbeat", {"extra": True})
    seen = (await site.quirks())["extra_property"]
    assert seen.times == 2
    assert '"extra"' in seen.example
    stored = await site.see(inventory.get, "CP1")
    assert stored.id == "CP1"


async def test_deviations_are_stored_by_themselves(site: Site) -> None:
    charger = await site.connect()
    await charger.result("Heartbeat", {"extra": True})

    async def stored() -> bool:
        return bool(await site.see(records.quirks, "CP1"))

    await site.until(stored)


# --- Money ----------------------------------------------------------------------------------------

GOOD: dict[str, dict[str, Any]] = {
    "StartTransaction": {
        "connectorId": 1,
        "idTag": CARD,
        "meterStart": 100,
        "timestamp": "2026-11-22T07:00:00Z",
    },
    "StopTransaction": {"transactionId": 1, "meterStop": 100, "timestamp": "2026-11-22T07:00:00Z"},
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 1,
        "meterValue": [{"timestamp": "2026-11-22T07:00:00Z", "sampledValue": [{"value": "1"}]}],
    },
}
ODD: list[Any] = [
    None,
    "",
    " ",
    "text",
    -1,
    0,
    1.5,
    2**31,
    2**63 - 1,
    2**63,
    -(2**63),
    10**30,
    True,
    [],
    {},
    [[]],
    "9" * 400,
    "\u0000",
    "222222017-11-22T07:00:00Z",
    "1970-01-01T00:00:00Z",
]
ANSWERS: dict[str, set[str]] = {
    "StartTransaction": {"idTagInfo", "transactionId"},
    "StopTransaction": {"idTagInfo"},
    "MeterValues": set(),
}


def assert_normal(action: str, answer: Any) -> None:
    assert answer[0] == 3, answer
    payload = answer[2]
    assert set(payload) <= ANSWERS[action]
    if action == "StartTransaction":
        assert 0 < payload["transactionId"] < 2**31
        assert payload["idTagInfo"]["status"] in {"Accepted", "Invalid", "Blocked", "Expired", "ConcurrentTx"}


@pytest.mark.parametrize("action", GOOD)
async def test_no_field_of_a_sale_can_be_so_wrong_that_it_is_refused(
    site: Site, neighbour: Charger, action: str
) -> None:
    charger = await site.connect()
    for field in (*GOOD[action], "reason", "idTag", "transactionData", "reservationId", "extra"):
        for odd in ODD:
            assert_normal(action, await charger.call(action, GOOD[action] | {field: odd}))
        without = {name: value for name, value in GOOD[action].items() if name != field}
        assert_normal(action, await charger.call(action, without))


@pytest.mark.parametrize("action", GOOD)
@pytest.mark.parametrize(
    "frame",
    [
        '[2,"m","{action}"]',
        '[2,"m","{action}",null]',
        '[2,"m","{action}",[]]',
        '[2,"m","{action}","text"]',
        '[2,"m","{action}",{{}},1,2]',
        '[2,"m","{action}",{{"transactionId":,"meterStop":5}}]',
        '[2,"m","{action}",{{"meterValue":[,{{"value":"1"}}]}}]',
        '[2,"m","{action}",{{"connectorId":NaN}}]',
        '[2,"m","{action}",{{"idTag":"\\ud800"}}]',
        '[2,"m","{action}",{{"meterStart":1',
        '[2,"m","{action}",{deep}',
        '["2","m","{action}",{{}}]',
    ],
)
async def test_no_framing_of_a_sale_can_be_so_broken_that_it_is_refused(
    site: Site, action: str, frame: str
) -> None:
    charger = await site.connect()
    await charger.say(frame.format(action=action, deep="[" * 5000))
    answer = await charger.hear()
    assert answer[1] == "m"
    assert_normal(action, answer)


async def test_a_sale_larger_than_the_limit_is_taken(site: Site) -> None:
    charger = await site.connect()
    value = {"timestamp": now(), "sampledValue": [{"value": "5"}] * 3}
    data = {**GOOD["StopTransaction"], "transactionData": [value] * 3000}
    assert len(json.dumps(data)) > 256 * 1024
    assert_normal("StopTransaction", await charger.call("StopTransaction", data))


async def test_a_broken_start_is_a_session_to_look_at(site: Site) -> None:
    charger = await site.connect()
    await charger.say(
        '[2,"m","StartTransaction",{"connectorId":1,"idTag":"04A1B2C3","meterStart":,"timestamp":""}]'
    )
    assert_normal("StartTransaction", await charger.hear())
    (session,) = await site.sessions()
    assert (session.card_uid, session.review) == (CARD, "open")
    assert "broken" in {item.kind for item in await site.see(review.of_session, session.id)}


async def test_a_fault_of_the_house_itself_is_no_fault_of_the_sale(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onprem_csms.services.charging import reports

    def broken(*_: object) -> None:
        message = "a bug"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(reports, "take", broken)
    charger = await site.connect()
    for action, payload in GOOD.items():
        assert_normal(action, await charger.call(action, payload))
    kept = await site.see(review.find)
    assert {item.detail["action"] for item in kept} == set(GOOD)
    assert all(CARD in item.detail["message"] for item in kept if item.detail["action"] == "StartTransaction")


async def test_a_fault_of_the_house_in_another_message_is_an_internal_error_without_details(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        message = "secret detail"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(presence, "booted", broken)
    charger = await site.connect()
    boot = {"chargePointVendor": "V", "chargePointModel": "M"}
    assert await charger.call("BootNotification", boot) == [4, "c1", "InternalError", "internal error", {}]
    assert await lives(charger)


async def test_a_sale_that_cannot_be_stored_is_not_answered_so_that_the_charger_keeps_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onprem_csms.services.charging import reports

    charger = await site.connect()

    def full(*_: object) -> None:
        message = "The disk is full."
        raise StoreError(message)

    with monkeypatch.context() as patch:
        patch.setattr(reports, "take", full)
        await charger.say([2, "m", "StartTransaction", GOOD["StartTransaction"]])
        assert await charger.closed() is not None
    await site.until(lambda: not site.stations.online("CP1"))
    charger = await site.connect()
    assert_normal("StartTransaction", await charger.call("StartTransaction", GOOD["StartTransaction"]))


async def test_energy_is_never_negative_whatever_the_meter_says(site: Site) -> None:
    charger = await site.connect()
    for number, (start, stop) in enumerate([(1000, 900), (-5, 10), (0, 910_031_000), (100, -7)]):
        began = {
            **GOOD["StartTransaction"],
            "meterStart": start,
            "timestamp": now(600 - number),
            "connectorId": 2,
        }
        id = (await charger.result("StartTransaction", began))["transactionId"]
        await charger.result("StopTransaction", {"transactionId": id, "meterStop": stop, "timestamp": now(5)})
    for session in await site.sessions():
        assert 0 <= session.energy_wh < 900_000_000


field_names = st.sampled_from(
    [
        "connectorId",
        "idTag",
        "meterStart",
        "meterStop",
        "timestamp",
        "transactionId",
        "meterValue",
        "reason",
        "x",
    ]
)
odd_values = st.recursive(
    st.sampled_from(ODD) | st.text(max_size=10) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["timestamp", "sampledValue", "value", "unit", "phase"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_payload_of_a_sale_gets_its_normal_answer(data: st.DataObject, tmp_path_factory: Any) -> None:
    from tests.ocpp.conftest import open_site

    frames = data.draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(GOOD)), st.dictionaries(field_names, odd_values, max_size=6)),
            max_size=8,
        )
    )

    async def run() -> None:
        async with open_site(tmp_path_factory.mktemp("site") / "data") as site:
            await site.add("CP1")
            charger = await site.connect()
            for action, payload in frames:
                assert_normal(action, await charger.call(action, payload))

    asyncio.run(run())
