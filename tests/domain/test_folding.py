"""A session folded from its facts: whatever the order of arrival and the repetitions, one energy and one bill."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onprem_csms.domain.charging import folding
from onprem_csms.domain.charging.facts import Fact
from onprem_csms.domain.charging.folding import Terms
from onprem_csms.domain.charging.metering import Limit
from onprem_csms.domain.money import pricing
from onprem_csms.domain.money.tariffs import simple_tariff

TARIFF = simple_tariff(
    "Standard",
    "HUF",
    start_fee="300",
    per_kwh="149",
    idle_per_minute="10",
    idle_grace_minutes=10,
    vat_percent="27",
    timezone="Europe/Budapest",
)
BEGAN = 1_795_000_000_000
MINUTE = 60_000
TERMS = Terms(BEGAN, 1_000, Limit(BEGAN, 400_000, 100_000), TARIFF)
FACTS = st.lists(
    st.builds(
        Fact,
        st.integers(-2, 40).map(lambda minute: BEGAN + minute * MINUTE),
        st.none() | st.integers(-5, 3_000_000),
        st.none() | st.integers(0, 400_000),
        soc_percent=st.none() | st.integers(0, 100),
        activity=st.none() | st.sampled_from(["charging", "idle", "paused"]),
    ),
    max_size=25,
)


def at(minute: float) -> int:
    return BEGAN + int(minute * MINUTE)


@given(FACTS, st.randoms(use_true_random=False), st.none() | st.integers(0, 3_000_000))
@settings(max_examples=200, deadline=None)
def test_any_order_of_arrival_and_any_repetition_give_the_same_session(
    facts: list[Fact], order: random.Random, stop_wh: int | None
) -> None:
    straight = folding.fold(TERMS, facts)
    arrived = [*facts, *order.sample(facts, order.randint(0, len(facts)))]
    order.shuffle(arrived)
    folded, kept = folding.begin(TERMS), list[Fact]()
    for fact in arrived:
        kept.append(fact)
        folded = folding.add(folded, fact, TERMS) or folding.fold(TERMS, kept)
    assert folded.state._replace(interval_ms=0) == straight.state._replace(interval_ms=0)
    one = folding.ended(TERMS, facts, at(41), stop_wh)
    other = folding.ended(TERMS, arrived, at(41), stop_wh)
    assert one == other
    assert one.running is not None
    assert pricing.bill(one.running).energy_wh == one.energy_wh


@given(FACTS, st.integers(0, 3_000_000))
@settings(max_examples=200, deadline=None)
def test_energy_is_never_negative_and_never_above_what_the_connector_delivers(
    facts: list[Fact], stop_wh: int
) -> None:
    limit = Limit(BEGAN, 22_000, 1_000)
    state = folding.ended(TERMS._replace(limit=limit), facts, at(40), stop_wh)
    assert 0 <= state.energy_wh <= max(22_000, state.meter.top_power_w) * 40 * 1.15 / 60 + 1_000


def ended(*facts: Fact, stop: int | None, minutes: float = 60, **terms: Any) -> folding.State:
    told = [*facts] if stop is None else [*facts, Fact(at(minutes), stop, context="end")]
    return folding.ended(TERMS._replace(**terms), told, at(minutes), stop)


@pytest.mark.parametrize(
    "facts, stop, energy, flag",
    [
        # A register that drops out to zero, once and twice.
        ([(10, 2000, None), (20, 0, None), (30, 3000, None)], 4000, 3000, "register_went_back"),
        (
            [(10, 2000, None), (20, 0, None), (25, 0, None), (30, 3000, None)],
            4000,
            3000,
            "register_went_back",
        ),
        # A placeholder at the begin: what the told power explains is billed, not the lifetime counter.
        ([(15, 83_000, 7_400), (30, 84_850, 7_400)], 88_500, 7_350, "implausible_energy"),
        # kWh that are called Wh, from the begin to the end: not billed for more than was shown, and named.
        ([(10, 1001, 9_400), (20, 1003, 9_400), (50, 1008, 9_400)], 1009, 9, "unit_suspected"),
        # Power, and a meter that stands still.
        ([(n, 1000, 7_000) for n in range(1, 13)], 1000, 0, "power_without_energy"),
        # The total on each phase, summed: never more than stop minus start.
        ([(15, 6_000, None), (30, 12_000, None), (45, 18_000, None)], 9_000, 8_000, "register_went_back"),
        # A register at ten times the power: what the power explains.
        ([(n, 1000 + n * 1_000, 6_000) for n in range(0, 60, 10)], 61_000, 5_000, "implausible_energy"),
    ],
)
def test_the_bill_is_bounded_by_what_can_be(
    facts: list[tuple[int, int, int | None]], stop: int, energy: int, flag: str
) -> None:
    state = ended(*(Fact(at(minute), register, power) for minute, register, power in facts), stop=stop)
    assert state.energy_wh == energy
    assert flag in state.flags


def test_a_grid_that_runs_six_per_cent_high_is_no_fault() -> None:
    limit = Limit(BEGAN, 22_000, 1_000)
    facts = [Fact(at(minute), 1000 + minute * 22_000 * 106 // 6_000) for minute in range(10, 250, 10)]
    state = ended(*facts, stop=1000 + 250 * 22_000 * 106 // 6_000, minutes=250, limit=limit)
    assert state.energy_wh == 250 * 22_000 * 106 // 6_000


def test_readings_of_one_moment_in_several_elements_are_one_reading() -> None:
    folded = folding.begin(TERMS)
    for fact in (
        Fact(at(5), None, 22_000),
        Fact(at(5), 2_830),
        Fact(at(5), soc_percent=40),
        Fact(at(5), 2_830),
    ):
        after = folding.add(folded, fact, TERMS)
        assert after is not None
        folded = after
    state = folded.state
    assert (state.energy_wh, state.power_w, state.soc_percent) == (1_830, 22_000, 40)
