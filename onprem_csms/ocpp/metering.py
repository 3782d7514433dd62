"""Meter values of every version as neutral readings; pure (OCPP 1.6 section 7.33, 2.0.1 part 2 section 2.34).

The form is that of 1.6; a version whose values look otherwise hands them in so (``v2/meter.py``).

A charger may name a value for each phase, in any unit of the standard, at several places; a neutral
reading has one register, one power, one current, one voltage at a moment.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from onprem_csms.domain.charging.sessions import Reading, ReadingContext
from onprem_csms.ocpp.rpc import moments
from onprem_csms.ocpp.rpc.moments import Window

ENERGY, POWER, CURRENT, VOLTAGE, CHARGE = range(5)
_DIMENSIONS: dict[str | None, int] = {
    None: ENERGY,
    "Energy.Active.Import.Register": ENERGY,
    "Power.Active.Import": POWER,
    "Current.Import": CURRENT,
    "Voltage": VOLTAGE,
    "SoC": CHARGE,
}
# Known, and not what is read here: offered and reactive power, export, intervals (never a register).
_OTHER_MEASURANDS = frozenset(
    (
        "Energy.Active.Export.Register",
        "Energy.Reactive.Export.Register",
        "Energy.Reactive.Import.Register",
        "Energy.Active.Export.Interval",
        "Energy.Active.Import.Interval",
        "Energy.Reactive.Export.Interval",
        "Energy.Reactive.Import.Interval",
        "Energy.Active.Net",
        "Energy.Reactive.Net",
        "Energy.Apparent.Net",
        "Energy.Apparent.Import",
        "Energy.Apparent.Export",
        "Power.Active.Export",
        "Power.Offered",
        "Power.Reactive.Export",
        "Power.Reactive.Import",
        "Power.Factor",
        "Current.Export",
        "Current.Offered",
        "Frequency",
        "Temperature",
        "RPM",
    )
)
# From the unit to the product's own: Wh, W, mA, mV, %. None: the charger named none.
_FACTORS: tuple[dict[str | None, float], ...] = (
    {None: 1, "Wh": 1, "kWh": 1000},
    {None: 1, "W": 1, "kW": 1000},
    {None: 1000, "A": 1000},
    {None: 1000, "V": 1000},
    {None: 1, "Percent": 1},
)
# A power unit on a register or the reverse: the number is right, the word is a slip.
_SLIPS: tuple[dict[str | None, float], ...] = (
    {"W": 1, "kW": 1000},
    {"Wh": 1, "kWh": 1000, "VA": 1, "kVA": 1000},
    {},
    {},
    {},
)
_NONE = -1
_MEASURANDS: dict[str | None, tuple[int, dict[str | None, float]]] = {
    name: (dimension, _FACTORS[dimension]) for name, dimension in _DIMENSIONS.items()
}
_NOT_READ: tuple[int, dict[str | None, float]] = (_NONE, {})
_SOMEWHERE = 5
_PLACES = {"Cable": 1, "Inlet": 2, "EV": 3, "Body": 4}
_CONTEXTS: dict[str, ReadingContext] = {
    "": "periodic",
    "Sample.Periodic": "periodic",
    "Sample.Clock": "clock",
    "Transaction.Begin": "begin",
    "Transaction.End": "end",
    "Interruption.Begin": "interruption",
    "Interruption.End": "interruption",
    "Trigger": "trigger",
    "Other": "other",
}
_LARGEST = 2.0**53
_FIRST_PHASES = ("L1", "L1-N", "L1-L2")


Decoded = tuple[tuple[Reading, ...], tuple[str, ...], bool]
"""Readings in the order they came; what was odd about them; whether a time was not believed."""


def decode(meter_values: Iterable[Mapping[str, Any]], believed: Window) -> Decoded:
    """Read a list of meter values; what can't be read is left out and named."""
    readings: list[Reading] = []
    quirks: list[str] = []
    clock = False
    for meter_value in meter_values:
        at, quirk, replaced = moments.read(meter_value.get("timestamp"), believed)
        if quirk:
            quirks.append(quirk)
            clock = clock or replaced
        _read(meter_value.get("sampledValue", ()), at, readings, quirks)
    return tuple(readings), tuple(dict.fromkeys(quirks)) if quirks else (), clock


def quick(meter_values: Iterable[Any], believed: Window) -> tuple[Reading, ...] | None:
    """Read meter values of 1.6 that were decoded into structs of their schema; None where ``decode`` must look."""
    readings: list[Reading] = []
    for meter_value in meter_values:
        at, quirk, _ = moments.read(meter_value.timestamp, believed)
        if quirk or not _read_quickly(meter_value.sampledValue, at, readings):
            return None
    return tuple(readings)


def _read_quickly(samples: Iterable[Any], at: datetime, readings: list[Reading]) -> bool:
    values: list[float | None] = [None, None, None, None, None]
    context = None
    phases: list[tuple[int, str, float]] = []
    elsewhere: list[tuple[int, int, float]] = []
    for sample in samples:
        if sample.format == "SignedData":
            return False
        way = _way(sample.measurand, sample.unit, sample.location)
        if way is None:
            continue
        dimension, factor, place = way
        number = _plain_number(sample.value, factor)
        if number is None:
            return False
        if sample.phase is not None:
            phases.append((dimension, sample.phase, number))
        elif place:
            elsewhere.append((place, dimension, number))
        else:
            values[dimension] = number
        if context is None or dimension == ENERGY:
            context = sample.context or ""
    if context is None:
        return True
    quirks: list[str] = []
    if phases or elsewhere:
        _fill_in(values, phases, elsewhere, quirks)
    _append(readings, at, values, _CONTEXTS.get(context, "other"), None)
    return not quirks


