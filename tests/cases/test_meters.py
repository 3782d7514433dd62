"""What a meter shows: registers in parts, on phases, in another unit, of another session, or none at all."""

from typing import Any

import pytest

from tests.cases.conftest import Play
from tests.cases.player import Played

CARD, OTHER_CARD = "04A1B2C3", "04B1B2C3"


async def asked_to_stop(case: Played) -> None:
    """A stop that is due must be asked for by itself."""
    await case.asked_to("RemoteStopTransaction")


async def test_a_meter_value_in_two_parts_is_one_reading(play: Play) -> None:
    async with play("meter-value-in-two-parts", {"1": asked_to_stop}) as case:
        assert (await case.session("tx"))["energy_wh"] == 7320


async def test_the_register_alone_stops_a_prepaid_session_in_time(play: Play) -> None:
    async with play("register-only", {"1": asked_to_stop}) as case:
        assert (await case.session("tx"))["stop_wanted"] in ("balance_used_up", None)


async def test_a_charger_that_sends_no_readings_is_asked_and_stopped_by_the_clock(play: Play) -> None:
    async with play("no-readings-at-all", {"1": asked_to_stop}) as case:
        assert "RemoteStopTransaction" in case.actions()


async def test_a_silent_charger_is_asked_for_readings_before_its_money_is_gone(play: Play) -> None:
    def of_a_known_power(case: dict[str, Any]) -> None:
        case["cards"][0]["balance"] = 5000
        case["frames"][2:2] = [{"charger": "CP1", "set": {"max_power_w": 11_000}}]
        case["frames"][3]["payload"]["timestamp"] = "NOW"
        case["frames"][4]["payload"]["timestamp"] = "NOW"

    async def time_passes(case: Played) -> None:
        await case.pass_time(300)
        await case.asked_to("TriggerMessage")
        assert "RemoteStopTransaction" not in case.actions()
        await case.pass_time(6 * 3600)
        await case.asked_to("RemoteStopTransaction")

    async with play("no-readings-at-all", {"1": time_passes}, of_a_known_power):
        pass


@pytest.mark.parametrize("phase", ["N", "L1", "L2", "L3-N"])
async def test_a_register_on_one_phase_alone_is_the_register(play: Play, phase: str) -> None:
    def on_phase(case: dict[str, Any]) -> None:
        for frame in case["frames"]:
            for value in frame.get("payload", {}).get("meterValue", []):
                for sample in value["sampledValue"]:
                    sample["phase"] = phase

    async with play("register-on-phase-n", {"1": asked_to_stop}, on_phase) as case:
        assert (await case.session("tx"))["energy_wh"] == 9900


async def test_a_total_on_each_phase_is_billed_once(play: Play) -> None:
    async with play("total-on-each-phase") as case:
        session = await case.session("tx")
        assert (session["energy_wh"], session["cost"]) == (8000, 1100)


async def test_registers_of_each_phase_are_added_where_they_differ(play: Play) -> None:
    def of_each_phase(case: dict[str, Any]) -> None:
        for frame in case["frames"]:
            for value in frame.get("payload", {}).get("meterValue", []):
                total = int(value["sampledValue"][0]["value"])
                shares = (total // 2, total // 4, total - total // 2 - total // 4)
                for sample, share in zip(value["sampledValue"], shares, strict=True):
                    sample["value"] = str(share)

    async with play("total-on-each-phase", change=of_each_phase) as case:
        session = await case.session("tx")
        assert (session["energy_wh"], session["cost"]) == (8000, 1100)


async def test_energy_that_the_power_cannot_explain_is_not_billed(play: Play) -> None:
    async with play("placeholder-start-small-lifetime") as case:
        session = await case.session("tx")
        assert 7_000 <= session["energy_wh"] <= 7_600
        assert session["review"] == "open"


async def test_a_register_in_kwh_called_wh_is_flagged_with_its_cause(play: Play) -> None:
    async with play("kwh-called-wh") as case:
        assert "unit_suspected" in await case.kinds()


async def test_energy_between_two_sessions_is_shown_with_both(play: Play) -> None:
    async with play("register-between-sessions") as case:
        gap = [item for item in await case.reviews() if item["kind"] == "register_gap"]
        first, second = await case.session("a"), await case.session("tx")
        assert [item["session"] for item in gap] == [second["id"]]
        assert gap[0]["detail"]["energy_wh"] == 8000
        assert gap[0]["detail"]["session_before"] == first["id"]


async def test_power_without_energy_is_flagged(play: Play) -> None:
    async with play("power-without-energy") as case:
        assert "power_without_energy" in await case.kinds()


async def test_power_without_energy_stops_a_prepaid_card_by_power_times_time(play: Play) -> None:
    def with_little_money(case: dict[str, Any]) -> None:
        case["cards"][0]["balance"] = 400
        case["frames"][-1:] = [{"mark": "1"}]

    async with play("power-without-energy", {"1": asked_to_stop}, with_little_money):
        pass


async def test_energy_outside_of_every_session_is_shown_once_per_stay(play: Play) -> None:
    async with play("charging-without-a-session") as case:
        found = [item for item in await case.reviews() if item["kind"] == "energy_without_session"]
        assert [item["detail"]["energy_wh"] for item in found] == [6000]


async def test_readings_with_the_id_of_the_session_before_guard_the_running_one(play: Play) -> None:
    def with_little_money(case: dict[str, Any]) -> None:
        case["cards"][1]["balance"] = 350

    async with play("readings-of-the-session-before", {"1": asked_to_stop}, with_little_money) as case:
        assert (await case.session("a"))["energy_wh"] == 1000
        assert (await case.session("tx"))["energy_wh"] == 2000


async def test_one_meter_behind_two_connectors_is_flagged(play: Play) -> None:
    async with play("one-meter-behind-two-connectors") as case:
        assert "shared_meter" in await case.kinds()


async def test_a_session_begins_in_the_activity_that_its_connector_shows(play: Play) -> None:
    async with play("idle-before-the-start") as case:
        session = await case.session("tx")
        assert (session["energy_wh"], session["cost"]) == (0, 1690), "169 of 179 minutes are paid"
