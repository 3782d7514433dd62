"""What a charger says in good order, and what becomes of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onprem_csms.domain.chargers.chargers import ChargerChange
from onprem_csms.ocpp.rpc import moments
from onprem_csms.services.chargers import inventory, records
from onprem_csms.services.charging import review
from tests.ocpp.conftest import Charger, Site, open_site

CARD = "04A1B2C3"


def ago(seconds: float) -> str:
    """A moment before now, as a charger writes it."""
    return moments.wire(datetime.now(UTC) - timedelta(seconds=seconds))


async def start(charger: Charger, **more: Any) -> Any:
    payload = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": ago(60), **more}
    return await charger.result("StartTransaction", payload)


def readings(register: int, seconds_ago: float, transaction: int | None = None) -> dict[str, Any]:
    value = {"timestamp": ago(seconds_ago), "sampledValue": [{"value": str(register)}]}
    named = {} if transaction is None else {"transactionId": transaction}
    return {"connectorId": 1, **named, "meterValue": [value]}


async def test_a_boot_is_answered_with_time_interval_and_status_in_the_order_of_the_specification(
    site: Site,
) -> None:
    charger = await site.connect()
    told = {
        "chargePointVendor": "ACME",
        "chargePointModel": "X1",
        "chargePointSerialNumber": "S1",
        "firmwareVersion": "1.0",
        "iccid": "",
        "imsi": "",
        "meterType": "",
    }
    answer = await charger.result("BootNotification", told)
    assert list(answer) == ["currentTime", "interval", "status"]
    assert (answer["interval"], answer["status"]) == (300, "Accepted")
    assert len(answer["currentTime"]) == len("2026-11-22T07:00:00Z")
    stored = await site.see(inventory.get, "CP1")
    assert (stored.vendor, stored.model, stored.serial, stored.firmware) == ("ACME", "X1", "S1", "1.0")
    assert stored.boot_info == told
    assert await site.quirks() == {}


async def test_a_boot_without_vendor_and_model_is_accepted_all_the_same(site: Site) -> None:
    charger = await site.connect()
    assert (await charger.result("BootNotification", {"chargePointVendor": ""}))["status"] == "Accepted"
    assert "missing" in await site.quirks()


async def test_answers_are_compact_json(site: Site) -> None:
    charger = await site.connect()
    await charger.say('[ 2 , "a" , "Authorize" , { "idTag" : "04A1B2C3" } ]')
    message = await charger.ws.receive()
    assert message.data == '[3,"a",{"idTagInfo":{"status":"Accepted"}}]'


async def test_a_heartbeat_tells_the_time_and_is_kept_with_its_answer(site: Site) -> None:
    charger = await site.connect()
    answer = await charger.result("Heartbeat")
    at = datetime.fromisoformat(answer["currentTime"])
    assert abs((datetime.now(UTC) - at).total_seconds()) < 5
    await site.messages_stored()
    answered, asked = await site.see(records.messages, "CP1")
    assert asked.text == '[2, "c1", "Heartbeat", {}]'
    assert answered.text == f'[3,"c1",{{"currentTime":"{answer["currentTime"]}"}}]'


async def test_a_session_is_told_stored_and_its_messages_kept_as_they_were(site: Site) -> None:
    charger = await site.connect()
    await charger.boot()
    began = await start(charger)
    assert list(began) == ["idTagInfo", "transactionId"]
    assert began["idTagInfo"] == {"status": "Accepted"}
    id = began["transactionId"]
    assert 0 < id < 2**31
    assert await charger.result("MeterValues", readings(1500, 30, id)) == {}
    stop = {"transactionId": id, "meterStop": 3000, "timestamp": ago(0), "idTag": CARD, "reason": "Local"}
    assert await charger.result("StopTransaction", stop) == {"idTagInfo": {"status": "Accepted"}}
    (session,) = await site.sessions()
    assert (session.energy_wh, session.reason, session.charger_id) == (2000, "local", "CP1")
    actions = [
        message.text.split('"')[3]
        for message in reversed(await site.see(records.messages, "CP1"))
        if message.direction == "in"
    ]
    assert actions == ["BootNotification", "StartTransaction", "MeterValues", "StopTransaction"]


async def test_a_repeated_start_gets_the_same_transaction_whatever_its_message_id(site: Site) -> None:
    charger = await site.connect()
    payload = {"connectorId": 1, "idTag": CARD, "meterStart": 5, "timestamp": ago(9)}
    first = await charger.call("StartTransaction", payload, id="same")
    again = await charger.call("StartTransaction", payload, id="same")
    other = await charger.call("StartTransaction", payload, id="other")
    assert first[2] == again[2] == other[2]
    await charger.ws.close()
    await site.until(lambda: not site.stations.online("CP1"))
    charger = await site.connect()
    assert await charger.result("StartTransaction", payload) == first[2]
    assert len(await site.sessions()) == 1


async def test_a_repeated_stop_books_nothing_twice(site: Site) -> None:
    charger = await site.connect()
    id = (await start(charger))["transactionId"]
    stop = {"transactionId": id, "meterStop": 2000, "timestamp": ago(0)}
    assert await charger.result("StopTransaction", stop) == {}
    once = await site.sessions()
    assert await charger.result("StopTransaction", {**stop, "timestamp": ago(5)}) == {}
    assert [(s.id, s.energy_wh, s.cost) for s in await site.sessions()] == [
        (s.id, s.energy_wh, s.cost) for s in once
    ]


async def test_a_start_with_an_unknown_card_gets_its_id_with_the_word_that_says_no(site: Site) -> None:
    charger = await site.connect()
    answer = await start(charger, idTag="DEADBEEF")
    assert answer["idTagInfo"] == {"status": "Invalid"}
    assert answer["transactionId"] > 0


async def test_transaction_ids_are_no_sequence(site: Site) -> None:
    charger = await site.connect()
    ids = [(await start(charger, connectorId=place))["transactionId"] for place in range(1, 9)]
    assert len(set(ids)) == 8
    assert ids != sorted(ids)


async def test_a_stop_of_another_chargers_transaction_changes_nothing_there(site: Site) -> None:
    await site.add("CP2")
    one, two = await site.connect("CP1"), await site.connect("CP2")
    id = (await start(one))["transactionId"]
    stop = {"transactionId": id, "meterStop": 9000, "timestamp": ago(0)}
    assert await two.result("StopTransaction", stop) == {}
    (session,) = await site.sessions()
    assert session.ended_at is None
    assert [item.kind for item in await site.see(review.find)] == ["orphan_stop"]


async def test_a_card_is_judged_without_anything_being_taken(site: Site) -> None:
    charger = await site.connect()
    assert await charger.result("Authorize", {"idTag": CARD}) == {"idTagInfo": {"status": "Accepted"}}
    assert await charger.result("Authorize", {"idTag": "DEADBEEF"}) == {"idTagInfo": {"status": "Invalid"}}
    assert await site.sessions() == []


# --- Connectors -----------------------------------------------------------------------------------


async def status(charger: Charger, word: str, connector: int = 1, **more: Any) -> None:
    payload = {"connectorId": connector, "errorCode": "NoError", "status": word, **more}
    assert await charger.result("StatusNotification", payload) == {}


async def test_a_status_before_any_boot_makes_the_connector_with_its_slug(site: Site) -> None:
    charger = await site.connect()
    await status(charger, "Available", 0)
    await status(charger, "Available", 1)
    await status(charger, "SuspendedEV", 2)
    zero, one, two = (await site.see(inventory.get, "CP1")).connectors
    assert (zero.number, zero.status, zero.slug) == (0, "available", None)
    assert (one.status, two.status) == ("available", "suspended_vehicle")
    assert one.slug is not None
    assert len(one.slug) >= 12
    assert one.slug != two.slug
    found, connector = await site.see(inventory.by_slug, one.slug)
    assert (found.id, connector.number) == ("CP1", 1)


async def test_statuses_are_kept_as_intervals_and_a_repeated_one_makes_none(site: Site) -> None:
    charger = await site.connect()
    for word, seconds in (("Available", 300), ("Available", 290), ("Charging", 200), ("Available", 100)):
        await status(charger, word, timestamp=ago(seconds))
    since, until = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)
    spans = await site.see(records.statuses, "CP1", since, until)
    assert [span.status for span in spans] == ["available", "charging", "available"]
    assert [span.until for span in spans][:2] == [span.since for span in spans][1:]
    assert spans[-1].until is None


async def test_a_backlog_of_old_statuses_does_not_drive_the_live_picture(site: Site) -> None:
    charger = await site.connect()
    await status(charger, "Charging", timestamp=ago(10))
    for seconds in (5000, 4000, 3000):
        await status(charger, "Faulted", timestamp=ago(seconds))
    (connector,) = (await site.see(inventory.get, "CP1")).connectors
    assert connector.status == "charging"


async def test_a_fault_is_kept_with_the_chargers_own_words(site: Site) -> None:
    charger = await site.connect()
    await status(charger, "Faulted", errorCode="GroundFailure", info="Leak", vendorErrorCode="E42")
    (connector,) = (await site.see(inventory.get, "CP1")).connectors
    assert (connector.status, connector.error_code, connector.info) == (
        "faulted",
        "GroundFailure",
        "Leak E42",
    )


async def test_a_charger_cannot_have_a_million_connectors(site: Site) -> None:
    charger = await site.connect()
    for connector in (-1, 101, 2**31, 2**63, 2**64 - 1):
        await status(charger, "Available", connector)
    assert (await site.see(inventory.get, "CP1")).connectors == ()


# --- The rest -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action,payload",
    [
        ("FirmwareStatusNotification", {"status": "Downloaded"}),
        ("DiagnosticsStatusNotification", {"status": "Uploaded"}),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": 3}),
        ("SignedFirmwareStatusNotification", {"status": "Installed"}),
        (
            "SecurityEventNotification",
            {"type": "TamperDetectionActivated", "timestamp": "2026-11-22T07:00:00Z"},
        ),
    ],
)
async def test_a_notice_is_kept(site: Site, action: str, payload: dict[str, Any]) -> None:
    charger = await site.connect()
    assert await charger.result(action, payload) == {}
    (notice,) = await site.see(records.notices, "CP1")
    assert notice.kind == action
    assert set(notice.detail) == set(payload)


async def test_what_is_not_done_here_yet_says_so(site: Site) -> None:
    charger = await site.connect()
    transfer = {"vendorId": "com.example", "messageId": "x", "data": "y"}
    assert await charger.result("DataTransfer", transfer) == {"status": "UnknownVendorId"}
    assert await charger.result("SignCertificate", {"csr": "abc"}) == {"status": "Rejected"}
    assert len(await site.see(records.notices, "CP1")) == 2


async def test_an_unknown_action_is_not_implemented_and_one_of_the_house_not_supported(site: Site) -> None:
    charger = await site.connect()
    assert (await charger.call("MakeCoffee"))[:3] == [4, "c1", "NotImplemented"]
    assert (await charger.call("RemoteStartTransaction"))[:3] == [4, "c2", "NotSupported"]


async def test_a_message_without_what_gives_it_a_meaning_is_refused_with_the_path(site: Site) -> None:
    charger = await site.connect()
    assert await charger.call("Authorize", {}) == [
        4,
        "c1",
        "OccurenceConstraintViolation",
        "idTag: This is missing.",
        {},
    ]
    assert (await charger.call("StatusNotification", {"status": "Available"}))[
        2
    ] == "OccurenceConstraintViolation"


async def test_an_action_in_another_case_is_understood(site: Site) -> None:
    charger = await site.connect()
    assert (await charger.call("heartbeat"))[0] == 3
    assert (await charger.call("/Heartbeat"))[0] == 3
    assert (await site.quirks())["action_case"].times == 2


# --- Before it is accepted ------------------------------------------------------------------------


async def test_a_pending_charger_is_told_so_and_only_money_and_what_was_asked_for_is_taken(
    site: Site,
) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(registration="pending"))
    charger = await site.connect()
    assert (await charger.boot())["status"] == "Pending"
    available = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    assert (await charger.call("StatusNotification", available))[2] == "SecurityError"
    assert (await charger.call("Authorize", {"idTag": CARD}))[2] == "SecurityError"
    assert (await start(charger))["transactionId"] > 0
    asking = asyncio.create_task(
        site.send("CP1", "TriggerMessage", {"requestedMessage": "StatusNotification"}, origin="test")
    )
    await charger.answer({"status": "Accepted"})
    await asking
    assert await charger.result("StatusNotification", available) == {}


async def test_a_rejected_charger_may_report_sales_and_nothing_else(site: Site) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(registration="rejected"))
    charger = await site.connect()
    assert (await charger.boot())["status"] == "Rejected"
    assert (await charger.call("Heartbeat"))[2] == "SecurityError"
    assert (await charger.call("FirmwareStatusNotification", {"status": "Idle"}))[2] == "SecurityError"
    id = (await start(charger))["transactionId"]
    stop = {"transactionId": id, "meterStop": 1100, "timestamp": ago(0)}
    assert await charger.result("StopTransaction", stop) == {}


async def test_a_charger_that_is_accepted_while_it_waits_is_asked_to_boot_again(site: Site) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(registration="pending"))
    charger = await site.connect()
    assert (await charger.boot())["status"] == "Pending"
    await site.do(inventory.update, "CP1", ChargerChange(registration="accepted"))
    asked = await charger.answer({"status": "Accepted"})
    assert asked[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
    assert (await charger.boot())["status"] == "Accepted"
    assert (await charger.call("Heartbeat"))[0] == 3


async def test_what_was_answered_is_there_after_the_program_was_cut_off(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        await site.add("CP1")
        charger = await site.connect()
        id = (await start(charger))["transactionId"]
    async with open_site(tmp_path / "data") as site:
        (session,) = await site.sessions()
        assert session.transaction_id == str(id)
        charger = await site.connect()
        stop = {"transactionId": id, "meterStop": 1500, "timestamp": ago(0)}
        assert await charger.result("StopTransaction", stop) == {}
        (session,) = await site.sessions()
        assert session.energy_wh == 500
