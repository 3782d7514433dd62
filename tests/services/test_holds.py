"""What a session sets aside: all of a balance, or as much as needed, so that two cars charge at once."""

from dataclasses import replace
from typing import Any

import pytest

from onprem_csms.db.engine.connection import RuleError
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.money.holds import TRANSITIONS, after
from onprem_csms.errors import Conflict, Invalid
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.money import holds
from tests.services.conftest import House

VAN, TRUCK = "04AA000001", "04AA000002"


async def company(house: House, amount: int, policy: str = "as_needed") -> int:
    """One balance that pays for two cards."""
    wallet_id = await house.prepaid_card(VAN, amount)
    await house.do(cards.create, NewCard(uid=TRUCK, kind="prepaid", wallet_id=wallet_id))
    await house.do(holds.set_policy, wallet_id, policy)
    return wallet_id


async def drive(house: House, minutes: int, *running: tuple[Any, str]) -> None:
    """Let sessions draw 11 kW with a reading a minute."""
    for minute in range(1, minutes + 1):
        await house.passing(60)
        for started, charger in running:
            if (await house.session(started.session_id)).state == "active":
                await house.meter(started, minute * 183, 11_000, charger)


async def test_by_default_one_session_has_the_whole_balance(house: House) -> None:
    wallet_id = await company(house, 10_000, policy="")
    first = await house.start(VAN)
    assert (await house.wallet(wallet_id)).held == 10_000
    second = await house.start(TRUCK, "CP2")
    assert (first.verdict.status, second.verdict.status) == ("accepted", "no_credit")


async def test_two_cars_of_a_company_charge_at_once_and_their_holds_grow(house: House) -> None:
    wallet_id = await company(house, 10_000)
    first, second = await house.start(VAN), await house.start(TRUCK, "CP2")
    assert (first.verdict.status, second.verdict.status) == ("accepted", "accepted")
    assert (await house.wallet(wallet_id)).held == 2_600, "the start fee and a step, twice"
    await drive(house, 60, (first, "CP1"), (second, "CP2"))
    assert (await house.wallet(wallet_id)).held > 2_600
    for started, charger in ((first, "CP1"), (second, "CP2")):
        assert (await house.session(started.session_id)).stop_wanted is None
        await house.stop(started, 10_980, charger)
    found = await house.wallet(wallet_id)
    assert (found.held, found.balance) == (0, 10_000 - 2 * (300 + 1_636))
    assert await house.faults() == []


async def test_two_cars_together_never_spend_more_than_there_is(house: House) -> None:
    wallet_id = await company(house, 4_000)
    running = [(await house.start(VAN), "CP1"), (await house.start(TRUCK, "CP2"), "CP2")]
    ended: set[int] = set()
    seconds = 0.0
    while len(ended) < 2 and seconds < 3 * 3600:
        seconds += await house.passing(60)
        for started, charger in running:
            if started.session_id in ended:
                continue
            await house.meter(started, int(seconds * 11_000 / 3600), 11_000, charger)
            if (await house.session(started.session_id)).stop_wanted:
                await house.stop(started, int(seconds * 11_000 / 3600), charger)
                ended.add(started.session_id)
        found = await house.wallet(wallet_id)
        assert found.held <= found.balance
    assert len(ended) == 2
    assert 0 <= (await house.wallet(wallet_id)).balance < 100
    assert await house.faults() == []


async def test_holds_shrink_when_another_session_cost_more_than_it_held(house: House) -> None:
    wallet_id = await company(house, 3_000)
    first, second = await house.start(VAN), await house.start(TRUCK, "CP2")
    house.later(3_600)
    await house.stop(first, 13_000)  # 300 + 1937: more than it held, told at the end only
    found = await house.wallet(wallet_id)
    assert found.held <= found.balance
    await house.meter(second, 183, 11_000, "CP2")
    await house.stop(second, 200, "CP2")
    assert await house.faults() == []


async def test_a_hold_ends_exactly_once(house: House) -> None:
    wallet_id = await house.prepaid_card(VAN, 1_000)
    hold_id = await house.do(holds.hold, wallet_id, 700, "test")
    with pytest.raises(RuleError):
        await house.do(holds.hold, wallet_id, 1, "test")
    with pytest.raises(Conflict):
        await house.do(holds.hold, wallet_id, 301, "other")
    assert await house.do(holds.held_amount, hold_id) == 700
    assert await house.do(holds.capture, hold_id, 500)
    assert not await house.do(holds.capture, hold_id, 500)
    assert not await house.do(holds.release, hold_id)
    assert await house.do(holds.extend, hold_id) == 0
    assert await house.do(holds.held_amount, hold_id) == 0
    assert (await house.wallet(wallet_id)).held == 0


async def test_a_hold_that_a_failed_write_made_is_not_remembered(house: House) -> None:
    wallet_id = await house.prepaid_card(VAN, 1_000)

    def hold_and_fail(tx: Tx) -> None:
        holds.hold(tx, wallet_id, 1_000, "never")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await house.do(hold_and_fail)
    assert (await house.do(holds.hold, wallet_id, 1_000, "then")) == 1


async def test_the_policy_is_the_wallet_s_else_the_site_s(house: House) -> None:
    wallet_id = await house.prepaid_card(VAN, 1_000)
    assert await house.do(holds.policy_of, wallet_id) == "all"
    prepaid = replace(house.store.settings.prepaid, hold_policy="as_needed")
    house.store.settings = replace(house.store.settings, prepaid=prepaid)
    assert await house.do(holds.policy_of, wallet_id) == "as_needed"
    await house.do(holds.set_policy, wallet_id, "all")
    assert await house.do(holds.policy_of, wallet_id) == "all"
    with pytest.raises(Invalid):
        await house.do(holds.set_policy, wallet_id, "some")


def test_nothing_happens_to_a_hold_that_has_ended() -> None:
    ended = {state for state in TRANSITIONS.values() if state != "held"}
    assert ended == {"captured", "released"}
    assert all(after(state, event) is None for state in ended for _, event in TRANSITIONS)
