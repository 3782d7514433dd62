from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.domain.money.cash import round_cash
from onprem_csms.domain.money.currencies import CURRENCIES
from onprem_csms.domain.money.money import format_amount, parse_amount, round_half_up
from onprem_csms.errors import Invalid

AMOUNTS = st.integers(min_value=0, max_value=10**12)
CODES = st.sampled_from(sorted(CURRENCIES))
LOCALES = st.sampled_from(["en", "hu"])


@pytest.mark.parametrize(
    "text,currency,minor",
    [
        ("5000", "HUF", 5000),
        ("5 000", "HUF", 5000),
        ("5\u00a0000 Ft", "HUF", 5000),
        ("1 234 567", "HUF", 1_234_567),
        (" 0 ", "HUF", 0),
        ("12,50", "EUR", 1250),
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        ("€12.50", "EUR", 1250),
        ("1,234.56 EUR", "EUR", 123_456),
        ("1 234,56", "EUR", 123_456),
    ],
)
def test_an_amount_is_read_as_people_write_it(text, currency, minor):
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ft",
        "abc",
        "NaN",
        "inf",
        "1e5",
        "-5",
        "50 00",
        "5  000",
        "1.2.3",
        "0x10",
        "٣",
        "9" * 5000,
        "5_000",
    ],
)
def test_what_is_not_an_amount_is_refused_with_a_sentence(text):
    with pytest.raises(Invalid, match=r"^Write the amount in digits, such as 5000\.$") as refused:
        parse_amount(text, "HUF")
    assert refused.value.path == "amount"


@pytest.mark.parametrize("text,currency", [("5000,5", "HUF"), ("5.000", "HUF"), ("1.234", "EUR")])
def test_more_decimals_than_the_currency_has_are_refused_and_never_taken_for_thousands(text, currency):
    with pytest.raises(Invalid, match="more decimals than its currency"):
        parse_amount(text, currency)


def test_a_million_million_is_an_amount_and_one_more_is_too_large():
    assert parse_amount("1000000000000", "HUF") == 10**12
    with pytest.raises(Invalid, match="too large"):
        parse_amount("1000000000001", "HUF")


def test_an_unknown_currency_is_refused():
    with pytest.raises(Invalid, match="must be one of"):
        parse_amount("5", "USD")


@pytest.mark.parametrize(
    "minor,currency,locale,text",
    [
        (5000, "HUF", "hu", "5 000 Ft"),
        (5000, "HUF", "en", "5 000 Ft"),
        (-123_456, "HUF", "hu", "-123 456 Ft"),
        (0, "HUF", "en", "0 Ft"),
        (1250, "EUR", "en", "€12.50"),
        (1250, "EUR", "hu", "12,50 €"),
        (-5, "EUR", "en", "-€0.05"),
        (123_456_789, "EUR", "en", "€1,234,567.89"),
    ],
)
def test_amounts_are_written_for_people_with_spaces_that_do_not_break(minor, currency, locale, text):
    assert format_amount(minor, currency, locale) == text.replace(" ", "\u00a0")


@given(AMOUNTS, CODES, LOCALES)
def test_an_amount_that_was_written_can_be_read_back(minor, currency, locale):
    assert parse_amount(format_amount(minor, currency, locale), currency) == minor


@given(st.text(max_size=30), CODES)
def test_any_text_is_an_amount_or_invalid_and_nothing_else(text, currency):
    with suppress(Invalid):
        assert 0 <= parse_amount(text, currency) <= 10**12


@pytest.mark.parametrize(
    "exact,whole",
    [("0.49", 0), ("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", 0), ("-0.51", -1), ("3495.093", 3495)],
)
def test_a_half_goes_up(exact, whole):
    assert round_half_up(Fraction(exact)) == whole


@pytest.mark.parametrize(
    "minor,cash",
    [
        (0, 0),
        (1, 0),
        (2, 0),
        (3, 5),
        (4, 5),
        (5, 5),
        (6, 5),
        (7, 5),
        (8, 10),
        (9, 10),
        (4992, 4990),
        (-3, -5),
    ],
)
def test_a_cash_payment_in_forints_is_rounded_to_the_nearest_five(minor, cash):
    assert round_cash(minor, "HUF") == cash


@given(st.integers(-(10**9), 10**9))
def test_cash_rounding_is_off_by_two_at_most_and_leaves_euros_alone(minor):
    assert abs(round_cash(minor, "HUF") - minor) <= 2
    assert round_cash(minor, "HUF") % 5 == 0
    assert round_cash(minor, "EUR") == minor
