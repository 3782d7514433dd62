"""The life of sessions against the real encrypted store, in the words of the use cases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import ChargerChange, StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import AuthorizeRequest, Reading
from onprem_csms.errors import Conflict
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import authorization, presence, recording, review, sessions
from onprem_csms.services.money import wallets
from onprem_csms.services.money.wallets import TopUp
from tests import reporting
from tests.services.conftest import BEGIN, House


async def test_a_prepaid_session_holds_the_balance_and_captures_what_it_cost(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    started = await house.start("04aabbccdd", meter=1000)
    assert started.verdict.status == "accepted"
    assert (await house.session(started.session_id)).cost == 300, "the start fee is due at once"
    held = await house.wallet(wallet_id)
    assert (held.balance, held.held, held.available) == (5000, 5000, 0)
    house.later(3600)
    await house.meter(started, 8000, 7000)
    house.later(60)
    await house.stop(started, 8100)
    session = await house.session(started.session_id)
    assert (session.state, session.energy_wh, session.cost) == ("ended", 7100, 1358)
    assert session.bill is not None
    assert session.bill["gross"] == session.bill["net"] + session.bill["vat"] == 1358
    after = await house.wallet(wallet_id)
    assert (after.balance, after.held) == (5000 - 1358, 0)
    assert await house.faults() == []


async def test_a_repeated_start_gets_the_same_transaction_and_holds_once(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    first = await house.start("04AABBCCDD", told="2026-11-22T08:00:00Z")
    house.later(30)
    told = reporting.begin(("CP1", 1), "04AABBCCDD", 0, BEGIN, told="2026-11-22T08:00:00Z")
    assert house.started(await house.tell(told)) == first
    assert (await house.wallet(wallet_id)).held == 5000


async def test_a_repeated_stop_books_nothing_more(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    started = await house.start("04AABBCCDD")
    house.later(3600)
    await house.stop(started, 7000)
    balance = (await house.wallet(wallet_id)).balance
    house.later(5)
    await house.stop(started, 7000)
    assert (await house.wallet(wallet_id)).balance == balance
    house.later(5)
    await house.stop(started, 9000)
    assert (await house.wallet(wallet_id)).balance == balance
    kinds = [item.kind for item in await house.store.read(review.find)]
    assert kinds == ["second_stop"]
    assert await house.faults() == []


async def test_of_fifty_parallel_starts_on_one_balance_one_wins(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    starts = [
        reporting.begin((f"CP{n % 10}", 1 + n // 10), "04AABBCCDD", n, house.clock.at) for n in range(50)
    ]
    answers = await asyncio.gather(*(house.tell(start) for start in starts))
    verdicts = [house.started(answer).verdict.status for answer in answers]
    assert verdicts.count("accepted") == 1
    assert set(verdicts) == {"accepted", "concurrent"}
    wallet = await house.wallet(wallet_id)
    assert wallet.held <= wallet.balance


async def test_two_cards_of_one_wallet_do_not_spend_it_twice(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    await house.do(cards.create, NewCard(uid="04AABBCCEE", kind="prepaid", wallet_id=wallet_id))
    one = await house.start("04AABBCCDD", "CP1")
    other = await house.start("04AABBCCEE", "CP2")
    assert (one.verdict.status, other.verdict.status) == ("accepted", "no_credit")


async def test_authorize_looks_at_the_balance_and_takes_nothing(house: House) -> None:
    await house.prepaid_card("04AABBCCDD", 300)
    wallet_id = await house.prepaid_card("04AABBCCEE", 301)
    poor = await house.do(authorization.authorize, AuthorizeRequest("CP1", "04AABBCCDD"))
    rich = await house.do(authorization.authorize, AuthorizeRequest("CP1", "04AABBCCEE"))
    unknown = await house.do(authorization.authorize, AuthorizeRequest("CP1", "DEADBEEF"))
    assert (poor.status, rich.status, unknown.status) == ("no_credit", "accepted", "invalid")
    assert (await house.wallet(wallet_id)).held == 0


async def test_a_card_may_end_its_own_session_while_its_whole_balance_is_held(house: House) -> None:
    await house.prepaid_card("04AABBCCDD", 5000)
    await house.start("04AABBCCDD")
    verdict = await house.do(authorization.authorize, AuthorizeRequest("CP1", "04AABBCCDD"))
    assert verdict.status == "accepted"


async def test_a_session_is_asked_to_stop_before_the_money_is_gone(house: House) -> None:
    await house.prepaid_card("04AABBCCDD", 1000)
    started = await house.start("04AABBCCDD")
    register, seconds = 0, 0.0
    while (await house.session(started.session_id)).stop_wanted is None:
        await house.meter(started, register, 22000)
        seconds += await house.passing(60)
        register = int(seconds * 22_000 / 3600)
        assert register < 5000, "the stop never came"
    session = await house.session(started.session_id)
    assert session.stop_wanted == "balance_used_up"
    assert 1000 - 2 * 60 <= session.cost <= 1000
    house.later(10)
    await house.stop(started, register + 60, reason="remote")
    ended = await house.session(started.session_id)
    assert ended.reason == "balance_used_up"
    assert ended.cost <= 1000
    assert await house.faults() == []


async def test_what_was_delivered_beyond_the_balance_is_booked_below_zero_and_blocks_the_card(
    house: House,
) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 1000)
    started = await house.start("04AABBCCDD")
    house.later(7200)
    await house.stop(started, 20000)
    assert (await house.wallet(wallet_id)).balance == 1000 - 300 - 2980
    assert (await house.store.read(cards.get, "04AABBCCDD")).status == "blocked"
    assert "below_zero" in [item.kind for item in await house.store.read(review.find)]
    await house.top_up(wallet_id, 5000)
    assert (await house.store.read(cards.get, "04AABBCCDD")).status == "active"
    assert await house.faults() == []


async def test_a_refused_card_gets_a_transaction_and_what_is_delivered_is_reviewed(house: House) -> None:
    answer = await house.start("DEADBEEF")
    assert answer.verdict.status == "invalid"
    assert 0 < int(answer.reference) < 2**31
    house.later(60)
    await house.meter(answer, 500, 11000)
    assert (await house.session(answer.session_id)).stop_wanted == "deauthorized"
    await house.stop(answer, 600)
    assert [item.kind for item in await house.store.read(review.find)] == ["not_allowed"]


async def test_a_refused_start_opens_no_door_and_closes_none_for_the_card(house: House) -> None:
    blocked = NewCard(uid="B10C", kind="prepaid", status="blocked")
    await house.do(cards.create, blocked)
    await house.prepaid_card("04AABBCCDD", 5000)
    await house.start("B10C", "CP2")
    asked = await house.do(authorization.authorize, AuthorizeRequest("CP2", "B10C"))
    assert asked.status == "blocked", "a session that was refused is none that the card may end"
    first = await house.start("04AABBCCDD")
    assert (await house.start("04AABBCCDD", "CP2", 2)).verdict.status == "concurrent"
    house.later(600)
    await house.stop(first, 1000)
    again = await house.start("04AABBCCDD", meter=1000)
    assert again.verdict.status == "accepted", "the charger that was refused never reports an end"


async def test_readings_that_come_late_twice_and_out_of_order_give_the_same_bill(house: House) -> None:
    await house.prepaid_card("04AABBCCDD", 90000)
    started = await house.start("04AABBCCDD")
    moments = [BEGIN + timedelta(minutes=n) for n in range(1, 11)]
    readings = [Reading(at, 100 * n) for n, at in enumerate(moments, 1)]
    for at in (9, 0, 4, 4, 2, 9, 7, 1, 3, 5, 6, 8):
        await house.tell(reporting.readings(("CP1", 1), started.reference, (readings[at],)))
    house.clock.at = BEGIN + timedelta(minutes=11)
    await house.stop(started, 1100)
    points = (await house.store.read(sessions.curve, started.session_id)).points
    assert [point.energy_wh for point in points] == [100 * n for n in range(1, 12)]
    assert (await house.session(started.session_id)).energy_wh == 1100
    assert await house.faults() == []


@pytest.mark.parametrize(
    "start, registers, stop, energy, kinds",
    [
        (0, [910_000, 910_050], 910_083, 83, {"implausible_energy"}),
        (5000, [5500, 5400, 5600], 5700, 700, {"register_went_back"}),
        (5000, [5500, 0, 300], 900, 1400, {"register_went_back", "register_restarted"}),
        (5000, [], 4000, 0, {"register_went_back"}),
        (5000, [6000], None, 1000, {"no_meter_stop"}),
        (-1, [100], 200, 200, {"negative_register"}),
        # kWh called Wh, once and throughout; Wh called kWh, once and throughout.
        (1000, [2], 6000, 5000, {"register_went_back"}),
        (901_000, [902, 903, 904], 906_000, 5000, {"register_went_back", "register_restarted"}),
        (1000, [2_000_000], 6000, 5000, {"implausible_energy"}),
        (1000, [2_000_000, 2_150_000, 2_300_000], 6000, 5000, {"implausible_energy"}),
    ],
)
async def test_energy_is_never_negative_and_never_the_lifetime_counter(  # noqa: PLR0917
    house: House, start: int, registers: list[int], stop: int | None, energy: int, kinds: set[str]
) -> None:
    await house.prepaid_card("04AABBCCDD", 90000)
    started = await house.start("04AABBCCDD", meter=start)
    for register in registers:
        house.later(600)
        await house.meter(started, register)
    house.later(600)
    await house.stop(started, stop)
    assert (await house.session(started.session_id)).energy_wh == energy
    assert {item.kind for item in await house.store.read(review.find)} == kinds
    assert await house.faults() == []


async def test_a_limit_that_is_set_later_does_not_change_what_was_billed(house: House) -> None:
    await house.prepaid_card("04AABBCCDD", 90000)
    started = await house.start("04AABBCCDD")
    house.later(3600)
    await house.stop(started, 50_000)
    await house.do(inventory.update, "CP1", ChargerChange(max_power_w=7000))
    assert (await house.session(started.session_id)).energy_wh == 50_000
    assert await house.faults() == []


async def test_a_charger_without_a_clock_begins_again_within_the_second(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    await house.do(presence.connected, "CP1", "ocpp1.6", "127.0.0.1")
    house.later(120)
    for _ in range(3):
        started = await house.start("04AABBCCDD", told="1970-01-01T00:00:00Z", flags=("clock",))
        assert started.verdict.status == "accepted"
        await house.stop(started, 0)
    assert (await house.wallet(wallet_id)).balance == 5000 - 300


async def test_a_stop_with_a_wrong_transaction_is_matched_only_where_it_is_unique(house: House) -> None:
    await house.prepaid_card("04AABBCCDD", 5000)
    started = await house.start("04AABBCCDD")
    house.later(600)
    at = house.clock.at
    foreign = await house.tell(reporting.end("CP2", started.reference, 1000, at, "04AABBCCDD"))
    assert foreign.session_id is None
    assert (await house.session(started.session_id)).state == "active"
    lost = await house.tell(reporting.end("CP1", "-1", 1000, at))
    assert lost.session_id is None
    matched = await house.tell(reporting.end("CP1", "-1", 1000, at, "04AABBCCDD"))
    assert matched.session_id == started.session_id
    kinds = sorted(item.kind for item in await house.store.read(review.find))
    assert kinds == ["matched_stop", "orphan_stop", "orphan_stop"]


async def test_a_late_stop_corrects_a_session_that_was_closed_here(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    started = await house.start("04AABBCCDD")
    house.later(600)
    await house.meter(started, 1000)
    await house.do(sessions.close, started.session_id)
    assert (await house.wallet(wallet_id)).balance == 5000 - 449
    house.later(600)
    await house.stop(started, 2000)
    assert (await house.wallet(wallet_id)).balance == 5000 - 598
    session = await house.session(started.session_id)
    assert (session.energy_wh, session.closed_by, session.review) == (2000, "charger", "open")
    assert await house.faults() == []


async def test_a_new_start_on_the_connector_ends_the_session_whose_stop_was_lost(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    lost = await house.start("04AABBCCDD")
    house.later(600)
    await house.meter(lost, 1000)
    house.later(600)
    new = await house.start("04AABBCCDD", meter=1000)
    assert new.verdict.status == "accepted"
    assert (await house.session(lost.session_id)).state == "ended"
    assert (await house.wallet(wallet_id)).held == 5000 - 449
    assert await house.faults() == []


async def test_idling_costs_after_the_grace_and_a_pause_of_the_charger_costs_nothing(house: House) -> None:
    await house.prepaid_card("04AABBCCDD", 50000)
    started = await house.start("04AABBCCDD")
    house.later(3600)
    await house.meter(started, 10000)
    await house.do(recording.place_became, "CP1", Place(0, 1), house.clock.at, "paused")
    house.later(3600)
    await house.do(recording.place_became, "CP1", Place(0, 1), house.clock.at, "idle")
    house.later(1800)
    await house.stop(started, 10000)
    session = await house.session(started.session_id)
    assert session.cost == 300 + 1490 + 20 * 10
    assert await house.faults() == []


async def test_a_session_that_begins_while_the_car_asks_for_nothing_idles_once_the_charger_says_so_again(
    house: House,
) -> None:
    await house.prepaid_card("04AABBCCDD", 50000)
    asleep = StatusChange("CP1", Place(0, 1), "suspended_vehicle", house.clock.at)
    await house.do(presence.status_changed, asleep)
    house.later(60)
    started = await house.start("04AABBCCDD")
    await house.do(presence.status_changed, replace(asleep, at=house.clock.at))
    house.later(1800)
    await house.stop(started, 0)
    assert (await house.session(started.session_id)).cost == 300 + 20 * 10


async def test_a_card_whose_money_is_of_another_currency_than_the_price_does_not_charge_for_nothing(
    house: House,
) -> None:
    euros = await house.do(cards.create, NewCard(uid="04EE", kind="prepaid", currency="EUR"))
    await house.top_up(euros.wallet.id, 5000)
    asked = await house.do(authorization.authorize, AuthorizeRequest("CP1", "04EE"))
    assert asked.status == "no_credit"
    assert (await house.start("04EE")).verdict.status == "no_credit"


async def test_a_personal_card_charges_and_nothing_is_booked(house: House) -> None:
    await house.do(cards.create, NewCard(uid="04AABBCCDD", kind="personal"))
    started = await house.start("04AABBCCDD")
    house.later(600)
    await house.stop(started, 3000)
    session = await house.session(started.session_id)
    assert (session.energy_wh, session.cost, session.priced, session.bill) == (3000, 0, False, None)
    assert await house.faults() == []


async def test_a_top_up_with_the_same_key_is_booked_once_and_other_figures_are_refused(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 0)
    first = await house.do(wallets.top_up, TopUp(wallet_id, 5000, "slip-1"))
    again = await house.do(wallets.top_up, TopUp(wallet_id, 5000, "slip-1"))
    assert (first.repeated, again.repeated, again.entry_id) == (False, True, first.entry_id)
    with pytest.raises(Conflict):
        await house.do(wallets.top_up, TopUp(wallet_id, 6000, "slip-1"))
    assert (await house.wallet(wallet_id)).balance == 5000


async def test_verify_finds_a_changed_balance_and_a_changed_entry(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 5000)
    assert await house.faults() == []
    await house.do(
        lambda tx: tx.execute("UPDATE wallets SET balance = balance + 1 WHERE id = ?", (wallet_id,))
    )
    faults = await house.faults()
    assert len(faults) == 1
    assert "5001 is not the sum of its postings 5000" in faults[0]
    await house.do(lambda tx: tx.execute("DROP TRIGGER entries_stay"))
    await house.do(lambda tx: tx.execute("UPDATE entries SET operator = 'x'"))
    assert any("changed after it was booked" in fault for fault in await house.faults())


async def test_a_top_up_during_the_session_lets_it_go_on(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 1000)
    started = await house.start("04AABBCCDD")
    register = 0
    for minute in range(30):
        if minute == 5:
            await house.top_up(wallet_id, 5000)
        house.later(60)
        register += 367
        await house.meter(started, register, 22000)
    session = await house.session(started.session_id)
    assert session.cost > 1000
    assert session.stop_wanted is None
    assert (await house.wallet(wallet_id)).held == 6000
    await house.stop(started, register)
    assert await house.faults() == []


async def test_the_supervisor_stops_a_session_whose_readings_stay_away(house: House) -> None:
    from onprem_csms.services.charging import supervisor

    await house.prepaid_card("04AABBCCDD", 1000)
    started = await house.start("04AABBCCDD")
    house.later(60)
    await house.meter(started, 183, 11000)
    house.later(1400)
    await house.do(supervisor.settle_due)
    assert (await house.session(started.session_id)).stop_wanted is None
    house.later(200)
    await house.do(supervisor.settle_due)
    assert (await house.session(started.session_id)).stop_wanted == "balance_used_up"


async def test_a_refused_start_that_delivers_nothing_pays_no_start_fee(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 200)
    refused = await house.start("04AABBCCDD")
    assert refused.verdict.status == "no_credit"
    house.later(5)
    await house.stop(refused, 0)
    assert (await house.wallet(wallet_id)).balance == 200
    assert (await house.session(refused.session_id)).cost == 0
    assert await house.faults() == []


async def test_the_answer_to_a_start_names_the_group_whose_members_may_stop_it(house: House) -> None:
    for uid in ("04AABBCCDD", "04AABBCCEE"):
        await house.do(cards.create, NewCard(uid=uid, kind="personal", group="FLEET"))
    started = await house.start("04AABBCCDD")
    assert started.verdict.group == "FLEET"
    member = await house.do(authorization.authorize, AuthorizeRequest("CP1", "04AABBCCEE"))
    assert (member.status, member.group) == ("accepted", "FLEET")
    await house.stop(started, 100, uid="04AABBCCEE")
    assert (await house.session(started.session_id)).state == "ended"


async def test_a_reservation_ends_by_itself_when_its_time_is_over(house: House) -> None:
    from onprem_csms.services.charging import reservations, supervisor
    from onprem_csms.services.charging.reservations import NewReservation

    until = BEGIN + timedelta(minutes=10)
    await house.do(reservations.made, NewReservation("CP1", 7, Place(0, 1), "04AABBCCDD", until))
    house.later(599)
    assert not await house.store.read(supervisor.is_due)
    house.later(1)
    assert await house.store.read(supervisor.is_due)
    await house.do(supervisor.settle_due)
    assert (await house.store.read(reservations.get, "CP1", 7)).status == "expired"


async def test_stops_of_many_chargers_that_cannot_be_reached_keep_no_other_from_its_turn(
    house: House,
) -> None:
    from onprem_csms.services.charging import prepaid, stopping

    def want(tx: Tx, session_id: int) -> None:
        session = session_rows.get(tx, session_id)
        assert session is not None
        prepaid.want_stop(tx, session, "balance_used_up")

    await house.do(cards.create, NewCard(uid="04AABBCC", kind="personal"))
    for connector in range(1, 131):
        started = await house.start("04AABBCC", connector=connector)
        await house.do(want, started.session_id)
        house.later(1)
    assert len(await house.store.read(stopping.due)) == 130
