"""What chargers write as meter values, and what is read in it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.ocpp import metering as meter
from onprem_csms.ocpp.rpc import moments

AT = datetime(2026, 11, 22, 7, tzinfo=UTC)
WINDOW = moments.window(AT, 300)


def decode(*samples: dict[str, Any], timestamp: object = "2026-11-22T07:00:00Z") -> meter.Decoded:
    return meter.decode([{"timestamp": timestamp, "sampledValue": list(samples)}], WINDOW)


def value(text: object, measurand: str | None = None, **more: str) -> dict[str, Any]:
    return {"value": text, **({} if measurand is None else {"measurand": measurand}), **more}


REGISTER = "Energy.Active.Import.Register"


@pytest.mark.parametrize(
    "samples,reading",
    [
        # Everything left out: an imported register in Wh, a periodic sample.
        ([value("1234")], Reading(AT, 1234)),
        ([value("1.5", REGISTER, unit="kWh")], Reading(AT, 1500)),
        ([value("0.0005", REGISTER, unit="kWh")], Reading(AT, 0)),
        ([value("7.4", "Power.Active.Import", unit="kW")], Reading(AT, power_w=7400)),
        ([value("16.05", "Current.Import", unit="A")], Reading(AT, current_ma=16050)),
        ([value("230.1", "Voltage")], Reading(AT, voltage_mv=230100)),
        ([value("81", "SoC", unit="Percent")], Reading(AT, soc_percent=81)),
        ([value("5", context="Transaction.Begin")], Reading(AT, 5, context="begin")),
        ([value("5", context="Sample.Clock")], Reading(AT, 5, context="clock")),
        ([value("5", context="Whatever")], Reading(AT, 5, context="other")),
        # Phases: registers and powers add up, the largest current, the first voltage.
        ([value("1", phase="L1"), value("2", phase="L2"), value("3", phase="L3")], Reading(AT, 6)),
        ([value("1", phase="L1")], Reading(AT, 1)),
        ([value("9"), value("1", phase="L1"), value("2", phase="L2")], Reading(AT, 9)),
        (
            [value("6", "Current.Import", phase="L1"), value("16", "Current.Import", phase="L2")],
            Reading(AT, current_ma=16000),
        ),
        ([value("3", "Current.Import", phase="N"), value("1")], Reading(AT, 1)),
        (
            [value("400", "Voltage", phase="L2-N"), value("230", "Voltage", phase="L1-N")],
            Reading(AT, voltage_mv=230000),
        ),
        # Places: what leaves the charger counts, not what enters it.
        ([value("7", location="Inlet"), value("5", location="Outlet")], Reading(AT, 5)),
        ([value("5"), value("7", location="Inlet")], Reading(AT, 5)),
        ([value("7", location="Inlet")], Reading(AT, 7)),
    ],
)
def test_values_become_one_reading(samples: list[dict[str, Any]], reading: Reading) -> None:
    decoded = decode(*samples)
    assert decoded[0] == (reading,)
    assert decoded[1] == ()


@pytest.mark.parametrize(
    "samples,reading,quirk",
    [
        ([value(" 1 234,5 ")], Reading(AT, 1234), "number_format"),
        ([value("1500", REGISTER, unit="W")], Reading(AT, 1500), "wrong_unit"),
        ([value("7.4", "Power.Active.Import", unit="kWh")], Reading(AT, power_w=7400), "wrong_unit"),
        ([value("11"), value("22", "Frequency.Of.Sun")], Reading(AT, 11), "unknown_measurand"),
        ([value("11"), value("50", "Voltage", unit="Hz")], Reading(AT, 11), "wrong_unit"),
        ([value("11"), value("warm", "Voltage")], Reading(AT, 11), "unreadable_value"),
        ([value("11"), value("NaN", "Voltage")], Reading(AT, 11), "unreadable_value"),
        ([value("11"), value("1e300", "Voltage")], Reading(AT, 11), "unreadable_value"),
        ([value("11"), value(None, "Voltage")], Reading(AT, 11), "unreadable_value"),
    ],
)
def test_one_bad_value_does_not_drop_the_others(
    samples: list[dict[str, Any]], reading: Reading, quirk: str
) -> None:
    decoded = decode(*samples)
    assert decoded[0] == (reading,)
    assert quirk in decoded[1]


@pytest.mark.parametrize(
    "measurand",
    ["Energy.Active.Import.Interval", "Energy.Active.Export.Register", "Power.Offered", "Temperature"],
)
def test_what_is_no_register_of_import_never_becomes_one(measurand: str) -> None:
    assert decode(value("5", measurand, unit="Wh")) == ((), (), False)
    assert decode(value("5", measurand), value("7"))[0] == (Reading(AT, 7),)


def test_a_signed_reading_is_kept_letter_by_letter_and_never_read_as_a_number() -> None:
    signed = 'OCMF|{"FV":"1.0","RD":[{"RV":1.0e3}]}|{"SD":"30"}'
    both = decode(value(signed, format="SignedData", context="Transaction.End"), value("12", format="Raw"))
    assert both[0] == (Reading(AT, 12, signed=signed, context="end"),) or both[0] == (
        Reading(AT, 12, signed=signed),
    )
    two = decode(value("1", format="SignedData"), value("2", format="SignedData"))
    assert [(reading.energy_wh, reading.signed) for reading in two[0]] == [(None, "1"), (None, "2")]


def test_a_time_that_is_not_believed_is_named() -> None:
    decoded = decode(value("5"), timestamp="1970-01-01T00:00:00Z")
    assert decoded == ((Reading(AT, 5),), ("time_too_old",), True)
    decoded = decode(value("5"), timestamp="2026-11-22T07:00:00")
    assert (decoded[2], decoded[1]) == (False, ("time_without_zone",))


words = st.sampled_from(
    [None, REGISTER, "Voltage", "Current.Import", "x", "Wh", "kWh", "A", "L1", "N", "Outlet", "SignedData"]
)
samples = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("measurand", "unit", "phase", "location", "context", "format"), words)
    | {"value": st.text() | st.integers() | st.floats() | st.none()},
)


@given(st.lists(samples, max_size=10))
def test_any_values_give_readings_that_fit_the_database(values: list[dict[str, Any]]) -> None:
    for reading in decode(*values)[0]:
        for number in (reading.energy_wh, reading.power_w, reading.current_ma, reading.voltage_mv):
            assert number is None or -(2**63) < number < 2**63
