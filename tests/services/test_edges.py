"""The exact edge of each rule that money hangs on: just inside, just outside.

Each of these tests kills a change of one line that others let pass; ``tests/mutants.toml`` says which.
"""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from onprem_csms.db.access import operators as operator_rows
from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import holds as hold_rows
from onprem_csms.domain.access.tries import RULES, Rule, Trying
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import AuthorizeRequest
from onprem_csms.domain.money import vat
from onprem_csms.domain.money.money import round_half_up
from onprem_csms.errors import Conflict, Forbidden, Invalid
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import NewOperator
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import authorization, orders, review, sessions, supervisor
from onprem_csms.services.charging.orders import OrderRequest
from onprem_csms.services.core import logins, tries
from onprem_csms.services.core.logins import Owner
from onprem_csms.services.money import holds
from onprem_csms.services.site import reports as site_reports
from tests import reporting
from tests.services.conftest import BEGIN, House

UID = "04AABBCCDD"


def slug(tx: Tx, charger_id: str) -> str:
    """The code of a charger's first connector."""
    inventory.ensure_connector(tx, charger_id, Place(0, 1))
    return next(one.slug for one in inventory.get(tx, charger_id).connectors if one.slug)


async def order(house: House, amount: int | None, charger_id: str = "CP1") -> orders.Order:
    """Order at a charger that is connected; the money is set aside."""
    card = await house.do(cards.get, UID)
    code = await house.do(slug, charger_id)
    request = OrderRequest(code, card.id, amount, f"order-{charger_id}-{amount}-{house.clock.at}")
    placed: tuple[orders.Order, bool] = await house.do(orders._hold, request, True)
    return placed[0]


def exhausts(tx: Tx, session_id: int) -> int:
    """When a session's money is foreseen to be gone, UTC ms."""
    row = session_rows.get(tx, session_id)
    assert row is not None
    assert row.exhausts is not None
    return row.exhausts


# ---------------------------------------------------------------------- prepaid


def with_latency(house: House, seconds: int) -> None:
    settings = house.store.settings
    prepaid = replace(settings.prepaid, stop_latency_s=seconds)
    house.store.settings = replace(settings, prepaid=prepaid)


async def cost_when_stopped(house: House, charger_id: str, uid: str) -> int:
    """Charge 22 kW with a reading each minute until the stop is wanted; what it cost by then."""
    await house.prepaid_card(uid, 2_000)
    started, register = await house.start(uid, charger_id), 0
    while (await house.session(started.session_id)).stop_wanted is None:
        house.later(60)
        register += 367
        await house.meter(started, register, 22_000, charger_id)
        assert register < 20_000, "the stop never came"
    return (await house.session(started.session_id)).cost


async def test_a_charger_that_is_slow_to_stop_is_told_earlier_by_as_much(house: House) -> None:
    with_latency(house, 0)
    at_once = await cost_when_stopped(house, "CP1", UID)
    with_latency(house, 300)
    five_minutes_late = await cost_when_stopped(house, "CP2", "04AABBCCEE")
    price_of_five_minutes = 149 * 22 * 300 // 3_600
    assert at_once - five_minutes_late >= price_of_five_minutes - 55, "but a minute's reading"


async def test_a_card_with_exactly_the_price_of_starting_does_not_start(house: House) -> None:
    await house.prepaid_card(UID, 300)
    await house.prepaid_card("04AABBCCEE", 301)
    assert (await house.start(UID)).verdict.status == "no_credit"
    assert (await house.start("04AABBCCEE", "CP2")).verdict.status == "accepted"


async def test_an_order_takes_all_that_is_available_and_not_one_forint_more(house: House) -> None:
    wallet_id = await house.prepaid_card(UID, 5_000)
    for too_much_or_little, error in ((5_001, Conflict), (300, Invalid), (0, Invalid)):
        with pytest.raises(error):
            await order(house, too_much_or_little)
    assert (await order(house, 5_000)).amount == 5_000
    assert (await house.wallet(wallet_id)).held == 5_000
    with pytest.raises(Conflict):
        await house.do(holds.hold, wallet_id, 1, "one more")


async def test_an_order_needs_more_than_the_price_of_starting(house: House) -> None:
    await house.prepaid_card(UID, 300)
    with pytest.raises(Conflict, match="not enough"):
        await order(house, None)


async def test_an_order_of_a_little_more_than_the_price_of_starting_is_taken(house: House) -> None:
    await house.prepaid_card(UID, 301)
    assert (await order(house, 301)).amount == 301


async def test_a_card_has_expired_at_the_moment_of_its_expiry_and_not_before(house: House) -> None:
    at = BEGIN + timedelta(hours=1)
    await house.do(cards.create, NewCard(uid=UID, kind="personal", expires_at=at))
    house.clock.at = at - timedelta(milliseconds=1)
    asked = AuthorizeRequest("CP1", UID)
    assert (await house.do(authorization.authorize, asked)).status == "accepted"
    house.clock.at = at
    assert (await house.do(authorization.authorize, asked)).status == "expired"
    assert (await house.start(UID)).verdict.status == "expired"


