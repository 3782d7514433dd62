"""Sessions whose end is lost, told late or told wrongly; starts and boots that are told again."""

from typing import Any

from onprem_csms.services.site import verify
from tests.cases.conftest import Play
from tests.cases.player import Played

CARD = "04A1B2C3"


async def test_a_lost_stop_locks_neither_card_nor_balance_for_ever(play: Play) -> None:
    async with play("card-locked-by-lost-stop") as case:
        assert {"orphan_stop", "connector_free"} <= await case.kinds()
        await case.pass_time(3600)
        session = await case.session("tx")
        assert (session["state"], session["energy_wh"], session["review"]) == ("closed", 0, "open")
        balance, available = await case.balance(CARD)
        assert balance == available, "nothing is held any more"


async def test_a_session_on_a_free_connector_is_shown_at_once_and_closed_after_the_grace(play: Play) -> None:
    async with play("free-connector-running-session") as case:
        assert "connector_free" in await case.kinds()
        session = await case.session("tx")
        assert session["state"] == "open", "free alone closes nothing: some say so in mid-session"
        await case.pass_time(3600)
        session = await case.session("tx")
        assert (session["state"], session["energy_wh"], session["cost"]) == ("closed", 1000, 400)
        assert await case.balance(CARD) == (4600, 4600)


async def test_a_session_that_was_closed_here_and_goes_on_is_opened_again_with_its_hold(play: Play) -> None:
    async with play("free-connector-running-session") as case:
        await case.pass_time(3600)
        assert (await case.session("tx"))["state"] == "closed"
        await case.play([_reading("5000")])
        session = await case.session("tx")
        assert (session["state"], session["energy_wh"], session["cost"]) == ("open", 4000, 700)
        assert await case.balance(CARD) == (4600, 0)
        stop = {"transactionId": "$tx", "meterStop": 6000, "timestamp": "NOW"}
        await case.play([{"charger": "CP1", "call": "StopTransaction", "payload": stop}])
        session = await case.session("tx")
        assert (session["state"], session["energy_wh"], session["cost"]) == ("closed", 5000, 800)
        assert await case.balance(CARD) == (4200, 4200)
        assert (await case.api.ctx.read(verify.verify)).faults == []


def _reading(register: str) -> dict[str, Any]:
    sample = {"value": register, "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    readings = [{"timestamp": "NOW", "sampledValue": [sample]}]
    payload = {"connectorId": 1, "transactionId": "$tx", "meterValue": readings}
    return {"charger": "CP1", "call": "MeterValues", "payload": payload}


async def test_a_start_that_is_told_again_is_one_start_and_one_start_fee(play: Play) -> None:
    async with play("start-told-again-with-another-time") as case:
        billed = [one for one in await case.sessions() if one["cost"]]
        assert [(one["energy_wh"], one["cost"]) for one in billed] == [(2000, 500)]
        assert await case.balance(CARD) == (4500, 4500)


def _with_a_register_some_wh_on(case: dict[str, Any]) -> None:
    for number, frame in enumerate(case["frames"][2:5]):
        frame["payload"]["meterStart"] += 2 * number


async def test_a_start_told_again_with_a_register_some_wh_on_is_the_same_start(play: Play) -> None:
    async with play("start-told-again-with-another-time", change=_with_a_register_some_wh_on) as case:
        assert await case.balance(CARD) == (4500, 4500)


async def test_a_boot_told_at_a_reconnect_ends_no_session(play: Play) -> None:
    async def the_grace_passes(case: Played) -> None:
        await case.pass_time(14)
        assert (await case.session("tx"))["state"] == "open"
        await a_quarter_of_an_hour(case)

    async def a_quarter_of_an_hour(case: Played) -> None:
        await case.pass_time(850)

    async def asked_to_stop(case: Played) -> None:
        await case.asked_to("RemoteStopTransaction")
        await a_quarter_of_an_hour(case)

    marks = {"1": the_grace_passes, "2": a_quarter_of_an_hour, "3": asked_to_stop}
    async with play("boot-told-at-a-reconnect", marks) as case:
        session = await case.session("tx")
        assert (session["state"], session["energy_wh"]) == ("closed", 41000)
        assert len(await case.sessions()) == 1


async def test_sessions_on_connector_zero_are_those_of_the_only_connector(play: Play) -> None:
    async with play("sessions-on-connector-zero") as case:
        first, second = await case.session("a"), await case.session("tx")
        assert (first["connector"], second["connector"]) == (1, 1)
        assert (first["state"], second["state"]) == ("closed", "closed")
        assert (second["energy_wh"], second["cost"]) == (1000, 400)


async def test_a_session_ends_at_the_latest_where_the_next_one_on_its_connector_began(play: Play) -> None:
    async with play("late-stop-into-the-next-session") as case:
        first, second = await case.session("a"), await case.session("b")
        assert (first["energy_wh"], first["cost"]) == (2100, 510)
        assert (second["energy_wh"], second["cost"]) == (6000, 900)


async def test_a_row_of_short_transactions_pays_one_start_fee_and_is_shown(play: Play) -> None:
    async with play("transaction-loop") as case:
        assert "repeated_sessions" in await case.kinds()
        balance, available = await case.balance(CARD)
        assert balance == available
        assert balance >= 5000 - 300 - 6, "one start fee, and what was delivered"


async def test_an_offline_sale_shrinks_what_a_running_session_may_spend_at_once(play: Play) -> None:
    async def asked_to_stop(case: Played) -> None:
        await case.asked_to("RemoteStopTransaction")

    async with play("offline-sale-during-a-running-session", {"1": asked_to_stop}) as case:
        offline = await case.session("off")
        assert (offline["verdict"], offline["cost"]) == ("accepted", 2300)
        assert "RemoteStopTransaction" in case.actions()


async def test_a_start_of_months_ago_bills_no_months(play: Play) -> None:
    async with play("start-of-months-ago") as case:
        session = await case.session("tx")
        assert session["review"] == "open"
        assert await case.balance(CARD) >= (0, 0)
        assert session["cost"] < 1000
