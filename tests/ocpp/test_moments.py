"""Every time a charger can write is read, or replaced by the time of receipt and named."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.ocpp.rpc import moments

NOW = datetime(2026, 11, 22, 7, 0, 30, tzinfo=UTC)
WINDOW = moments.window(NOW, 300)
SEVEN = datetime(2026, 11, 22, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw,at,quirk",
    [
        ("2026-11-22T07:00:00Z", SEVEN, ""),
        ("2026-11-22T07:00:00.000Z", SEVEN, ""),
        ("2026-11-22T07:00:00.123456789Z", SEVEN.replace(microsecond=123456), ""),
        ("2026-11-22T07:00:00+00:00", SEVEN, ""),
        ("2026-11-22T08:00:00+01:00", SEVEN, ""),
        ("2026-11-22T09:00:00+02", SEVEN, ""),
        ("2026-11-22T07:00:00", SEVEN, "time_without_zone"),
        ("2026-11-22 07:00:00", SEVEN, "time_without_zone"),
        (" 2026-11-22T07:00:00 Z ", SEVEN, "time_format"),
        (int(SEVEN.timestamp()), SEVEN, "time_format"),
        (str(int(SEVEN.timestamp() * 1000)), SEVEN, "time_format"),
        ("2026-11-21T07:00:00Z", SEVEN - timedelta(days=1), ""),
    ],
)
def test_a_time_that_can_be_meant_is_read(raw: object, at: datetime, quirk: str) -> None:
    assert moments.read(raw, WINDOW) == (at, quirk, False)


@pytest.mark.parametrize(
    "raw,quirk",
    [
        (None, "time_missing"),
        ("", "time_missing"),
        ("yesterday", "time_unreadable"),
        ({}, "time_unreadable"),
        ([], "time_unreadable"),
        (float("nan"), "time_unreadable"),
        (10**30, "time_unreadable"),
        ("1970-01-01T00:00:12Z", "time_too_old"),
        ("222222017-11-22T07:00:00Z", "time_unreadable"),
        # Local time with a Z at its end, east of Greenwich.
        ("2026-11-22T08:00:30Z", "time_in_future"),
        ("2026-11-22T23:59:60Z", "time_unreadable"),
        ("0001-01-01T00:00:00+14:00", "time_unreadable"),
        ("9999-12-31T23:59:59Z", "time_in_future"),
    ],
)
def test_a_time_that_cannot_be_meant_gives_way_to_the_time_of_receipt(raw: object, quirk: str) -> None:
    assert moments.read(raw, WINDOW) == (NOW, quirk, True)


@given(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.datetimes().map(str), st.binary()))
def test_anything_gives_an_aware_time_inside_the_window(raw: object) -> None:
    at, _, replaced = moments.read(raw, WINDOW)
    assert at.tzinfo is UTC
    assert WINDOW.earliest <= at <= WINDOW.latest
    assert not replaced or at == NOW


def test_times_go_out_without_fractions_and_with_a_z() -> None:
    assert moments.wire(SEVEN.replace(microsecond=987654)) == "2026-11-22T07:00:00Z"
    assert moments.wire(datetime.fromisoformat("2026-11-22T09:00:00+02:00")) == "2026-11-22T07:00:00Z"


def test_one_window_serves_the_messages_of_a_second() -> None:
    windows = moments.Windows(300)
    first = windows.at(NOW)
    assert windows.at(NOW + timedelta(seconds=0.9)) is first
    assert windows.at(NOW + timedelta(seconds=1.1)).received == NOW + timedelta(seconds=1.1)
    assert windows.at(NOW - timedelta(hours=1)).received == NOW - timedelta(hours=1)