async def test_an_order_costs_what_its_driver_chose_whatever_is_topped_up_meanwhile(house: House) -> None:
    wallet_id = await house.prepaid_card(UID, 5_000)
    await order(house, 1_000)
    started, register = await house.start(UID), 0
    await house.top_up(wallet_id, 10_000)
    while (await house.session(started.session_id)).stop_wanted is None:
        house.later(60)
        register += 367
        await house.meter(started, register, 22_000)
        assert register < 6_000, "it spends more than was ordered"
        assert (await house.wallet(wallet_id)).held == 1_000


async def test_an_order_whose_readings_stay_away_is_stopped_at_what_its_driver_chose(house: House) -> None:
    wallet_id = await house.prepaid_card(UID, 5_000)
    await order(house, 1_000)
    started = await house.start(UID)
    house.later(60)
    await house.meter(started, 183, 11_000)
    await house.top_up(wallet_id, 10_000)
    house.later(3_600)
    await house.do(supervisor.settle_due)
    assert (await house.session(started.session_id)).stop_wanted == "balance_used_up"
    assert (await house.wallet(wallet_id)).held == 1_000


async def test_a_restart_gives_back_what_was_never_sent_and_nothing_that_was(house: House) -> None:
    wallet_id = await house.prepaid_card(UID, 5_000)
    never_sent = await order(house, 1_000)
    sent = await order(house, 2_000, "CP2")
    assert await house.do(orders._move, sent.id, "sent", "")
    assert await house.do(orders.recover) == [never_sent.id]
    assert (await house.wallet(wallet_id)).held == 2_000
    assert (await house.do(order_rows.get, sent.id)).status == "sent"


async def test_a_hold_never_gives_more_than_was_held(house: House) -> None:
    wallet_id = await house.prepaid_card(UID, 5_000)
    hold_id = await house.do(holds.hold, wallet_id, 1_000, "a session")
    assert await house.do(holds.capture, hold_id, 1_500)
    assert (await house.do(hold_rows.get, hold_id)).captured == 1_000
    assert (await house.wallet(wallet_id)).held == 0


@pytest.mark.parametrize("missing,status", [(1, "blocked"), (0, "active")])
async def test_a_card_below_zero_works_again_once_nothing_is_owed_any_more(
    house: House, missing: int, status: str
) -> None:
    wallet_id = await house.prepaid_card(UID, 1_000)
    started = await house.start(UID)
    house.later(7_200)
    await house.stop(started, 20_000)
    owed = -(await house.wallet(wallet_id)).balance
    assert owed > 0
    await house.top_up(wallet_id, owed - missing)
    assert (await house.store.read(cards.get, UID)).status == status


# ---------------------------------------------------------------------- starts, stops, registers


async def test_two_starts_of_one_second_with_other_registers_are_two_sessions(house: House) -> None:
    await house.do(cards.create, NewCard(uid=UID, kind="personal"))
    first = await house.start(UID, meter=1_000)
    second = await house.start(UID, meter=8_000)
    assert first.session_id != second.session_id


async def test_a_start_of_before_the_running_session_ends_nothing(house: House) -> None:
    await house.do(cards.create, NewCard(uid=UID, kind="personal"))
    await house.do(cards.create, NewCard(uid="04AABBCCEE", kind="personal"))
    house.later(3_600)
    running = await house.start(UID, meter=5_000)
    house.later(60)
    await house.tell(
        reporting.begin(("CP1", 1), "04AABBCCEE", 1_000, house.clock.at - timedelta(seconds=1_800))
    )
    assert (await house.session(running.session_id)).state == "active"


async def test_a_stop_that_may_mean_either_of_two_sessions_ends_neither(house: House) -> None:
    await house.do(cards.create, NewCard(uid=UID, kind="personal"))
    running = [await house.start(UID, connector=number) for number in (1, 2)]
    house.later(600)
    await house.tell(reporting.end("CP1", "999", 1_000, house.clock.at, UID))
    assert [(await house.session(one.session_id)).state for one in running] == ["active", "active"]
    assert "orphan_stop" in [item.kind for item in await house.store.read(review.find)]


async def test_a_register_below_zero_among_readings_changes_nothing_and_is_said(house: House) -> None:
    await house.do(cards.create, NewCard(uid=UID, kind="personal"))
    started = await house.start(UID, meter=1_000)
    for register in (1_500, -3, 1_600):
        house.later(60)
        await house.meter(started, register)
    house.later(60)
    await house.stop(started, 1_700)
    assert (await house.session(started.session_id)).energy_wh == 700
    kinds = {item.kind for item in await house.store.read(review.find)}
    assert kinds == {"negative_register"}


