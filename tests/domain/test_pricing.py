"""Worked examples: the specification's own and ours, each through the whole fold."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from onprem_csms.domain.money.pricing import advance, begin, bill, rate_per_hour, total
from onprem_csms.domain.money.tariffs import Element, PriceComponent, Restrictions, Tariff, simple_tariff

BUDAPEST = ZoneInfo("Europe/Budapest")
NOON = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)


def energy(price, **more):
    return PriceComponent("energy", Fraction(price), **more)


def hourly(price, **more):
    return PriceComponent("time", Fraction(price), **more)


def parking(price, **more):
    return PriceComponent("parking_time", Fraction(price), **more)


def flat(price, **more):
    return PriceComponent("flat", Fraction(price), **more)


def only(*components):
    return (Element(components),)


def when(*components, **restrictions):
    return Element(components, Restrictions(**restrictions))


def forints(*elements, **more):
    return Tariff("Test", "HUF", elements, **{"vat": Fraction(27), "timezone": "Europe/Budapest", **more})


def local(year, month, day, hour, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=BUDAPEST).astimezone(UTC)


def session(tariff, *spans, at=NOON):
    """Price spans of (minutes, Wh, activity)."""
    running, register = begin(tariff, at, 1000), 1000
    for minutes, wh, activity in spans:
        at, register = at + timedelta(minutes=float(minutes)), register + wh
        running = advance(running, at, register, activity=activity)
    return running


# ------------------------------------------------------------------------------------- examples of OCPI 2.2.1

KWH = energy(25, vat=Fraction(10))
FEE = flat(50, vat=Fraction(20))
PARKING = parking(200, vat=Fraction(20), step_size=900)


@pytest.mark.parametrize(
    "components,net,gross",
    [((KWH,), 500, 550), ((KWH, FEE), 550, 610), ((KWH, FEE, PARKING), 700, 790)],
)
def test_the_specification_example_of_20_kwh_costs_what_it_says(components, net, gross):
    tariff = Tariff("Example", "EUR", only(*components), prices_include_vat=False)
    priced = bill(session(tariff, (60, 20_000, "charging"), (40, 0, "idle")))
    assert (priced.net, priced.gross, priced.net + priced.vat) == (net, gross, gross)


@pytest.mark.parametrize("step,cents", [(1, "2.9"), (25, "3.125"), (500, "12.5")])
def test_115_2_wh_are_billed_in_whole_steps(step, cents):
    # 576 Wh over five hours of which only the last is priced: 115.2 Wh.
    tariff = Tariff("Example", "EUR", (when(energy(25, step_size=step), start_time=time(16)),))
    line = bill(session(tariff, (300, 576, "charging"))).lines[0]
    assert line.quantity % step == 0
    assert line.quantity * line.price / 1000 == Fraction(cents)


def test_the_step_of_energy_is_applied_once_to_the_total_and_charged_at_the_last_price():
    tariff = Tariff(
        "Example",
        "EUR",
        (when(energy(20, step_size=500), end_time=time(17)), *only(energy(27, step_size=500))),
    )
    lines = bill(session(tariff, (300, 4300, "charging"), (60, 1100, "charging"))).lines
    assert [line.quantity for line in lines] == [4300, 1200]


def test_the_step_of_time_is_applied_once_to_the_total_and_charged_at_the_last_price():
    tariff = Tariff(
        "Example",
        "EUR",
        (when(hourly(500, step_size=600), end_time=time(12, 6)), *only(hourly(700, step_size=600))),
    )
    lines = bill(session(tariff, (28, 0, "charging"))).lines
    assert [line.quantity / 60 for line in lines] == [6, 24]


def test_the_last_price_is_that_of_the_last_energy_and_not_of_the_hours_without_any():
    tariff = Tariff(
        "Example",
        "EUR",
        (when(energy(20, step_size=500), end_time=time(17)), *only(energy(27, step_size=500))),
    )
    spans = (300, 4300, "charging"), (60, 0, "charging"), (10, 0, "idle")
    assert [(line.price, line.quantity) for line in bill(session(tariff, *spans)).lines] == [(20, 4500)]


@pytest.mark.parametrize("charging,idle,billed", [(21, 16, [21, 20]), (21, 7, [21, 10]), (21, 0, [30])])
def test_charging_time_is_not_stepped_up_when_parking_time_follows(charging, idle, billed):
    tariff = Tariff("Example", "EUR", only(hourly(100, step_size=600), parking(200, step_size=600)))
    lines = bill(session(tariff, (charging, 0, "charging"), (idle, 0, "idle"))).lines
    assert [line.quantity / 60 for line in lines] == billed


def test_two_and_a_half_hours_and_42_minutes_of_parking_cost_what_the_specification_says():
    tariff = Tariff(
        "Example",
        "EUR",
        only(hourly(300, vat=Fraction(10), step_size=60), parking(500, vat=Fraction(20), step_size=300)),
        prices_include_vat=False,
    )
    priced = bill(session(tariff, (150, 0, "charging"), (42, 0, "idle")))
    assert (priced.net, priced.gross) == (1125, 1275)


# --------------------------------------------------------------------------------------------------- our own


def day_and_night():
    return forints(when(energy(80), start_time=time(22), end_time=time(6)), *only(energy(120)))


@pytest.mark.parametrize(
    "evening,hours,price",
    [((2026, 6, 10), 10, 6336), ((2026, 3, 28), 9, 5760), ((2026, 10, 24), 11, 6912)],
)
@pytest.mark.parametrize("readings", [1, 6, 60])
def test_a_night_in_budapest_has_as_many_cheap_hours_as_it_really_has(evening, hours, price, readings):
    year, month, day = evening
    begun, ended = local(year, month, day, 21, 30), local(year, month, day + 1, 7, 30)
    assert ended - begun == timedelta(hours=hours)
    running = begin(day_and_night(), begun, 0)
    for n in range(1, readings + 1):
        at = begun + timedelta(hours=hours) * n / readings
        running = advance(running, at, hours * 7200 * n // readings, activity="charging")
    assert total(running) == bill(running).gross == price


def test_23457_wh_at_149_forints_have_743_forints_of_vat_in_them():
    priced = bill(session(forints(*only(energy(149))), (90, 23_457, "charging")))
    assert (priced.gross, priced.vat, priced.net) == (3495, 743, 2752)
    assert (priced.energy_wh, priced.seconds_charging, priced.seconds_idle) == (23_457, 5400, 0)


def test_a_bill_lists_energy_time_start_fee_and_parking_in_the_order_of_the_law():
    tariff = forints(*only(parking(600), flat(300), hourly(120), energy(149)))
    lines = bill(session(tariff, (60, 10_000, "charging"), (30, 0, "idle"))).lines
    assert [(line.kind, line.gross) for line in lines] == [
        ("energy", 1490),
        ("time", 120),
        ("flat", 300),
        ("parking_time", 300),
    ]


def test_the_start_fee_is_due_at_once_and_only_once():
    tariff = forints(when(flat(500), start_time=time(13)), *only(flat(300)))
    running = begin(tariff, NOON - timedelta(hours=5), 0)
    assert total(running) == 300
    assert total(advance(running, NOON + timedelta(hours=5), 0, activity="charging")) == 300


def test_the_first_element_that_matches_sets_the_price_and_none_means_free():
    tariff = forints(
        when(energy(50), weekdays=frozenset({5, 6})), when(energy(100), start_time=time(8), end_time=time(20))
    )
    weekday_night, weekday, saturday = local(2026, 6, 10, 1), local(2026, 6, 10, 9), local(2026, 6, 13, 9)
    costs = [
        total(session(tariff, (60, 1000, "charging"), at=at)) for at in (weekday_night, weekday, saturday)
    ]
    assert costs == [0, 100, 50]


def test_friday_night_does_not_reach_into_saturday_because_restrictions_are_anded():
    tariff = forints(
        when(energy(10), start_time=time(22), end_time=time(6), weekdays=frozenset({4})), *only(energy(100))
    )
    # Friday 23:00 to Saturday 01:00: one hour of each.
    assert total(session(tariff, (120, 2000, "charging"), at=local(2026, 6, 12, 23))) == 10 + 100


def test_the_end_of_the_day_is_written_as_midnight():
    tariff = forints(when(energy(10), start_time=time(22), end_time=time(0)))
    assert total(session(tariff, (240, 4000, "charging"), at=local(2026, 6, 12, 21))) == 20


def test_an_end_date_is_the_first_day_without():
    tariff = forints(when(energy(10), start_date=date(2026, 6, 12), end_date=date(2026, 6, 13)))
    assert total(session(tariff, (48 * 60, 48_000, "charging"), at=local(2026, 6, 11, 12))) == 240


def test_the_hour_that_comes_twice_in_autumn_is_priced_by_the_clock_on_the_wall():
    tariff = forints(when(energy(10), end_time=time(2, 30)), *only(energy(100)))
    # From 2:00 to 3:00, and again, at 1 kW: half of each hour is before 2:30.
    running = session(tariff, (120, 2000, "charging"), at=datetime(2026, 10, 25, 0, 0, tzinfo=UTC))
    assert total(running) == 10 + 100


def test_a_time_and_a_tier_in_one_span_are_cut_in_the_order_they_come():
    tariff = forints(
        when(energy(10), end_time=time(15)),
        when(energy(100), max_kwh=Fraction(3)),
        *only(energy(1000)),
    )
    # From 14:00 local, 1 kW for four hours: one cheap by the clock, then two below 3 kWh, one above.
    running = session(tariff, (240, 4000, "charging"))
    assert [(line.price, line.quantity) for line in bill(running).lines] == [
        (10, 1000),
        (100, 2000),
        (1000, 1000),
    ]


def test_a_fee_for_staying_is_charged_when_it_first_holds():
    tariff = forints(when(flat(500), min_duration_s=3600), *only(energy(0)))
    assert [total(session(tariff, (minutes, 0, "idle"))) for minutes in (59, 60, 5000)] == [0, 500, 500]


def test_energy_tiers_are_cut_where_they_begin():
    tariff = forints(when(energy(100), max_kwh=Fraction(10)), when(energy(200), min_kwh=Fraction(10)))
    assert total(session(tariff, (60, 15_000, "charging"))) == 1000 + 1000


def test_an_energy_tier_changes_the_price_of_time_at_the_moment_it_is_reached():
    tariff = forints(when(hourly(600), max_kwh=Fraction(1)), *only(hourly(6000)))
    # 3 kWh an hour: the first kWh takes 20 minutes.
    lines = bill(session(tariff, (60, 3000, "charging"))).lines
    assert [(line.quantity, line.gross) for line in lines] == [(1200, 200), (2400, 4000)]


def test_duration_tiers_count_the_whole_session():
    tariff = forints(when(parking(0), max_duration_s=7200), *only(parking(600)))
    assert total(session(tariff, (90, 0, "charging"), (60, 0, "idle"))) == 300


def test_power_decides_by_what_is_reported_and_else_by_the_mean():
    tariff = forints(when(energy(200), min_power_w=50_000), *only(energy(100)))
    reported = advance(
        begin(tariff, NOON, 0), NOON + timedelta(hours=1), 10_000, activity="charging", power_w=60_000
    )
    assert total(reported) == 2000
    assert total(session(tariff, (60, 10_000, "charging"))) == 1000
    assert total(session(tariff, (12, 10_000, "charging"))) == 2000


def test_idling_is_free_for_the_grace_and_costs_after_it():
    tariff = forints(*only(parking(600)), idle_grace_minutes=15)
    assert [total(session(tariff, (60, 0, "charging"), (m, 0, "idle"))) for m in (0, 15, 21, 75)] == [
        0,
        0,
        60,
        600,
    ]


def test_charging_again_gives_the_grace_back():
    tariff = forints(*only(parking(600)), idle_grace_minutes=15)
    twice = (10, 0, "idle"), (5, 100, "charging"), (10, 0, "idle")
    assert total(session(tariff, *twice)) == 0
    assert total(session(tariff, (10, 0, "idle"), (10, 0, "idle"))) == 50


def test_a_pause_of_the_charger_costs_neither_time_nor_parking_and_uses_no_grace():
    tariff = forints(*only(hourly(600), parking(600)), idle_grace_minutes=15)
    running = session(tariff, (60, 0, "charging"), (10, 0, "idle"), (300, 0, "paused"), (5, 0, "idle"))
    assert total(running) == 600
    assert (bill(running).seconds_charging, bill(running).seconds_idle) == (3600, 900)


def test_energy_counts_whatever_the_activity():
    tariff = forints(*only(energy(100)))
    assert total(session(tariff, (10, 1000, "charging"), (10, 1000, "idle"), (10, 1000, "paused"))) == 300


def test_a_lower_register_is_no_change_and_never_negative():
    running = begin(forints(*only(energy(100))), NOON, 5000)
    running = advance(running, NOON + timedelta(minutes=1), 6000, activity="charging")
    running = advance(running, NOON + timedelta(minutes=2), 10, activity="charging")
    assert (total(running), running.energy_wh, bill(running).energy_wh) == (100, 6000, 1000)


def test_time_that_goes_backwards_is_a_mistake_of_the_caller():
    running = begin(forints(*only(energy(100))), NOON, 0)
    with pytest.raises(ValueError, match="after one of"):
        advance(running, NOON - timedelta(seconds=1), 0, activity="charging")


def test_a_state_that_was_kept_stays_as_it_was():
    first = begin(day_and_night(), NOON, 0)
    second = advance(first, NOON + timedelta(hours=12), 10_000, activity="charging")
    third = advance(first, NOON + timedelta(hours=1), 10_000, activity="charging")
    assert (total(first), total(third)) == (0, 1200)
    assert total(second) < 1200


# ------------------------------------------------------------------------------------------------ bounds and VAT


def test_the_highest_price_bounds_the_gross_total_and_the_lines_still_add_up():
    priced = bill(session(forints(*only(energy(149)), max_price=2000), (60, 20_000, "charging")))
    assert [(line.kind, line.gross) for line in priced.lines] == [("energy", 2980), ("maximum", -980)]
    assert (priced.gross, priced.vat, priced.net) == (2000, 425, 1575)


def test_the_lowest_price_bounds_the_total_even_of_nothing():
    running = begin(forints(*only(energy(149)), min_price=500), NOON, 0)
    assert total(running) == 500
    assert [(line.kind, line.gross, line.vat_percent) for line in bill(running).lines] == [
        ("minimum", 500, 27)
    ]


def test_bounds_are_net_where_prices_are_and_share_out_among_the_rates():
    tariff = Tariff("Example", "EUR", only(KWH, FEE), prices_include_vat=False, max_price=275)
    priced = bill(session(tariff, (60, 20_000, "charging")))
    assert (priced.net, priced.gross) == (275, 305)
    assert [(share.percent, share.net, share.vat) for share in priced.shares] == [(20, 25, 5), (10, 250, 25)]


# --------------------------------------------------------------------------------------------------------- rates


def test_the_rate_per_hour_is_that_of_the_last_activity():
    tariff = simple_tariff("S", "HUF", per_kwh=149, per_minute=2, idle_per_minute=10, idle_grace_minutes=5)
    charging = session(tariff, (10, 1000, "charging"))
    assert rate_per_hour(charging, 11_000) == 1639 + 120
    in_grace = advance(charging, charging.at + timedelta(minutes=4), 2000, activity="idle")
    after = advance(in_grace, in_grace.at + timedelta(minutes=4), 2000, activity="idle")
    assert [rate_per_hour(running, 0) for running in (in_grace, after)] == [0, 600]
