"""Bills beyond what can be wait for a person, who books them; later corrections are new entries."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from onprem_csms.domain.chargers.chargers import Boot, ChargerChange
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.errors import Conflict, Invalid
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import corrections, doubts, presence, review
from onprem_csms.services.charging.corrections import Decision
from onprem_csms.services.money import ledger, tariffs
from tests.services.conftest import BEGIN, House, Started
from tests.services.test_vat_and_refunds import accounts

CARD, OTHER = "04AABBCCDD", "04BBCCDDEE"


def bounds(house: House, **changed: Any) -> None:
    """Set above what a bill waits."""
    settings = house.store.settings
    house.store.settings = replace(settings, sessions=replace(settings.sessions, **changed))


async def kinds(house: House) -> set[str]:
    return {item.kind for item in await house.store.read(review.find)}


async def waiting(house: House, wh: int = 60_000) -> Started:
    """Let a session of more energy than is usual here end."""
    bounds(house, wait_above_wh=50_000)
    started = await house.start(CARD)
    house.later(3_600)
    await house.stop(started, wh)
    return started


async def decide(house: House, started: Started, **what: Any) -> None:
    await house.do(
        corrections.decide, started.session_id, Decision(**{"reason": "the meter was read", **what})
    )


@pytest.mark.parametrize(
    "bound, wh, seconds, because",
    [
        ({"wait_above_wh": 9_999}, 10_000, 3_600, "energy"),
        ({"wait_above_s": 3_599}, 10_000, 3_600, "duration"),
        ({"wait_above": 1_789}, 10_000, 3_600, "sum"),
        ({}, 90_000, 60, "power"),
    ],
)
async def test_a_bill_above_a_bound_waits_with_its_hold_and_books_nothing(
    house: House, bound: dict[str, int], wh: int, seconds: int, because: str
) -> None:
    wallet_id = await house.prepaid_card(CARD, 90_000)
    bounds(house, **bound)
    started = await house.start(CARD)
    house.later(seconds)
    await house.stop(started, wh)
    session, wallet = await house.session(started.session_id), await house.wallet(wallet_id)
    assert (session.state, session.cost, session.bill) == ("waiting", 0, None)
    assert (wallet.balance, wallet.held) == (90_000, 90_000)
    items = [item for item in await house.store.read(review.find) if item.kind == "waits"]
    assert [item.detail["because"] for item in items] == [[because]]
    assert await house.faults() == []


@pytest.mark.parametrize(
    "bound, wh, seconds",
    [
        ({"wait_above_wh": 10_000}, 10_000, 3_600),
        ({"wait_above_s": 3_600}, 10_000, 3_600),
        ({"wait_above": 1_790}, 10_000, 3_600),
        ({"wait_above_wh": 0, "wait_above_s": 0, "wait_above": 0}, 300_000, 9 * 86_400),
    ],
)
async def test_a_bill_at_its_bound_is_booked_by_itself(
    house: House, bound: dict[str, int], wh: int, seconds: int
) -> None:
    await house.prepaid_card(CARD, 90_000)
    bounds(house, **bound)
    started = await house.start(CARD)
    house.later(seconds)
    await house.stop(started, wh)
    assert (await house.session(started.session_id)).state == "ended"


async def test_a_person_books_a_bill_that_waits_and_its_hold_is_captured(house: House) -> None:
    wallet_id = await house.prepaid_card(CARD, 90_000)
    started = await waiting(house)
    await decide(house, started, meter_stop_wh=6_000)
    session, wallet = await house.session(started.session_id), await house.wallet(wallet_id)
    assert (session.state, session.closed_by, session.energy_wh, session.cost) == (
        "ended",
        "operator",
        6_000,
        1_194,
    )
    assert (wallet.balance, wallet.held) == (90_000 - 1_194, 0)
    assert "waits" not in await kinds(house)
    entries = await house.store.read(ledger.of_session, started.session_id)
    assert [(entry.kind, entry.document["decided"]) for entry in entries] == [
        ("charge", "the meter was read")
    ]
    assert await house.faults() == []


async def test_what_waits_is_booked_as_it_stands_where_nothing_is_changed(house: House) -> None:
    await house.prepaid_card(CARD, 90_000)
    started = await waiting(house)
    await decide(house, started)
    assert (await house.session(started.session_id)).cost == 300 + 8_940
    assert await house.faults() == []


async def test_corrections_are_new_entries_as_many_as_needed_with_reason_and_vat(house: House) -> None:
    wallet_id = await house.prepaid_card(CARD, 90_000)
    started = await house.start(CARD)
    house.later(3_600)
    await house.stop(started, 10_000)
    for wh, reason in ((8_000, "one"), (12_000, "two"), (12_000, "two"), (0, "three"), (10_000, "four")):
        await decide(house, started, meter_stop_wh=wh, reason=reason)
    entries = await house.store.read(ledger.of_session, started.session_id)
    assert [(entry.kind, -entry.amount) for entry in entries] == [
        ("charge", 1_790),
        ("correction", -298),
        ("correction", 596),
        ("correction", -1_788),
        ("correction", 1_490),
    ]
    assert [entry.document["reason"] for entry in entries[1:]] == ["one", "two", "three", "four"]
    past = await house.store.read(corrections.of_session, started.session_id)
    assert [(one.reason, one.actor, one.before["cost"], one.after["cost"]) for one in past] == [
        ("one", "system", 1_790, 1_492),
        ("two", "system", 1_492, 2_088),
        ("three", "system", 2_088, 300),
        ("four", "system", 300, 1_790),
    ]
    assert (await house.wallet(wallet_id)).balance == 90_000 - 1_790
    assert await accounts(house) == {"cash": -90_000, "vat": 381, "revenue": 1_409}
    assert await house.faults() == []


async def test_the_delivered_energy_of_a_refused_card_is_corrected_too(house: House) -> None:
    wallet_id = await house.prepaid_card(CARD, 0)
    started = await house.start(CARD)
    assert started.verdict.status == "no_credit"
    house.later(3_600)
    await house.stop(started, 5_000)
    assert (await house.wallet(wallet_id)).balance == -1_045
    await decide(house, started, meter_stop_wh=2_000)
    assert (await house.wallet(wallet_id)).balance == -598
    await decide(house, started, meter_stop_wh=0)
    assert (await house.wallet(wallet_id)).balance == 0, "what was refused and got nothing owes nothing"
    await decide(house, started, meter_stop_wh=5_000)
    assert (await house.wallet(wallet_id)).balance == -1_045
    assert await house.faults() == []


@pytest.mark.parametrize("waits", [True, False])
async def test_another_payer_pays_and_the_first_one_has_all_of_it_back(house: House, waits: bool) -> None:
    first, second = await house.prepaid_card(CARD, 20_000), await house.prepaid_card(OTHER, 20_000)
    if not waits:
        started = await house.start(CARD)
        house.later(3_600)
        await house.stop(started, 10_000)
    else:
        started = await waiting(house)
    await decide(house, started, wallet_id=second, meter_stop_wh=10_000)
    one, two = await house.wallet(first), await house.wallet(second)
    assert (one.balance, one.held) == (20_000, 0)
    assert (two.balance, two.held) == (20_000 - 1_790, 0)
    await decide(house, started, wallet_id=second, meter_stop_wh=5_000)
    assert (await house.wallet(second)).balance == 20_000 - 1_045
    await decide(house, started, wallet_id=0)
    assert (await house.wallet(second)).balance == 20_000, "nobody pays"
    assert await house.faults() == []


async def test_another_tariff_and_other_times_are_priced_from_the_readings(house: House) -> None:
    await house.prepaid_card(CARD, 90_000)
    other = await house.do(tariffs.create, simple_tariff("By the minute", "HUF", per_minute="5"))
    started = await house.start(CARD)
    house.later(3_600)
    await house.meter(started, 4_000, 4_000)
    house.later(3_600)
    await house.stop(started, 10_000)
    await decide(house, started, tariff_id=other.id, ended_at=BEGIN + timedelta(minutes=90))
    session = await house.session(started.session_id)
    assert (session.energy_wh, session.cost, session.ended_at) == (10_000, 450, BEGIN + timedelta(minutes=90))
    await decide(house, started, tariff_id=0)
    assert (await house.session(started.session_id)).cost == 0
    assert await house.faults() == []


@pytest.mark.parametrize(
    "what, path",
    [
        ({"reason": "  "}, "reason"),
        ({"meter_start_wh": 9_000, "meter_stop_wh": 8_999}, "meter_stop_wh"),
        ({"meter_start_wh": -1}, "meter_start_wh"),
        ({"ended_at": BEGIN - timedelta(seconds=1)}, "ended_at"),
        ({"ended_at": BEGIN + timedelta(days=3)}, "ended_at"),
        ({"wallet_id": 0, "tariff_id": 1}, "wallet"),
    ],
)
async def test_what_can_not_be_is_not_booked(house: House, what: dict[str, Any], path: str) -> None:
    wallet_id = await house.prepaid_card(CARD, 90_000)
    started = await waiting(house)
    with pytest.raises(Invalid) as refused:
        await decide(house, started, **what)
    assert refused.value.path == path
    wallet = await house.wallet(wallet_id)
    assert (wallet.balance, wallet.held) == (90_000, 90_000)


async def test_a_running_session_is_decided_by_nobody(house: House) -> None:
    await house.prepaid_card(CARD, 5_000)
    started = await house.start(CARD)
    with pytest.raises(Conflict):
        await decide(house, started)


async def test_after_a_decision_the_charger_changes_nothing_any_more(house: House) -> None:
    await house.prepaid_card(CARD, 90_000)
    bounds(house, free_grace_s=60)
    started = await house.start(CARD)
    await house.do(presence.booted, _boot())
    house.later(3_600)
    await house.do(doubts.settle_due)
    await decide(house, started, meter_stop_wh=2_000)
    await house.meter(started, 7_000, 7_000)
    await house.stop(started, 9_000)
    session = await house.session(started.session_id)
    assert (session.state, session.energy_wh, session.cost) == ("ended", 2_000, 598)
    assert "second_stop" in await kinds(house)
    assert await house.faults() == []


async def test_a_session_closed_here_that_waits_is_booked_by_a_late_end_that_is_plausible(
    house: House,
) -> None:
    wallet_id = await house.prepaid_card(CARD, 90_000)
    bounds(house, wait_above_wh=5_000, reboot_grace_s=60)
    started = await house.start(CARD)
    house.later(3_600)
    await house.meter(started, 6_000, 6_000)
    await house.do(presence.booted, _boot())
    house.later(3_600)
    await house.do(doubts.settle_due)
    assert (await house.session(started.session_id)).state == "waiting"
    bounds(house, wait_above_wh=50_000)
    await house.stop(started, 7_000)
    session, wallet = await house.session(started.session_id), await house.wallet(wallet_id)
    assert (session.state, session.cost) == ("ended", 1_343)
    assert (wallet.balance, wallet.held) == (90_000 - 1_343, 0)
    assert "waits" not in await kinds(house)
    assert await house.faults() == []


async def test_a_session_that_waits_and_goes_on_runs_again_on_its_hold(house: House) -> None:
    wallet_id = await house.prepaid_card(CARD, 90_000)
    bounds(house, wait_above_wh=5_000, reboot_grace_s=60)
    started = await house.start(CARD)
    house.later(3_600)
    await house.meter(started, 6_000, 6_000)
    await house.do(presence.booted, _boot())
    house.later(3_600)
    await house.do(doubts.settle_due)
    await house.meter(started, 12_000, 6_000)
    assert (await house.session(started.session_id)).state == "active"
    wallet = await house.wallet(wallet_id)
    assert (wallet.balance, wallet.held) == (90_000, 90_000)
    bounds(house, wait_above_wh=50_000)
    await house.stop(started, 12_000)
    wallet = await house.wallet(wallet_id)
    assert (wallet.balance, wallet.held) == (90_000 - 2_088, 0)
    assert await house.faults() == []


def _boot() -> Boot:
    return Boot("CP1", "Maker", "Model", "", "", {})


@pytest.mark.parametrize(
    "per_minute, connected_s, state", [("5", 0, "waiting"), ("5", 120, "ended"), ("0", 0, "ended")]
)
async def test_a_bill_by_time_waits_after_a_wrong_clock_unless_it_was_told_at_once(
    house: House, per_minute: str, connected_s: int, state: str
) -> None:
    await house.prepaid_card(CARD, 90_000)
    timed = await house.do(
        tariffs.create, simple_tariff("Timed", "HUF", per_kwh="100", per_minute=per_minute)
    )
    await house.do(inventory.update, "CP1", ChargerChange(tariff_id=timed.id))
    await house.do(presence.connected, "CP1", "ocpp1.6", "127.0.0.1")
    house.later(connected_s)
    started = await house.start(CARD, told="1970-01-01T00:00:00Z", flags=("clock",))
    house.later(3_600)
    await house.stop(started, 7_000)
    assert (await house.session(started.session_id)).state == state
    assert await house.faults() == []