# ---------------------------------------------------------------------- sign-ins and tries


async def test_using_a_sign_in_prolongs_it_up_to_its_longest_and_no_further(house: House) -> None:
    operator_id = await operators.add(house.store, NewOperator("Anna", "a long sentence of Anna"))
    secret = await house.do(logins.begin, Owner("operator", operator_id))
    for _ in range(20):
        house.later(8 * 3_600)
        await house.do(logins.prolong, secret)
        assert await house.store.read(logins.find, secret) is not None
    house.later(8 * 3_600 - 1)
    await house.do(logins.prolong, secret)
    assert await house.store.read(logins.find, secret) is not None, "seven days are not over"
    house.later(1)
    assert await house.store.read(logins.find, secret) is None


async def test_an_operator_who_is_disabled_is_out_at_once_and_stays_out_when_enabled_again(
    house: House,
) -> None:
    for name in ("Anna", "Béla"):
        await operators.add(house.store, NewOperator(name, f"a long sentence of {name}"))
    anna = await house.store.read(operators.by_name, "Anna")
    secret = await house.do(logins.begin, Owner("operator", anna.id))
    assert await house.store.read(operators.signed_in, secret) is not None
    await house.do(operators.disable, anna.id)
    assert await house.store.read(operators.signed_in, secret) is None
    await house.do(operators.enable, anna.id)
    assert await house.store.read(operators.signed_in, secret) is None


async def test_a_sign_in_that_is_finished_after_its_operator_was_disabled_counts_for_nothing(
    house: House,
) -> None:
    operator_id = await operators.add(house.store, NewOperator("Anna", "a long sentence of Anna"))

    def disabled_first(tx: Tx) -> str:
        operator_rows.set_disabled(tx, operator_id, disabled=True)
        return logins.begin(tx, Owner("operator", operator_id))

    assert await house.store.read(operators.signed_in, await house.do(disabled_first)) is None


async def test_exactly_as_many_tries_as_allowed_are_looked_at(house: House) -> None:
    trying = Trying("operator", "anna", "10.0.0.1")
    burst, refill = RULES["operator"]["pair"]
    for _ in range(burst):
        await house.do(tries.begin, trying)
    with pytest.raises(Forbidden):
        await house.do(tries.begin, trying)
    house.later(refill - 0.001)
    with pytest.raises(Forbidden):
        await house.do(tries.begin, trying)
    house.later(0.001)
    await house.do(tries.begin, trying)
    with pytest.raises(Forbidden):
        await house.do(tries.begin, trying)


def test_a_rule_of_one_try_lets_one_through() -> None:
    rule = Rule(1, 10)
    assert rule.wait_ms(0, 1_000) == 0
    assert rule.wait_ms(rule.spend(0, 1_000), 1_000) == 10_000


# ---------------------------------------------------------------------- money and days


@pytest.mark.parametrize("gross", [1, 2, 3, 5, 127, 1_000, 1_358, 9_999])
def test_the_vat_within_a_sum_is_rounded_half_up(gross: int) -> None:
    assert vat.included(gross, Fraction(27)) == round_half_up(Fraction(gross * 27, 127))
    exact = Fraction(gross * 27, 127)
    assert abs(vat.included(gross, Fraction(27)) - exact) <= Fraction(1, 2)


async def test_the_vat_of_a_bill_is_rounded_half_up(house: House) -> None:
    wallet_id = await house.prepaid_card(UID, 50_000)
    meter = 0
    for energy in (2_000, 3_000, 5_000, 7_000, 9_000):
        started = await house.start(UID, meter=meter)
        house.later(3_600)
        meter += energy
        await house.stop(started, meter)
        house.later(600)
        bill = (await house.session(started.session_id)).bill
        assert bill is not None
        assert abs(bill["vat"] - Fraction(bill["gross"] * 27, 127)) <= Fraction(1, 2)
    assert (await house.wallet(wallet_id)).held == 0
    assert await house.faults() == []


async def test_a_session_after_local_midnight_belongs_to_the_new_day(house: House) -> None:
    await house.do(cards.create, NewCard(uid=UID, kind="personal"))
    # Half past midnight of 23 November in Budapest is still the 22nd in UTC.
    house.clock.at = BEGIN.replace(hour=22, minute=30)
    started = await house.start(UID)
    house.later(3_600)
    await house.stop(started, 1_000)
    days = {day: await house.store.read(site_reports.day_figures, date(2026, 11, day)) for day in (22, 23)}
    assert (days[22].sessions, days[23].sessions) == (0, 1)
    assert await house.store.read(site_reports.local_day) == date(2026, 11, 23)
    assert (await house.store.read(sessions.get, started.session_id)).energy_wh == 1_000
