import copy
from contextlib import suppress
from datetime import UTC, date, datetime, time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.domain.money.pricing import affordable_energy, begin, exhaustion
from onprem_csms.domain.money.tariffs import (
    Element,
    PriceComponent,
    Restrictions,
    Tariff,
    describe_simple,
    price_components,
    simple_tariff,
    tariff_from_json,
    tariff_to_json,
)
from onprem_csms.errors import Invalid

NOON = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)

FULL: dict[str, Any] = {
    "name": "Day and night",
    "currency": "EUR",
    "vat": "27",
    "prices_include_vat": False,
    "idle_grace_minutes": 10,
    "min_price": "0.50",
    "max_price": "100",
    "timezone": "Europe/Budapest",
    "elements": [
        {
            "components": [
                {"dimension": "energy", "price": "0.25", "vat": "10", "step_size": 500},
                {"dimension": "time", "price": "1/3", "step_size": 60},
            ],
            "restrictions": {
                "start_time": "22:00",
                "end_time": "06:00",
                "weekdays": ["monday", "sunday"],
                "start_date": "2026-01-01",
                "end_date": "2027-01-01",
                "min_kwh": "0.5",
                "max_kwh": "10",
                "min_duration_s": 0,
                "max_duration_s": 3600,
                "min_power_w": 1000,
                "max_power_w": 50000,
            },
        },
        {"components": [{"dimension": "flat", "price": 1, "step_size": 1}]},
    ],
}


def faults_of(document):
    with pytest.raises(Invalid) as refused:
        tariff_from_json(document)
    return dict(refused.value.faults)


def test_every_field_of_a_tariff_is_read_in_minor_units():
    assert tariff_from_json(FULL) == Tariff(
        name="Day and night",
        currency="EUR",
        vat=Fraction(27),
        prices_include_vat=False,
        idle_grace_minutes=10,
        min_price=50,
        max_price=10_000,
        timezone="Europe/Budapest",
        elements=(
            Element(
                (
                    PriceComponent("energy", Fraction(25), vat=Fraction(10), step_size=500),
                    PriceComponent("time", Fraction(100, 3), step_size=60),
                ),
                Restrictions(
                    start_time=time(22),
                    end_time=time(6),
                    weekdays=frozenset({0, 6}),
                    start_date=date(2026, 1, 1),
                    end_date=date(2027, 1, 1),
                    min_kwh=Fraction(1, 2),
                    max_kwh=Fraction(10),
                    min_duration_s=0,
                    max_duration_s=3600,
                    min_power_w=1000,
                    max_power_w=50_000,
                ),
            ),
            Element((PriceComponent("flat", Fraction(100)),)),
        ),
    )


def test_a_tariff_that_was_written_reads_the_same():
    written = tariff_to_json(tariff_from_json(FULL))
    assert tariff_from_json(written) == tariff_from_json(FULL)
    assert written["elements"][0] == FULL["elements"][0]
    assert (written["min_price"], written["vat"]) == ("0.5", "27")


def test_a_document_of_the_least_fields_has_the_defaults():
    tariff = tariff_from_json(
        {
            "name": " T ",
            "currency": "HUF",
            "elements": [{"components": [{"dimension": "energy", "price": 149}]}],
        }
    )
    assert tariff == Tariff("T", "HUF", (Element((PriceComponent("energy", Fraction(149)),)),))


def test_a_json_number_is_taken_as_the_decimal_that_it_shows():
    document = copy.deepcopy(FULL)
    document["elements"][1]["components"][0]["price"] = 0.1
    assert tariff_from_json(document).elements[1].components[0].price == 10


FAULTY = {
    "name": " ",
    "currency": "USD",
    "vat": "101",
    "prices_include_vat": "yes",
    "idle_grace_minutes": 1.5,
    "min_price": "-1",
    "max_price": "0.5",
    "timezone": "Europe",
    "colour": "red",
    "elements": [
        {
            "components": [
                {"dimension": "energy", "price": "x", "vat": -1, "step_size": 0},
                {"dimension": "energie", "price": None, "unit": "kWh"},
                "energy",
            ],
            "restrictions": {
                "start_time": "24:00",
                "weekdays": ["funday"],
                "start_date": "2026-02-30",
                "min_kwh": 5,
                "max_kwh": 5,
                "moon": "full",
            },
            "name": "night",
        },
        {
            "components": [
                {"dimension": "time", "price": 1},
                {"dimension": "time", "price": 2},
            ],
            "restrictions": 3,
        },
        {"components": []},
        7,
    ],
}

