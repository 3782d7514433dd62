"""What readings a charger sends is set after its boot: read, set, read back; a person's wish counts more."""

from dataclasses import replace
from typing import Any

import pytest

from onprem_csms.domain.chargers import readings
from onprem_csms.domain.chargers.readings import Readings
from onprem_csms.domain.chargers.variables import Variable
from onprem_csms.services.chargers import configuration
from tests.ocpp.conftest import QUICK, Charger, Site

setting = pytest.mark.parametrize("options", [replace(QUICK, set_readings=True)], ids=["set"])
MEASURANDS, INTERVAL = "MeterValuesSampledData", "MeterValueSampleInterval"
FULL = "Energy.Active.Import.Register,Power.Active.Import,Current.Import"


async def told(charger: Charger, **values: str) -> list[str]:
    """Answer the question for the keys; returns which were asked."""
    keys = [{"key": key, "readonly": False, "value": value} for key, value in values.items()]
    call = await charger.answer({"configurationKey": keys, "unknownKey": []})
    assert call[2] == "GetConfiguration"
    asked: list[str] = call[3]["key"]
    return asked


@setting
async def test_a_charger_is_told_which_readings_to_send_and_its_answer_is_read_back(site: Site) -> None:
    charger = await site.connect()
    await charger.boot()
    assert await told(charger, **{MEASURANDS: "Energy.Active.Import.Register", INTERVAL: "0"}) == [
        MEASURANDS,
        INTERVAL,
    ]
    calls = [await charger.answer({"status": "Accepted"}) for _ in range(2)]
    assert [call[3] for call in calls] == [
        {"key": MEASURANDS, "value": FULL},
        {"key": INTERVAL, "value": "60"},
    ]
    assert await told(charger, **{MEASURANDS: FULL, INTERVAL: "30"}) == [MEASURANDS, INTERVAL]
    await site.until(lambda: drift(site))


async def drift(site: Site) -> bool:
    """Whether it shows that the charger does another thing than it was told and agreed to."""
    found = {one.key: one for one in await site.see(configuration.find, "CP1")}
    interval = found[INTERVAL]
    return (interval.value, interval.wanted, interval.wanted_status) == ("30", "60", "accepted")


@setting
async def test_a_charger_that_sends_what_is_needed_is_left_alone(site: Site) -> None:
    charger = await site.connect()
    await charger.boot()
    turned = "current.import, Power.Active.Import,Energy.Active.Import.Register"
    await told(charger, **{MEASURANDS: turned, INTERVAL: "60"})
    assert await charger.silent()


@setting
async def test_what_a_charger_refuses_is_asked_of_it_in_part(site: Site) -> None:
    charger = await site.connect()
    await charger.boot()
    await told(charger, **{MEASURANDS: "Energy.Active.Import.Register", INTERVAL: "60"})
    assert (await charger.answer({"status": "Rejected"}))[3]["value"] == FULL
    second = await charger.answer({"status": "Accepted"})
    assert second[3]["value"] == "Energy.Active.Import.Register,Power.Active.Import"


@setting
async def test_what_a_person_wants_of_the_same_setting_counts_more(site: Site) -> None:
    await site.do(configuration.want, "CP1", Variable("", INTERVAL), "15", "accepted")
    charger = await site.connect()
    await charger.boot()
    await told(charger, **{MEASURANDS: FULL, INTERVAL: "30"})
    assert await charger.silent()


@setting
async def test_a_charger_of_2_0_1_is_told_by_its_variables_as_far_as_it_offers_them(site: Site) -> None:
    charger = await site.connect(protocols=("ocpp2.0.1",))
    station = {"vendorName": "V", "model": "M"}
    await charger.result("BootNotification", {"reason": "PowerUp", "chargingStation": station})
    names: list[str] = []
    while (call := await charger.hear())[2] != "SetVariables":
        names += [one["variable"]["name"] for one in call[3].get("getVariableData", ())]
        await charger.say([3, call[1], answers(call)])
    assert names == ["TxUpdatedMeasurands", "TxUpdatedInterval", "TxStartedMeasurands", "TxEndedMeasurands"]
    (wish,) = call[3]["setVariableData"]
    assert (wish["variable"]["name"], wish["attributeValue"]) == ("TxUpdatedMeasurands", FULL)


def answers(call: Any) -> dict[str, Any]:
    """What a charger of 2.0.1 with useless defaults says."""
    if call[2] == "GetVariables":
        return {
            "getVariableResult": [
                {**one, "attributeStatus": "Accepted", "attributeValue": "Energy.Active.Import.Register"}
                for one in call[3]["getVariableData"]
            ]
        }
    if call[2] == "SetVariables":
        told = [{key: one[key] for key in ("component", "variable")} for one in call[3]["setVariableData"]]
        return {"setVariableResult": [{**one, "attributeStatus": "Accepted"} for one in told]}
    return {"status": "Accepted"}


def test_a_preset_is_found_by_words_of_vendor_and_model() -> None:
    assert readings.preset("ABB", "Terra 54 CJG") == Readings(("energy", "power", "charge"), 30)
    assert readings.preset("Maker", "Model") == Readings()
    assert readings.fewer(Readings(("energy",))) is None
    assert readings.offered("a,b,c", "C, a") == "a,c"
    assert readings.offered("a,b", "x,y") == "a,b", (
        "nothing of it is offered: an empty list would silence the meter"
    )
