"""Card numbers in every spelling, cards that change in mid-session, chargers that do not obey."""

from typing import Any

from tests.cases.conftest import Play
from tests.cases.player import Played


def verdicts(case: Played) -> list[str]:
    """What was answered to each Authorize."""
    return [answer[2]["idTagInfo"]["status"] for answer in case.answers if "idTagInfo" in answer[2]]


async def test_marks_between_the_bytes_of_a_card_number_mean_nothing(play: Play) -> None:
    async with play("card-number-with-marks") as case:
        assert verdicts(case)[:4] == ["Accepted"] * 4


async def test_a_decimal_card_number_is_read_by_the_charger_s_rule(play: Play) -> None:
    def by_rule(case: dict[str, Any]) -> None:
        case["frames"].insert(2, {"charger": "CP1", "set": {"token_transform": "decimal"}})

    async with play("card-number-with-marks", change=by_rule) as case:
        assert verdicts(case)[-1] == "Accepted"


async def test_two_lengths_of_cards_at_one_reader_are_read_by_two_rules(play: Play) -> None:
    def both(case: dict[str, Any]) -> None:
        case["frames"][2]["set"]["token_transform"] = "first:6,strip_zeros"

    async with play("two-card-lengths-one-reader", change=both) as case:
        assert verdicts(case) == ["Accepted", "Accepted"]


async def test_a_status_told_later_on_a_live_connection_counts_later(play: Play) -> None:
    async with play("status-of-a-fast-clock") as case:
        charger = (await case.api.get("/chargers/CP1")).body
        connector = next(one for one in charger["connectors"] if one["number"] == 1)
        assert connector["status"] == "preparing"


async def test_an_answer_of_324_kb_to_our_own_question_is_taken(play: Play) -> None:
    async with play("configuration-of-324-kb") as case:
        assert case.replies[-1].body["status"] == "answered"


async def test_authorize_asks_for_the_connector_that_is_meant(play: Play) -> None:
    async with play("authorize-by-the-first-connector") as case:
        assert verdicts(case) == ["Accepted", "Accepted"]


async def test_authorize_is_refused_where_the_named_connector_costs_too_much(play: Play) -> None:
    def the_dear_one(case: dict[str, Any]) -> None:
        case["frames"][-1]["payload"]["connectorId"] = 1

    async with play("authorize-by-the-first-connector", change=the_dear_one) as case:
        assert verdicts(case)[-1] != "Accepted"


async def test_a_card_that_is_stolen_in_mid_session_is_stopped(play: Play) -> None:
    async def asked_to_stop(case: Played) -> None:
        await case.asked_to("RemoteStopTransaction")

    async with play("card-stolen-in-mid-session", {"1": asked_to_stop}) as case:
        session = await case.session("tx")
        assert (session["state"], session["stop_wanted"]) == ("closed", "card_ended")


async def test_a_stolen_card_s_session_goes_on_where_the_site_wants_that(play: Play) -> None:
    async def looked(case: Played) -> None:
        await case.pass_time(30)

    sessions = {"stop_blocked_cards": False}
    async with play("card-stolen-in-mid-session", {"1": looked}, sessions=sessions) as case:
        assert "RemoteStopTransaction" not in case.actions()


async def test_a_charger_that_will_not_stop_is_shown_while_it_goes_on(play: Play) -> None:
    async def refused(case: Played) -> None:
        await case.asked_to("RemoteStopTransaction")
        await case.pass_time(90)

        async def shown() -> bool:
            return "not_stopping" in await case.kinds()

        await case.until(shown)

    async with play("charger-will-not-stop", {"1": refused}) as case:
        assert (await case.session("tx"))["state"] == "open"
        assert case.actions().count("RemoteStopTransaction") > 1, "it is asked again"
        shown = next(one for one in await case.reviews() if one["kind"] == "not_stopping")
        assert shown["detail"]["answer"] == "Rejected"


async def test_a_charger_that_will_not_stop_is_limited_and_then_put_out_as_far_as_the_site_allows(
    play: Play,
) -> None:
    async def refused(case: Played) -> None:
        await case.asked_to("RemoteStopTransaction")
        for action in ("SetChargingProfile", "ChangeAvailability", "UnlockConnector", "Reset"):
            while action not in case.actions():
                await case.pass_time(30)

    settings = {"escalate": "reset"}
    async with play("charger-will-not-stop", {"1": refused}, prepaid=settings) as case:
        profile = next(sent for action, sent in case.asked["CP1"] if action == "SetChargingProfile")
        schedule = profile["csChargingProfiles"]["chargingSchedule"]
        assert profile["csChargingProfiles"]["transactionId"] == case.kept["tx"]
        assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 0}]


async def test_a_charger_that_will_not_stop_is_only_limited_by_default(play: Play) -> None:
    async def refused(case: Played) -> None:
        await case.asked_to("RemoteStopTransaction")
        for _ in range(20):
            await case.pass_time(30)

    async with play("charger-will-not-stop", {"1": refused}) as case:
        assert "SetChargingProfile" in case.actions()
        assert not {"ChangeAvailability", "UnlockConnector", "Reset"} & set(case.actions())