FAULTS = {
    "name",
    "currency",
    "vat",
    "prices_include_vat",
    "idle_grace_minutes",
    "min_price",
    "max_price",
    "timezone",
    "colour",
    "elements.0.name",
    "elements.0.components.0.price",
    "elements.0.components.0.vat",
    "elements.0.components.0.step_size",
    "elements.0.components.1.dimension",
    "elements.0.components.1.price",
    "elements.0.components.1.unit",
    "elements.0.components.2",
    "elements.0.restrictions.start_time",
    "elements.0.restrictions.weekdays",
    "elements.0.restrictions.start_date",
    "elements.0.restrictions.max_kwh",
    "elements.0.restrictions.moon",
    "elements.1.components.1.dimension",
    "elements.1.restrictions",
    "elements.2.components",
    "elements.3",
}


def test_every_fault_of_a_tariff_is_told_at_once_with_its_path():
    found = faults_of(FAULTY)
    assert set(found) == FAULTS
    assert all(sentence.endswith(".") for sentence in found.values())


@pytest.mark.parametrize("document", [None, [], "x", 5, {}, {"elements": {}}])
def test_what_is_no_tariff_at_all_is_invalid(document):
    assert faults_of(document)


def test_the_highest_price_may_equal_the_lowest_and_not_lie_below_it():
    assert tariff_from_json({**FULL, "min_price": 5, "max_price": 5}).max_price == 500
    assert list(faults_of({**FULL, "min_price": 5, "max_price": 4})) == ["max_price"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["22:00", "HUF"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*FULL, "price", "dimension", "components", "restrictions", "weekdays"]), json_values)
def test_any_value_in_any_field_is_read_or_invalid_and_nothing_else(field, value):
    document = copy.deepcopy(FULL)
    element = document["elements"][0]
    for place in (document, element, element["components"][0], element["restrictions"]):
        if field in place:
            place[field] = value
            break
    with suppress(Invalid):
        tariff = tariff_from_json(document)
        assert tariff_from_json(tariff_to_json(tariff)) == tariff


# ------------------------------------------------------------------------------------------------ the admin form


def test_the_form_s_prices_become_one_element_without_restrictions():
    tariff = simple_tariff(
        "Guests",
        "HUF",
        start_fee="300",
        per_kwh="149,5",
        per_minute="",
        idle_per_minute="10",
        idle_grace_minutes="15",
        vat_percent="27",
        timezone="Europe/Budapest",
    )
    assert tariff.elements == (
        Element(
            (
                PriceComponent("energy", Fraction(299, 2)),
                PriceComponent("flat", Fraction(300)),
                PriceComponent("parking_time", Fraction(600)),
            )
        ),
    )
    assert (tariff.idle_grace_minutes, tariff.vat, tariff.prices_include_vat) == (15, 27, True)


def test_a_simple_tariff_fills_the_form_that_makes_it():
    tariff = simple_tariff(
        "E",
        "EUR",
        start_fee="0.35",
        per_kwh=Fraction(1, 4),
        per_minute="0.05",
        idle_per_minute=1,
        vat_percent=27,
    )
    form = describe_simple(tariff)
    assert form == {
        "start_fee": "0.35",
        "per_kwh": "0.25",
        "per_minute": "0.05",
        "idle_per_minute": "1",
        "idle_grace_minutes": "0",
        "vat_percent": "27",
        "prices_include_vat": True,
        "timezone": "UTC",
    }
    assert form is not None
    assert simple_tariff("E", "EUR", **form) == tariff


def test_a_free_tariff_is_a_tariff():
    free = simple_tariff("Free", "HUF")
    assert tariff_from_json(tariff_to_json(free)) == free
    assert (describe_simple(free) or {}).get("per_kwh") == "0"
    assert price_components(free, NOON) == []


def test_what_the_form_cannot_say_is_not_simple():
    simple = simple_tariff("S", "HUF", per_kwh=149)
    assert describe_simple(simple) is not None
    others = [
        tariff_from_json({**tariff_to_json(simple), "max_price": 5}),
        tariff_from_json({**tariff_to_json(simple), "elements": 2 * tariff_to_json(simple)["elements"]}),
        tariff_from_json(FULL),
    ]
    assert [describe_simple(tariff) for tariff in others] == [None, None, None]


