"""What must hold for every tariff and every session, whatever hypothesis thinks of."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from onprem_csms.domain.money.pricing import advance, affordable_energy, begin, bill, exhaustion, total
from onprem_csms.domain.money.tariffs import DIMENSIONS, Element, PriceComponent, Restrictions, Tariff

# Two days before the clock goes back, so that sessions run over it and over a weekend.
BEGIN = datetime(2026, 10, 23, 15, 30, tzinfo=UTC)

maybe = st.none
prices = st.fractions(0, 1000, max_denominator=60)
rates = st.sampled_from([Fraction(0), Fraction(10), Fraction(27), Fraction(11, 2)])
steps = st.sampled_from([1, 25, 60, 500, 900])
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
dates = st.dates(date(2026, 10, 23), date(2026, 10, 28))
kwh = st.fractions(0, 20, max_denominator=7)
durations = st.integers(0, 100_000)
powers = st.integers(0, 30_000)


def components(step_sizes):
    one = st.builds(PriceComponent, st.sampled_from(DIMENSIONS), prices, maybe() | rates, step_sizes)
    return st.lists(one, min_size=1, max_size=4, unique_by=lambda component: component.dimension).map(tuple)


def pairs(values):
    return st.tuples(values, values).map(sorted)


@st.composite
def restrictions(draw):
    given_: dict[str, Any] = {}
    if draw(st.booleans()):
        given_ |= {"start_time": draw(times), "end_time": draw(times)}
    if draw(st.booleans()):
        given_["weekdays"] = draw(st.frozensets(st.integers(0, 6), min_size=1))
    for names, values in (
        (("start_date", "end_date"), dates),
        (("min_kwh", "max_kwh"), kwh),
        (("min_duration_s", "max_duration_s"), durations),
        (("min_power_w", "max_power_w"), powers),
    ):
        low, high = draw(pairs(values))
        choice = draw(st.sampled_from(["", "", "low", "high", "both"]))
        given_ |= {names[0]: low} if choice in {"low", "both"} else {}
        given_ |= {names[1]: high} if choice in {"high", "both"} else {}
    return Restrictions(**given_)


@st.composite
def tariffs(draw, step_sizes=steps, *, everything_priced=False):
    """Any tariff; where everything is priced, bounds are gross: within a net one, the VAT may change the gross."""
    elements = draw(st.lists(st.builds(Element, components(step_sizes), restrictions()), max_size=4))
    if everything_priced or not elements:
        elements.append(Element(tuple(PriceComponent(dimension, draw(prices)) for dimension in DIMENSIONS)))
    low, high = draw(pairs(st.integers(0, 20_000)))
    inclusive = draw(st.booleans())
    bounded = inclusive or not everything_priced
    return Tariff(
        "Any",
        "HUF",
        tuple(elements),
        vat=draw(rates),
        prices_include_vat=inclusive,
        idle_grace_minutes=draw(st.sampled_from([0, 10, 45])),
        min_price=draw(st.sampled_from([None, low])) if bounded else None,
        max_price=draw(st.sampled_from([None, None, high])) if bounded else None,
        timezone=draw(st.sampled_from(["Europe/Budapest", "UTC", "America/New_York"])),
    )


# A straight line: so many equal parts of so many seconds and Wh.
lines = st.tuples(
    st.integers(1, 6),
    st.integers(0, 7200),
    st.integers(0, 4000),
    st.sampled_from(["charging", "charging", "idle", "paused"]),
    maybe() | powers,
)
sessions = st.lists(lines, min_size=1, max_size=8)


def states(tariff, session, *, dense):
    """The states after every reading; in a dense session a line has all its readings, else only the last."""
    running = begin(tariff, BEGIN, 500)
    found = [running]
    for parts, seconds, wh, activity, power in session:
        readings, size = (parts, 1) if dense else (1, parts)
        for _ in range(readings):
            at, register = running.at + timedelta(seconds=size * seconds), running.energy_wh + size * wh
            running = advance(running, at, register, activity=activity, power_w=power)
            found.append(running)
    return found


@settings(max_examples=150, deadline=None)
@given(tariffs(), sessions)
def test_the_density_of_the_readings_never_changes_the_bill(tariff, session):
    sparse = states(tariff, session, dense=False)[-1]
    dense = states(tariff, session, dense=True)[-1]
    assert bill(sparse) == bill(dense)
    assert total(sparse) == total(dense)


@settings(max_examples=60, deadline=None)
@given(tariffs(), sessions)
def test_lines_add_up_to_the_gross_and_net_and_vat_too(tariff, session):
    for running in states(tariff, session, dense=True):
        priced = bill(running)
        assert priced.gross == total(running) == sum(line.gross for line in priced.lines)
        assert priced.net + priced.vat == priced.gross
        assert all(share.net + share.vat == share.gross for share in priced.shares)


@settings(max_examples=60, deadline=None)
@given(tariffs(st.just(1), everything_priced=True), sessions)
def test_the_total_never_falls_while_energy_and_time_grow(tariff, session):
    totals = [total(running) for running in states(tariff, session, dense=True)]
    assert totals == sorted(totals)


@settings(max_examples=60, deadline=None)
@given(tariffs(), sessions)
def test_the_total_keeps_within_the_tariff_s_bounds(tariff, session):
    priced = bill(states(tariff, session, dense=False)[-1])
    bounded = priced.gross if tariff.prices_include_vat else priced.net
    assert bounded >= (tariff.min_price or 0)
    assert tariff.max_price is None or bounded <= tariff.max_price


@settings(max_examples=60, deadline=None)
@given(tariffs(), sessions)
def test_seconds_and_energy_are_those_of_the_readings(tariff, session):
    priced = bill(states(tariff, session, dense=True)[-1])
    assert priced.energy_wh == sum(parts * wh for parts, _, wh, _, _ in session)
    for activity, seconds in (("charging", priced.seconds_charging), ("idle", priced.seconds_idle)):
        assert seconds == sum(parts * each for parts, each, _, what, _ in session if what == activity)


@settings(max_examples=60, deadline=None)
@given(tariffs(st.just(1), everything_priced=True), sessions, st.integers(0, 10_000))
def test_affordable_energy_is_paid_for_and_a_kwh_more_is_not(tariff, session, amount):
    running = states(tariff, session, dense=False)[-1]
    activity = session[-1][3]
    wh = affordable_energy(running, amount)
    if wh is None:
        return
    after = [
        total(advance(running, running.at, running.energy_wh + wh + more, activity=activity))
        for more in (0, 1000)
    ]
    assert wh == 0 or after[0] <= amount + len(bill(running).lines) + 1
    assert after[1] + len(bill(running).lines) + 1 >= amount


def later_total(running, at, power):
    wh = power * ((at - running.at) // timedelta(seconds=1)) // 3600
    activity = running.segment.activity
    return total(advance(running, at, running.energy_wh + wh, activity=activity, power_w=power))


plain_tariffs = st.builds(
    Tariff,
    st.just("Plain"),
    st.just("HUF"),
    st.tuples(st.builds(Element, components(steps))),
    vat=rates,
    prices_include_vat=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(plain_tariffs, sessions, st.integers(0, 30_000), st.integers(0, 20_000), st.integers(0, 900))
def test_exhaustion_is_the_very_second_at_which_the_total_reaches_the_amount(
    tariff, session, more, power, wait
):
    running = states(tariff, session, dense=False)[-1]
    amount, now = total(running) + more, running.at + timedelta(seconds=wait)
    moment = exhaustion(running, amount, power, now)
    if moment is None:
        assert later_total(running, now + timedelta(days=7), power) < amount
    else:
        assert later_total(running, moment, power) >= amount
        assert moment == now or later_total(running, moment - timedelta(seconds=1), power) < amount


@settings(max_examples=60, deadline=None)
@given(
    tariffs(st.just(1), everything_priced=True),
    sessions,
    st.integers(0, 30_000),
    st.integers(0, 20_000),
    st.integers(0, 900),
)
def test_exhaustion_finds_its_way_through_every_threshold(tariff, session, more, power, wait):
    running = states(tariff, session, dense=False)[-1]
    amount, now = total(running) + more, running.at + timedelta(seconds=wait)
    moment = exhaustion(running, amount, power, now)
    # A Wh at each threshold, at up to a forint and a half: the register counts whole ones.
    slack = 30
    if moment is None:
        assert later_total(running, now + timedelta(days=7), power) < amount + slack
    else:
        assert now <= moment <= now + timedelta(days=7)
        assert later_total(running, moment, power) >= amount - slack
        assert moment == now or later_total(running, moment - timedelta(seconds=1), power) < amount + slack
