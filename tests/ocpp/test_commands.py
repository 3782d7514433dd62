"""What is asked of a charger: what goes onto the wire, how it ends, and what is left on record."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onprem_csms.domain.chargers import commands
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.variables import Variable
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.ocpp.rpc import schemas
from onprem_csms.ocpp.v16 import commands as v16_commands
from onprem_csms.ocpp.v16.commands import COMMANDS, translate
from onprem_csms.services.chargers import commanding, profiles, records, sending
from onprem_csms.services.core.ports import CommandResult
from tests.ocpp.conftest import PROFILE, QUICK, RESERVE, UNTIL, Site, ask, impatient, open_site


async def record(site: Site, result: CommandResult) -> commanding.CommandView:
    view: commanding.CommandView = await site.see(commanding.get, result.id)
    return view


@pytest.mark.parametrize(
    "command,action,request_",
    [
        (
            commands.RemoteStart("A1", Place(0, 2)),
            "RemoteStartTransaction",
            {"connectorId": 2, "idTag": "A1"},
        ),
        (commands.RemoteStart("A1"), "RemoteStartTransaction", {"idTag": "A1"}),
        (commands.RemoteStop("77"), "RemoteStopTransaction", {"transactionId": 77}),
        (commands.Reset(hard=True), "Reset", {"type": "Hard"}),
        (commands.Reset(), "Reset", {"type": "Soft"}),
        (commands.Unlock(Place(0, 1)), "UnlockConnector", {"connectorId": 1}),
        (
            commands.ChangeAvailability(operative=False),
            "ChangeAvailability",
            {"connectorId": 0, "type": "Inoperative"},
        ),
        (commands.ClearCache(), "ClearCache", {}),
        (commands.ReadVariables(), "GetConfiguration", {}),
        (
            commands.ReadVariables((Variable("", "a"), Variable("", "b"))),
            "GetConfiguration",
            {"key": ["a", "b"]},
        ),
        (
            commands.SetVariables(((Variable("", "k"), "v"),)),
            "ChangeConfiguration",
            {"key": "k", "value": "v"},
        ),
        (
            commands.Trigger("meter", Place(0, 1)),
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 1},
        ),
        (
            commands.Reserve(7, Place(0, 1), "A1", UNTIL, "G"),
            "ReserveNow",
            {
                "connectorId": 1,
                "expiryDate": "2030-01-02T03:04:05Z",
                "idTag": "A1",
                "parentIdTag": "G",
                "reservationId": 7,
            },
        ),
        (commands.CancelReservation(7), "CancelReservation", {"reservationId": 7}),
    ],
)
def test_a_neutral_command_becomes_a_request_in_the_order_of_the_specification(
    command: commands.Command, action: str, request_: dict[str, Any]
) -> None:
    translated = translate(command)
    assert translated == (action, request_)
    assert list(translated[1]) == list(request_)
    assert schemas.outgoing("v16", action).is_valid(translated[1])


def test_every_neutral_command_can_be_said_in_1_6() -> None:
    assert set(v16_commands._TRANSLATIONS) == set(commands.Command.__args__)


def test_what_1_6_cannot_say_is_refused() -> None:
    with pytest.raises(Invalid):
        translate(commands.RemoteStart("A" * 21))
    with pytest.raises(Invalid):
        translate(commands.RemoteStop("no-number"))
    with pytest.raises(Invalid):
        translate(commands.ShowCost("1", 100, "HUF"))


def test_every_command_of_the_schemas_is_known() -> None:
    from importlib import resources

    names = {
        file.name.removesuffix(".json") for file in (resources.files("ocpp") / "v16" / "schemas").iterdir()
    }
    calls = {name for name in names if f"{name}Response" in names}
    from_charger = set(v16_commands.COMMANDS) ^ calls
    from onprem_csms.ocpp.v16.actions import ACTIONS

    assert from_charger == set(ACTIONS) - {"DataTransfer"}


async def test_a_command_is_answered_and_on_record_from_wish_to_outcome(site: Site) -> None:
    charger = await site.connect()
    result = await ask(site, charger, "Reset", {"type": "Soft"}, {"status": "Accepted"})
    assert (result.status, result.accepted) == ("answered", True)
    assert (result.request, result.response) == ({"type": "Soft"}, {"status": "Accepted"})
    view = await record(site, result)
    assert (view.action, view.status, view.origin) == ("Reset", "answered", "test")
    assert (view.request, view.response) == ({"type": "Soft"}, {"status": "Accepted"})
    assert view.sent_at is not None
    assert view.ended_at is not None
    directions = [message.direction for message in await site.see(records.messages, "CP1")]
    assert directions == ["in", "out"]


@pytest.mark.parametrize(
    "action,request_,status,accepted",
    [
        ("Reset", {"type": "Soft"}, "Rejected", False),
        ("ChangeAvailability", {"connectorId": 0, "type": "Operative"}, "Scheduled", True),
        ("UnlockConnector", {"connectorId": 1}, "Unlocked", True),
        ("UnlockConnector", {"connectorId": 1}, "UnlockFailed", False),
        ("ChangeConfiguration", {"key": "k", "value": "v"}, "RebootRequired", True),
        ("Reset", {"type": "Soft"}, "Perhaps", False),
    ],
)
async def test_the_word_of_the_answer_says_whether_the_charger_agrees(
    site: Site, action: str, request_: dict[str, Any], status: str, accepted: bool
) -> None:
    charger = await site.connect()
    assert (await ask(site, charger, action, request_, {"status": status})).accepted is accepted


async def test_an_answer_without_such_a_word_neither_agrees_nor_disagrees(site: Site) -> None:
    charger = await site.connect()
    assert (await ask(site, charger, "GetLocalListVersion", {}, {"listVersion": 3})).accepted is None


@pytest.mark.parametrize(
    "error",
    [
        ["NotImplemented", "no such thing", {}],
        ["NotImplemented", "no such thing"],
        ["NotImplemented"],
        ["NotImplemented", "no such thing", "details"],
    ],
)
async def test_an_error_of_the_charger_is_an_outcome(site: Site, error: list[Any]) -> None:
    charger = await site.connect()
    asking = asyncio.create_task(site.send("CP1", "ClearCache", {}, origin="test"))
    call = await charger.hear()
    await charger.say([4, call[1], *error])
    result = await asking
    assert (result.status, result.accepted) == ("error", None)
    assert result.response is not None
    assert result.response["code"] == "NotImplemented"
    assert (await record(site, result)).status == "error"


@impatient
async def test_a_charger_that_never_answers_is_given_up_and_its_late_answer_dropped(site: Site) -> None:
    charger = await site.connect()
    asking = asyncio.create_task(site.send("CP1", "ClearCache", {}, origin="test"))
    call = await charger.hear()
    result = await asking
    assert (result.status, result.response) == ("timeout", None)
    assert (await record(site, result)).status == "timeout"
    await charger.say([3, call[1], {"status": "Accepted"}])
    assert (await ask(site, charger, "ClearCache", {}, {"status": "Rejected"})).response == {
        "status": "Rejected"
    }
    assert (await record(site, result)).status == "timeout"
    assert "stray_answer" in await site.quirks()


async def test_one_call_is_open_at_a_time_and_the_others_wait_in_order(site: Site) -> None:
    charger = await site.connect()
    asking = [
        asyncio.create_task(site.send("CP1", "UnlockConnector", {"connectorId": number}, origin="test"))
        for number in range(1, 6)
    ]
    for number in range(1, 6):
        call = await charger.hear()
        assert call[3] == {"connectorId": number}
        assert await charger.silent(0.02)
        await charger.say([3, call[1], {"status": "Unlocked"}])
    assert [result.accepted for result in await asyncio.gather(*asking)] == [True] * 5


async def test_too_many_waiting_commands_are_refused_and_on_record_as_such(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data", replace(QUICK, queue_length=2)) as site:
        await site.add()
        charger = await site.connect()
        asking = [asyncio.create_task(site.send("CP1", "ClearCache", {}, origin="test")) for _ in range(3)]
        await site.until(lambda: site.connection().calling)
        first = await charger.hear()
        await asyncio.sleep(0.05)
        with pytest.raises(Conflict):
            await site.send("CP1", "ClearCache", {}, origin="test")
        newest = (await site.see(commanding.find, "CP1"))[0]
        assert newest.status == "error"
        await charger.say([3, first[1], {"status": "Accepted"}])
        for _ in range(2):
            await charger.answer({"status": "Accepted"})
        await asyncio.gather(*asking)


async def test_without_waiting_the_command_is_on_the_wire_and_can_be_polled(site: Site) -> None:
    charger = await site.connect()
    result = await site.send("CP1", "ClearCache", {}, origin="test", wait=False)
    assert (result.status, result.response) == ("sent", None)
    await charger.answer({"status": "Accepted"})

    async def ended() -> bool:
        return (await record(site, result)).status == "answered"

    await site.until(ended)


async def test_a_charger_may_say_its_own_before_it_answers(site: Site) -> None:
    charger = await site.connect()
    asking = asyncio.create_task(site.send("CP1", "ReserveNow", RESERVE, origin="test"))
    call = await charger.hear()
    reserved = {"connectorId": 1, "errorCode": "NoError", "status": "Reserved"}
    assert await charger.result("StatusNotification", reserved) == {}
    await charger.say([3, call[1], {"status": "Accepted"}])
    assert (await asking).accepted is True


async def test_the_answer_may_come_right_behind_a_call_of_its_own(site: Site) -> None:
    charger = await site.connect()
    asking = asyncio.create_task(site.send("CP1", "ClearCache", {}, origin="test"))
    call = await charger.hear()
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    await charger.say([2, "own", "StatusNotification", status])
    await charger.say([3, call[1], {"status": "Accepted"}])
    assert (await asking).status == "answered"
    assert await charger.hear() == [3, "own", {}]


async def test_an_answer_that_breaks_its_schema_is_shown_as_it_is(site: Site) -> None:
    charger = await site.connect()
    odd = {"status": 5, "surprise": [1, {"a": None}]}
    assert (await ask(site, charger, "ClearCache", {}, odd)).response == odd


# --- Refusals -------------------------------------------------------------------------------------


async def test_an_unknown_command_and_an_unknown_charger_are_not_found(site: Site) -> None:
    await site.connect()
    with pytest.raises(NotFound):
        await site.send("CP1", "MakeCoffee", {}, origin="test")
    with pytest.raises(NotFound):
        await site.send("CP1", "Heartbeat", {}, origin="test")
    with pytest.raises(NotFound):
        await site.send("NOBODY", "ClearCache", {}, origin="test")


async def test_a_charger_that_is_offline_is_a_conflict_and_nothing_is_left_on_record(site: Site) -> None:
    with pytest.raises(Conflict):
        await site.send("CP1", "ClearCache", {}, origin="test")
    with pytest.raises(Conflict):
        await site.perform("CP1", commands.ClearCache(), origin="test")
    assert await site.see(commanding.find, "CP1") == []


@pytest.mark.parametrize(
    "action,request_,path",
    [
        ("Reset", {}, "type"),
        ("Reset", {"type": "Gentle"}, "type"),
        ("Reset", {"type": "Soft", "extra": 1}, "extra"),
        ("ChangeAvailability", {"connectorId": "1", "type": "Operative"}, "connectorId"),
        ("ReserveNow", {**RESERVE, "expiryDate": "tomorrow"}, "expiryDate"),
        ("ReserveNow", {**RESERVE, "idTag": "A" * 21}, "idTag"),
        ("GetDiagnostics", {"location": "not an address"}, "location"),
        (
            "SetChargingProfile",
            {
                "connectorId": 1,
                "csChargingProfiles": {
                    **PROFILE,
                    "chargingSchedule": {
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1.25}],
                    },
                },
            },
            "csChargingProfiles.chargingSchedule.chargingSchedulePeriod.0.limit",
        ),
    ],
)
async def test_a_request_that_breaks_its_schema_is_refused_with_the_path_and_not_sent(
    site: Site, action: str, request_: dict[str, Any], path: str
) -> None:
    charger = await site.connect()
    with pytest.raises(Invalid) as fault:
        await site.send("CP1", action, request_, origin="test")
    assert fault.value.path == path
    assert path in {place for place, _ in fault.value.faults}
    assert await charger.silent()
    assert await site.see(commanding.find, "CP1") == []


@pytest.mark.parametrize("expiry", ["2030-01-02T03:04:05", "2030-01-02T03:04:05+01:00", "2030-01-02 03:04Z"])
async def test_a_moment_without_a_zone_is_let_through_as_it_is(site: Site, expiry: str) -> None:
    charger = await site.connect()
    await ask(site, charger, "ReserveNow", {**RESERVE, "expiryDate": expiry}, {"status": "Accepted"})


async def test_the_charger_decides_even_where_the_picture_here_says_no(site: Site) -> None:
    charger = await site.connect()
    for action, request in (
        ("UnlockConnector", {"connectorId": 99}),
        ("CancelReservation", {"reservationId": 12345}),
        ("RemoteStopTransaction", {"transactionId": 1}),
    ):
        assert (await ask(site, charger, action, request, {"status": "Rejected"})).accepted is False


# --- Lanes ----------------------------------------------------------------------------------------


def limit(amperes: float, connector: int = 1) -> dict[str, Any]:
    period = [{"startPeriod": 0, "limit": amperes}]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": period}
    return {"connectorId": connector, "csChargingProfiles": {**PROFILE, "chargingSchedule": schedule}}


def begin(site: Site, action: str, request: dict[str, Any]) -> asyncio.Task[CommandResult]:
    return asyncio.create_task(site.send("CP1", action, request, origin="test"))


async def test_a_stop_overtakes_a_limit_and_of_two_limits_the_newer_one_is_sent(site: Site) -> None:
    charger = await site.connect()
    asking = [
        begin(site, "ClearCache", {}),
        begin(site, "GetLocalListVersion", {}),
        begin(site, "SetChargingProfile", limit(10)),
        begin(site, "SetChargingProfile", limit(6)),
        begin(site, "RemoteStopTransaction", {"transactionId": 5}),
    ]
    first = await charger.hear()

    async def wanted() -> bool:
        return len(await site.see(commanding.find, "CP1")) == len(asking)

    await site.until(wanted)
    await charger.say([3, first[1], {"status": "Accepted"}])
    calls = [await charger.answer({"status": "Accepted", "listVersion": 0}) for _ in range(3)]
    assert [call[2] for call in calls] == [
        "RemoteStopTransaction",
        "SetChargingProfile",
        "GetLocalListVersion",
    ]
    assert calls[1][3] == limit(6)
    results = await asyncio.gather(*asking)
    assert [result.status for result in results] == [
        "answered",
        "answered",
        "superseded",
        "answered",
        "answered",
    ]
    assert (await record(site, results[2])).status == "superseded"


async def test_a_limit_of_the_load_manager_leaves_no_row_and_what_follows_from_it(site: Site) -> None:
    charger = await site.connect()
    order = site.ctx.stations.order("CP1", "SetChargingProfile", limit(8))
    asking = asyncio.create_task(sending.limit(site.ctx, order))
    await charger.answer({"status": "Accepted"})
    assert (await asking).ending == "answered"
    assert await site.see(commanding.find, "CP1") == []
    (held,) = await site.see(profiles.in_force, "CP1")
    assert held.profile == limit(8)["csChargingProfiles"]


@impatient
async def test_a_charger_that_reads_nothing_is_dropped_and_its_command_ends(site: Site) -> None:
    charger = await site.connect()
    charger.transport.pause_reading()
    big = {"vendorId": "V", "data": "x" * 20_000_000}
    result = await site.send("CP1", "DataTransfer", big, origin="test")
    assert result.status == "timeout"
    await site.until(lambda: site.stations.count() == 0)
    assert (await record(site, result)).sent_at is None


# --- The end of a connection ----------------------------------------------------------------------


async def test_commands_of_a_connection_that_ends_end_with_it(site: Site) -> None:
    charger = await site.connect()
    asking = [asyncio.create_task(site.send("CP1", "ClearCache", {}, origin="t")) for _ in range(3)]
    await charger.hear()
    await charger.ws.close()
    results = await asyncio.gather(*asking)
    assert [result.status for result in results] == ["lost"] * 3
    assert {view.status for view in await site.see(commanding.find, "CP1")} == {"lost"}


async def test_commands_that_a_killed_process_left_open_are_ended_at_the_next_start(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        await site.add()
        await site.do(commanding.want, commanding.Wish("CP1", "ClearCache", {}, "test"))
    async with open_site(tmp_path / "data") as site:
        assert [view.status for view in await site.see(commanding.find, "CP1")] == ["lost"]


def test_the_table_names_only_words_that_exist() -> None:
    for name, kind in COMMANDS.items():
        schema = schemas.incoming("v16", f"{name}Response").document
        text = str(schema)
        assert all(f"'{word}'" in text for word in kind.accepted), name
