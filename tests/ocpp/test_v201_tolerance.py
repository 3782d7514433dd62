"""2.0.1 as chargers really speak it: out of order, twice, in part, in another version; no sale is lost."""

from typing import Any

import pytest

from onprem_csms.services.charging import review
from tests.ocpp.conftest import Charger, Site
from tests.ocpp.wall_box_201 import moment

CARD = "04A1B2C3"
TOKEN = {"idToken": CARD, "type": "ISO14443"}


async def charger_of(site: Site) -> Charger:
    """Connect over 2.0.1; its model counts as read, so that nothing is asked of it."""
    site.stations.options = site.stations.options.__class__(settle_s=3600)
    return await site.connect(protocols=("ocpp2.0.1",))


def event(kind: str, sequence: int, minutes: float, wh: float | None = None, **more: Any) -> dict[str, Any]:
    """Write an event of the transaction T."""
    info = {"transactionId": "T", **more.pop("info", {})}
    at = moment(minutes)
    told: dict[str, Any] = {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": sequence,
        "transactionInfo": info,
        **more,
    }
    if wh is not None:
        told["meterValue"] = [{"timestamp": at, "sampledValue": [{"value": wh}]}]
    return told


BEGIN = event("Started", 0, -60, 1000, evse={"id": 1, "connectorId": 1}, idToken=TOKEN)
MIDDLE = event("Updated", 1, -30, 4000)
END = event("Ended", 2, -1, 5000, info={"stoppedReason": "Local"})


@pytest.mark.parametrize(
    "events",
    [
        [BEGIN, MIDDLE, END],
        [BEGIN, BEGIN, MIDDLE, MIDDLE, END, END],
        [BEGIN, END, MIDDLE],
        [BEGIN, {**MIDDLE, "seqNo": 900}, {**END, "seqNo": 3}],
        [BEGIN, MIDDLE, {**END, "offline": True}],
    ],
    ids=["as it should be", "twice", "late", "gaps", "offline"],
)
async def test_however_the_events_come_the_energy_is_billed_once(
    site: Site, events: list[dict[str, Any]]
) -> None:
    charger = await charger_of(site)
    for told in events:
        await charger.result("TransactionEvent", told)
    (session,) = await site.sessions()
    assert (session.state, session.energy_wh, session.evse) == ("ended", 4000, 1)


async def test_an_end_without_its_begin_is_a_session_that_somebody_looks_at(site: Site) -> None:
    charger = await charger_of(site)
    readings = [
        {"timestamp": moment(-60), "sampledValue": [{"value": 1000, "context": "Transaction.Begin"}]},
        {"timestamp": moment(-1), "sampledValue": [{"value": 3000, "context": "Transaction.End"}]},
    ]
    told = event("Ended", 5, -1, evse={"id": 1}, idToken=TOKEN)
    await charger.result("TransactionEvent", {**told, "meterValue": readings})
    (session,) = await site.sessions()
    assert (session.state, session.evse) == ("ended", 1)
    assert await site.see(review.find, limit=10)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"eventType": "Sideways", "transactionInfo": {}},
        {**BEGIN, "transactionInfo": None},
        {**BEGIN, "timestamp": "yesterday", "evse": "1", "idToken": []},
        {**BEGIN, "meterValue": {"sampledValue": "x"}},
        {**BEGIN, "seqNo": "first", "extra": 1},
        {**BEGIN, "transactionInfo": {"transactionId": "x" * 500}},
    ],
)
async def test_an_event_is_answered_however_broken_it_is(site: Site, told: dict[str, Any]) -> None:
    charger = await charger_of(site)
    assert (await charger.call("TransactionEvent", told))[0] == 3
    assert (await charger.call("TransactionEvent", told))[0] == 3


async def test_a_signed_reading_is_kept_to_the_letter(site: Site) -> None:
    charger = await charger_of(site)
    data = 'OCMF|{"FV":"1.0","RD":[{"RV":1.0}]}|{"SD":"3045 é"}'
    signed = {"signedMeterData": data, "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "k"}
    value = {"value": 1000, "signedMeterValue": signed}
    told = {**BEGIN, "meterValue": [{"timestamp": moment(-60), "sampledValue": [value]}]}
    await charger.result("TransactionEvent", told)
    update = {
        **MIDDLE,
        "meterValue": [{"timestamp": moment(-30), "sampledValue": [{**value, "value": 2000}]}],
    }
    await charger.result("TransactionEvent", update)
    (session,) = await site.sessions()
    assert session.energy_wh == 1000
    kept = await site.see(lambda tx: [row[0] for row in tx.all("SELECT text FROM signed_readings")])
    assert any('"signedMeterData":"OCMF|{\\"FV\\":\\"1.0\\"' in text for text in kept)


async def test_a_charger_that_agreed_on_2_0_1_and_speaks_1_6_is_understood(site: Site) -> None:
    charger = await charger_of(site)
    assert (await charger.boot())["status"] == "Accepted"
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}
    assert await charger.result("StatusNotification", status) == {}
    start = {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": moment(-10)}
    begun = await charger.result("StartTransaction", start)
    assert begun["idTagInfo"]["status"] == "Accepted"
    stop = {"transactionId": begun["transactionId"], "meterStop": 500, "timestamp": moment()}
    await charger.result("StopTransaction", stop)
    (session,) = await site.sessions()
    assert (session.state, session.energy_wh) == ("ended", 500)
    assert (await site.quirks())["other_version"].times == 4


async def test_errors_have_the_names_of_the_version(site: Site) -> None:
    charger = await charger_of(site)
    assert (await charger.call("Authorize", {"idToken": {}}))[2] == "OccurrenceConstraintViolation"
    assert (await charger.call("Authorize", {"idToken": 5}))[2] == "OccurrenceConstraintViolation"
    await charger.say('[2,"b","Heartbeat",{')
    answer = await charger.hear()
    assert answer[:2] == [3, "b"]
    await charger.say([2, "c"])
    assert (await charger.hear())[2] == "RpcFrameworkError"