def test_every_fault_of_the_form_is_told_with_its_field():
    with pytest.raises(Invalid) as refused:
        simple_tariff(
            "", "USD", start_fee="-5", per_kwh="a", idle_grace_minutes="x", vat_percent=200, timezone="Mars"
        )
    fields = ["name", "currency", "start_fee", "per_kwh", "idle_grace_minutes", "vat_percent", "timezone"]
    assert sorted(path for path, _ in refused.value.faults) == sorted(fields)


# ---------------------------------------------------------------------------------------------------- for display


def test_prices_are_shown_gross_per_kwh_per_minute_per_session_and_then_the_rest():
    tariff = simple_tariff(
        "S",
        "HUF",
        start_fee=300,
        per_kwh=100,
        per_minute=2,
        idle_per_minute=10,
        vat_percent=27,
        prices_include_vat=False,
    )
    assert price_components(tariff, NOON) == [
        ("energy", 127),
        ("time", Fraction(254, 100)),
        ("flat", 381),
        ("parking_time", Fraction(127, 10)),
    ]


def test_prices_shown_are_those_of_the_local_time_and_later_ones_where_nothing_holds_yet():
    day, night = PriceComponent("energy", Fraction(120)), PriceComponent("energy", Fraction(80))
    stay = PriceComponent("parking_time", Fraction(600))
    tariff = Tariff(
        "T",
        "HUF",
        (
            Element((night,), Restrictions(start_time=time(22), end_time=time(6))),
            Element((day,)),
            Element((stay,), Restrictions(min_duration_s=4 * 3600)),
        ),
        timezone="Europe/Budapest",
    )
    assert price_components(tariff, NOON) == [("energy", 120), ("parking_time", 10)]
    assert price_components(tariff, NOON.replace(hour=20)) == [("energy", 80), ("parking_time", 10)]


# ----------------------------------------------------------------------------------------------- what money buys


def test_5000_forints_buy_31543_wh_at_149_after_a_start_fee_of_300():
    assert (
        affordable_energy(simple_tariff("S", "HUF", start_fee=300, per_kwh=149, vat_percent=27), 5000)
        == 31_543
    )


def test_free_energy_has_no_limit_and_too_little_money_buys_nothing():
    tariff = simple_tariff("S", "HUF", start_fee=300, vat_percent=27)
    assert affordable_energy(tariff, 5000) is None
    assert affordable_energy(tariff, 299) == 0
    assert affordable_energy(simple_tariff("S", "HUF", start_fee=300, per_kwh=149), 300) == 0


def test_energy_of_a_tariff_with_times_can_only_be_quoted_for_a_moment():
    night = Element(
        (PriceComponent("energy", Fraction(80)),), Restrictions(start_time=time(22), end_time=time(6))
    )
    tariff = Tariff("T", "HUF", (night, Element((PriceComponent("energy", Fraction(120)),))))
    assert affordable_energy(tariff, 1200, NOON) == 10_000
    assert affordable_energy(tariff, 1200, NOON.replace(hour=23)) == 15_000
    with pytest.raises(ValueError, match="time of day"):
        affordable_energy(tariff, 1200)


def test_steps_and_tiers_count_in_what_money_buys():
    steps = Tariff("T", "HUF", (Element((PriceComponent("energy", Fraction(100), step_size=500),)),))
    assert affordable_energy(steps, 199) == 1500
    tiers = Tariff(
        "T",
        "HUF",
        (
            Element((PriceComponent("energy", Fraction(100)),), Restrictions(max_kwh=Fraction(10))),
            Element((PriceComponent("energy", Fraction(200)),)),
        ),
    )
    assert affordable_energy(tiers, 2000) == 15_000


def test_a_balance_is_exhausted_at_the_second_that_power_and_price_give():
    tariff = simple_tariff("S", "HUF", start_fee=300, per_kwh=149, vat_percent=27)
    running = begin(tariff, NOON, 1_000_000)
    moment = exhaustion(running, 5000, 11_000, NOON)
    # 4699.5 forints, which round up, at 1639 an hour; then up to the next whole Wh.
    assert moment is not None
    assert 0 <= (moment - NOON).total_seconds() - 4699.5 / 1639 * 3600 < 1.4
    assert exhaustion(running, 300, 11_000, NOON) == NOON
    assert exhaustion(running, 5000, 0, NOON) is None
    assert exhaustion(running, 5000, 11_000, NOON.replace(hour=20)) == NOON.replace(hour=20)