@lru_cache(maxsize=1_000)
def _way(
    measurand: str | None, unit: str | None, location: str | None
) -> tuple[int, float | None, int] | None:
    """Return dimension, factor (None: an odd unit) and place (0: the outlet) of a value; None of what is not read."""
    dimension, factors = _MEASURANDS.get(measurand, _NOT_READ)
    if dimension == _NONE and measurand in _OTHER_MEASURANDS:
        return None
    place = 0 if location in (None, "Outlet") else _PLACES.get(location, _SOMEWHERE)
    return dimension, factors.get(unit), place


def _plain_number(text: str, factor: float | None) -> float | None:
    if factor is None:
        return None
    try:
        number = float(text) * factor
    except ValueError:
        return None
    return number if -_LARGEST < number < _LARGEST else None


def _read(  # noqa: C901 - one loop that runs for every value: calls would cost more than it does
    samples: Iterable[Mapping[str, Any]], at: datetime, readings: list[Reading], quirks: list[str]
) -> None:
    values: list[float | None] = [None, None, None, None, None]
    phases: list[tuple[int, str, float]] | None = None
    elsewhere: list[tuple[int, int, float]] | None = None
    signed: list[str] | None = None
    context = None
    for sample in samples:
        get = sample.get
        dimension, factors = _MEASURANDS.get(get("measurand"), _NOT_READ)
        factor = factors.get(get("unit"))
        if factor is None or get("format", "Raw") != "Raw":
            factor = _odd_factor(sample, dimension, factor, quirks)
            if factor is None:
                if get("format") == "SignedData":
                    signed = [*(signed or ()), get("value", "")]
                    context = context or get("context", "")
                continue
        try:
            number = float(sample["value"]) * factor
        except (KeyError, TypeError, ValueError):
            number = _loose_number(get("value"), quirks) * factor
        if not -_LARGEST < number < _LARGEST:  # true for NaN too
            quirks.append("unreadable_value")
            continue
        phase, place = get("phase"), get("location")
        if phase is not None:
            phases = phases or []
            phases.append((dimension, phase, number))
        elif place is not None and place != "Outlet":
            elsewhere = [*(elsewhere or ()), (_PLACES.get(place, _SOMEWHERE), dimension, number)]
        else:
            values[dimension] = number
        if context is None or dimension == ENERGY:
            context = get("context", "")
    if context is not None:
        if phases or elsewhere:
            _fill_in(values, phases or [], elsewhere or [], quirks)
        _append(readings, at, values, _CONTEXTS.get(context, "other"), signed)


def _odd_factor(
    sample: Mapping[str, Any], dimension: int, factor: float | None, quirks: list[str]
) -> float | None:
    """Return the factor of a value whose words are seldom; None: it is not a number to be read."""
    if sample.get("format") == "SignedData":
        return None
    if factor is not None:
        return factor
    measurand, unit = sample.get("measurand"), sample.get("unit")
    if dimension == _NONE:
        if measurand not in _OTHER_MEASURANDS:
            quirks.append("unknown_measurand")
        return None
    quirks.append("wrong_unit")
    return _SLIPS[dimension].get(unit)


def _loose_number(text: object, quirks: list[str]) -> float:
    """Read ``1 234,5``; NaN when it is no number."""
    try:
        number = float(str(text).replace(" ", "").replace("\u00a0", "").replace(",", "."))
    except ValueError:
        return float("nan")
    quirks.append("number_format")
    return number


def _fill_in(
    values: list[float | None],
    phases: list[tuple[int, str, float]],
    elsewhere: list[tuple[int, int, float]],
    quirks: list[str],
) -> None:
    """Where the charger named no value of the outlet take that of another place, or make one of the phases'.

    Register and power are sums, the current is the largest, the voltage that of the first phase. What comes on one
    phase alone, whichever, is the value (but for the current of N); registers
    that are equal on all phases are one total.
    """
    for _, dimension, number in sorted(elsewhere):
        if values[dimension] is None:
            values[dimension] = number
    by_phase: dict[int, dict[str, float]] = {}
    for dimension, phase, number in phases:
        # A current on N is that of the neutral conductor, never the vehicle's.
        if values[dimension] is None and (phase != "N" or dimension != CURRENT):
            by_phase.setdefault(dimension, {}).setdefault(phase, number)
    for dimension, told in by_phase.items():
        values[dimension] = _of_phases(dimension, told, quirks)


def _of_phases(dimension: int, told: Mapping[str, float], quirks: list[str]) -> float:
    lines = {phase: number for phase, number in told.items() if phase != "N"}
    if not lines:
        quirks.append("neutral_phase")
        return told["N"]
    numbers = list(lines.values())
    if dimension == CURRENT:
        return max(numbers)
    if dimension == POWER:
        return sum(numbers)
    if dimension == ENERGY:
        if len(numbers) > 1 and numbers[0] and len(set(numbers)) == 1:
            quirks.append("total_on_each_phase")
            return numbers[0]
        return sum(numbers)
    return next((lines[phase] for phase in _FIRST_PHASES if phase in lines), numbers[0])


def _append(
    readings: list[Reading],
    at: datetime,
    values: list[float | None],
    context: ReadingContext,
    signed: list[str] | None,
) -> None:
    energy, power, current, voltage, charge = values
    reading = Reading(
        at,
        None if energy is None else round(energy),
        None if power is None else round(power),
        None if current is None else round(current),
        None if voltage is None else round(voltage),
        None if charge is None else round(charge),
        context,
        signed[0] if signed else None,
    )
    readings.append(reading)
    if signed:
        readings.extend(Reading(at, context=context, signed=text) for text in signed[1:])
