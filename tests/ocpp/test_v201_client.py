"""OCPP 2.0.1 with a client that is not ours: boot, states, cards, sessions, orders, variables, resets."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from ocpp.v201 import call

from onprem_csms.domain.chargers import commands
from onprem_csms.domain.chargers.chargers import ChargerChange, ConnectorChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.variables import Variable
from onprem_csms.services.cards import cards
from onprem_csms.services.chargers import configuration, inventory, records
from onprem_csms.services.charging import orders
from tests.ocpp.conftest import PASSWORD, Site, basic
from tests.ocpp.wall_box_201 import CARD, WallBox, at, card, moment, wall_box


@pytest.fixture
async def box(site: Site) -> AsyncIterator[WallBox]:
    """A charger of 2.0.1 that has booted and whose model is read."""
    async with wall_box(site) as charger:
        await charger.boot()
        await site.until(lambda: read(site))
        yield charger


async def read(site: Site) -> bool:
    """Tell whether the model of CP1 is known, the last part of it too."""
    found = await site.see(configuration.find, "CP1")
    return len(found) == 4


async def states(site: Site) -> dict[Place, str]:
    """What the connectors of CP1 show."""
    charger = await site.see(inventory.get, "CP1")
    return {one.place: one.status for one in charger.connectors}


async def test_a_charger_that_offers_both_versions_gets_the_newer_with_compression(site: Site) -> None:
    async with wall_box(site) as charger:
        boot = await charger.boot()
        assert (boot.status, boot.interval) == ("Accepted", 300)
        assert [type(one).__name__ for one in charger._connection.protocol.extensions] == [
            "PerMessageDeflate"
        ]
    found = await site.see(inventory.get, "CP1")
    assert (found.protocol, found.vendor, found.serial) == ("ocpp2.0.1", "Maker", "S1")


async def test_a_charger_that_comes_first_is_read_once_whatever_the_order_of_the_parts(site: Site) -> None:
    async with wall_box(site) as charger:
        await charger.boot()
        await site.until(lambda: read(site))
        assert charger.names() == ["report"]
    assert set(await states(site)) == {Place(1, 1), Place(2, 1)}
    limit = Variable("DeviceDataCtrlr", "ItemsPerMessage", name_instance="GetVariables")
    assert await site.see(configuration.value, "CP1", limit) == "2"
    await site.until(lambda: not site.stations.online("CP1"))
    async with wall_box(site) as again:
        await again.boot()
        await site.perform("CP1", commands.ClearCache(), origin="test")
        assert again.names() == ["clear cache"]


async def test_a_session_by_card_is_priced_and_told_its_cost(site: Site, box: WallBox) -> None:
    judged = await box.call(call.Authorize(id_token=card()))
    assert judged.id_token_info["status"] == "Accepted"
    begun = await box.event(
        "Started", "T-1", "Authorized", evse=at(), id_token=card(), meter_value=box.reading(1000)
    )
    assert begun.id_token_info["status"] == "Accepted"
    assert begun.total_cost is None
    await box.event("Updated", "T-1", "ChargingStateChanged", state="Charging")
    assert (await states(site))[Place(1, 1)] == "charging"
    await box.status("Occupied")
    assert (await states(site))[Place(1, 1)] == "charging"
    await box.event("Updated", "T-1", "MeterValuePeriodic", meter_value=box.reading(4000))
    (session,) = await site.sessions(state="active")
    assert (session.transaction_id, session.evse, session.connector) == ("T-1", 1, 1)
    assert (session.energy_wh, session.power_w) == (3000, 7200)
    ended = await box.event(
        "Ended",
        "T-1",
        "EVDeparted",
        stopped="EVDisconnected",
        meter_value=box.reading(5000, context="Transaction.End"),
    )
    assert ended.id_token_info is None
    (session,) = await site.sessions(state="ended")
    assert (session.energy_wh, session.reason) == (4000, "ev_disconnected")
    await box.status("Available")
    assert (await states(site))[Place(1, 1)] == "available"


async def test_two_evses_charge_at_once(site: Site, box: WallBox) -> None:
    await box.event("Started", "A", "Authorized", evse=at(1), id_token=card(), meter_value=box.reading(0))
    await box.event("Started", "B", "CablePluggedIn", evse=at(2, None), meter_value=box.reading(500))
    await box.event("Updated", "A", "MeterValuePeriodic", meter_value=box.reading(700))
    await box.call(call.MeterValues(evse_id=2, meter_value=box.reading(900)))
    found = {session.transaction_id: session for session in await site.sessions(state="active")}
    assert {name: (one.evse, one.connector, one.energy_wh) for name, one in found.items()} == {
        "A": (1, 1, 700),
        "B": (2, 1, 400),
    }


async def test_a_session_that_begins_with_the_cable_gets_its_card_later(site: Site, box: WallBox) -> None:
    begun = await box.event("Started", "T", "CablePluggedIn", evse=at(), state="EVConnected")
    assert begun.id_token_info is None
    assert (await states(site))[Place(1, 1)] == "preparing"
    told = await box.event("Updated", "T", "Authorized", id_token=card())
    assert told.id_token_info["status"] == "Accepted"
    (session,) = await site.sessions(state="active")
    assert session.uid == CARD


async def test_an_unknown_card_and_a_button(site: Site, box: WallBox) -> None:
    judged = await box.call(call.Authorize(id_token=card("04FFFFFF")))
    assert judged.id_token_info["status"] == "Unknown"
    told = await box.event("Started", "X", "Authorized", evse=at(), id_token=card("04FFFFFF"))
    assert told.id_token_info["status"] == "Unknown"
    told = await box.event("Started", "Y", "Authorized", evse=at(2), id_token=card("", "NoAuthorization"))
    assert told.id_token_info == {"status": "Accepted"}


async def test_a_driver_s_order_starts_and_stops_it(site: Site, box: WallBox) -> None:
    found = await site.see(inventory.get, "CP1")
    slug = next(one.slug for one in found.connectors if one.place == Place(2, 1))
    await box.event("Started", "Z", "CablePluggedIn", evse=at(2), state="EVConnected")
    paying = await site.see(cards.get, CARD)
    request = orders.OrderRequest(slug or "", paying.id, None, "key-1")
    order = await orders.place(site.ctx, request)
    await site.until(lambda: "start" in box.names())
    asked = dict(box.asked)["start"]
    assert (asked["evse_id"], asked["id_token"]) == (2, {"id_token": CARD, "type": "ISO14443"})
    await box.event(
        "Updated",
        "Z",
        "RemoteStart",
        id_token=card(),
        remote_start_id=asked["remote_start_id"],
        state="Charging",
    )
    order = await site.see(orders.get, order.id)
    assert order.status == "charging"
    stopped = await site.perform("CP1", commands.RemoteStop("Z"), origin="test")
    assert (stopped.accepted, dict(box.asked)["stop"]) == (True, {"transaction_id": "Z"})


async def test_the_commands_of_an_operator_reach_it(site: Site, box: WallBox) -> None:
    async def said(command: commands.Command) -> bool | None:
        result = await site.perform("CP1", command, origin="test")
        accepted: bool | None = result.accepted
        return accepted

    assert await said(commands.Reset())
    assert await said(commands.ChangeAvailability(operative=False, place=Place(2, 1)))
    assert await said(commands.Unlock(Place(1, 1))) is False
    assert await said(commands.Trigger("status", Place(1, 1)))
    assert await said(commands.ClearCache())
    assert await said(commands.ShowCost("T", 1234, "EUR")) is None
    asked = dict(box.asked)
    assert asked["reset"] == {"type": "OnIdle"}
    assert asked["availability"]["evse"] == {"id": 2, "connector_id": 1}
    assert asked["trigger"] == {
        "evse": {"id": 1, "connector_id": 1},
        "requested_message": "StatusNotification",
    }
    assert asked["cost"] == {"total_cost": 12.34, "transaction_id": "T"}


async def test_variables_are_set_and_read_in_messages_that_it_takes(site: Site, box: WallBox) -> None:
    interval = Variable("SampledDataCtrlr", "TxUpdatedInterval")
    unknown = Variable("SampledDataCtrlr", "Nonsense")
    result = await site.perform(
        "CP1", commands.SetVariables(((interval, "60"), (unknown, "1"))), origin="test"
    )
    assert result.accepted is False
    await site.perform("CP1", commands.ReadVariables((interval, unknown, interval)), origin="test")
    assert [said for name, said in box.asked if name == "set"] == [{"number": 1}, {"number": 1}]
    assert [said for name, said in box.asked if name == "get"] == [{"number": 2}, {"number": 1}]
    found = {one.key: one for one in await site.see(configuration.find, "CP1")}
    one = found["SampledDataCtrlr.TxUpdatedInterval"]
    assert (one.value, one.wanted, one.wanted_status) == ("60", "60", "accepted")
    assert found["SampledDataCtrlr.Nonsense"].wanted_status == "not_supported"


async def test_a_new_password_is_set_and_written_down_nowhere(site: Site, box: WallBox) -> None:
    new = "a-new-password-of-2026"
    password = Variable("SecurityCtrlr", "BasicAuthPassword")
    result = await site.perform("CP1", commands.SetVariables(((password, new),)), origin="test")
    assert result.accepted
    assert box.values["BasicAuthPassword"] == new
    assert await site.refused(headers=basic("CP1", PASSWORD), protocols=("ocpp2.0.1",)) == 401
    raw = await site.see(records.messages, "CP1")
    assert raw
    assert new not in repr([message.text for message in raw])
    assert new not in repr(await site.see(configuration.find, "CP1"))


async def test_faults_come_as_events_and_go(site: Site, box: WallBox) -> None:
    def event(variable: str, value: str, **more: Any) -> dict[str, Any]:
        return {
            "event_id": 1,
            "timestamp": moment(),
            "trigger": "Alerting",
            "actual_value": value,
            "event_notification_type": "HardWiredNotification",
            "component": {"name": "Connector", "evse": {"id": 1, "connector_id": 1}},
            "variable": {"name": variable},
            **more,
        }

    async def happened(*events: dict[str, Any]) -> tuple[str, str, str]:
        await box.call(call.NotifyEvent(generated_at=moment(), seq_no=0, event_data=list(events)))
        found = await site.see(inventory.get, "CP1")
        one = next(one for one in found.connectors if one.place == Place(1, 1))
        return one.status, one.error_code, one.info

    broken = event("Problem", "true", tech_code="E17", tech_info="contactor welded")
    assert await happened(event("AvailabilityState", "Faulted"), broken) == (
        "faulted",
        "E17",
        "contactor welded",
    )
    mended = event("Problem", "false", cleared=True)
    assert await happened(mended, event("AvailabilityState", "Available")) == ("available", "", "")
    kinds = [notice.kind for notice in await site.see(records.notices, "CP1")]
    assert kinds == ["NotifyEvent", "NotifyEvent"]


async def test_a_charger_that_waits_may_report_sales_and_nothing_else(site: Site) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(registration="pending"))
    async with wall_box(site) as charger:
        boot = await charger.boot()
        assert boot.status == "Pending"
        assert await charger.call(call.Heartbeat(), suppress=True) is None
        told = await charger.event("Started", "T", "Authorized", evse=at(), id_token=card())
        assert told.id_token_info["status"] == "Accepted"
    assert len(await site.sessions()) == 1


async def test_what_was_printed_and_priced_stays_when_the_firmware_speaks_the_newer_version(
    site: Site,
) -> None:
    old = await site.connect()
    await old.boot()
    status = {"connectorId": 2, "errorCode": "NoError", "status": "Available"}
    await old.result("StatusNotification", status)
    await site.do(inventory.update_connector, "CP1", Place(0, 2), ConnectorChange(name="Left"))
    before = next(one for one in (await site.see(inventory.get, "CP1")).connectors if one.number == 2)
    await old.ws.close()
    await site.until(lambda: not site.stations.online("CP1"))
    async with wall_box(site) as charger:
        await charger.boot()
        await charger.status("Available", evse=2)
    after = next(one for one in (await site.see(inventory.get, "CP1")).connectors if one.place == Place(2, 1))
    assert (after.slug, after.name) == (before.slug, "Left")
    assert Place(0, 2) not in await states(site)
