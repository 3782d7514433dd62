"""The meter values of OCPP 1.6 (section 7.33 and its neighbours) as neutral readings; pure.

A charger may name a value for each phase, in any unit of the standard, at several places; a reading
of the house has one register, one power, one current, one voltage at a moment.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from onprem_csms.domain.sessions import Reading, ReadingContext
from onprem_csms.ocpp import moments
from onprem_csms.ocpp.moments import Window

ENERGY, POWER, CURRENT, VOLTAGE, CHARGE = range(5)
_DEFAULT_MEASURAND = "Energy.Active.Import.Register"
_DIMENSIONS = {
    _DEFAULT_MEASURAND: ENERGY,
    "Power.Active.Import": POWER,
    "Current.Import": CURRENT,
    "Voltage": VOLTAGE,
    "SoC": CHARGE,
}
# Known, and not what the house reads: offered and reactive power, export, intervals (never a register).
_OTHER_MEASURANDS = frozenset(
    (
        "Energy.Active.Export.Register",
        "Energy.Reactive.Export.Register",
        "Energy.Reactive.Import.Register",
        "Energy.Active.Export.Interval",
        "Energy.Active.Import.Interval",
        "Energy.Reactive.Export.Interval",
        "Energy.Reactive.Import.Interval",
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
# From the unit to the house's own: Wh, W, mA, mV, %. None: the charger named none.
_FACTORS: tuple[dict[str | None, float], ...] = (
    {None: 1, "Wh": 1, "kWh": 1000, "W": 1, "kW": 1000},
    {None: 1, "W": 1, "kW": 1000, "VA": 1, "kVA": 1000, "Wh": 1, "kWh": 1000},
    {None: 1000, "A": 1000},
    {None: 1000, "V": 1000},
    {None: 1, "Percent": 1},
)
# A power unit on a register or the reverse: the number is right, the word is a slip.
_SLIPS: tuple[frozenset[str], ...] = (
    frozenset(("W", "kW")),
    frozenset(("Wh", "kWh", "VA", "kVA")),
    frozenset(),
    frozenset(),
    frozenset(),
)
_PLACES = {None: 0, "Outlet": 0, "Cable": 1, "Inlet": 2, "EV": 3, "Body": 4}
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


class Decoded(NamedTuple):
    """Readings in the order they came, and what was odd about them; ``clock``: a time was not believed."""

    readings: tuple[Reading, ...]
    quirks: tuple[str, ...]
    clock: bool


class _Plan(NamedTuple):
    """What to do with a value of certain words: the dimension (negative: leave it out), the factor to the
    house's unit, how well its place fits, its phase, and the quirk in the words."""

    dimension: int
    factor: float = 1.0
    place: int = 0
    phase: str | None = None
    quirk: str = ""


_SIGNED, _LEFT_OUT = -1, -2
# Chargers say the same words all day; what they mean is worked out once.
_plans: dict[tuple[Any, ...], _Plan] = {}
_MOST_PLANS = 4096


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
    return Decoded(tuple(readings), tuple(dict.fromkeys(quirks)) if quirks else (), clock)


def _read(samples: Iterable[Mapping[str, Any]], at: datetime, readings: list[Reading], quirks: list[str]) -> None:
    values: list[float | None] = [None, None, None, None, None]
    places = [9, 9, 9, 9, 9]
    phases: list[tuple[int, str, float]] = []
    signed: list[str] = []
    context = None
    for sample in samples:
        get = sample.get
        words = (get("measurand"), get("unit"), get("phase"), get("location"), get("format"))
        dimension, factor, place, phase, quirk = _plans.get(words) or _plan(words)
        if quirk:
            quirks.append(quirk)
        if dimension < 0:
            if dimension == _SIGNED:
                signed.append(get("value", ""))
                context = context or get("context", "")
            continue
        try:
            number = float(sample["value"]) * factor
        except (KeyError, TypeError, ValueError):
            number = _loose_number(get("value"), quirks) * factor
        if not -_LARGEST < number < _LARGEST:  # true for NaN too
            quirks.append("unreadable_value")
            continue
        if phase is not None:
            phases.append((dimension, phase, number))
        elif place < places[dimension]:
            values[dimension], places[dimension] = number, place
        if context is None or dimension == ENERGY:
            context = get("context", "")
    if context is not None:
        if phases:
            _fold_phases(values, phases)
        _append(readings, at, values, _CONTEXTS.get(context, "other"), signed)


def _plan(words: tuple[Any, ...]) -> _Plan:
    """Work out what to do with a value of these words: measurand, unit, phase, location, format."""
    plan = _new_plan(*words)
    if len(_plans) < _MOST_PLANS:
        _plans[words] = plan
    return plan


def _new_plan(measurand: str | None, unit: str | None, phase: str | None, place: str | None, form: str | None) -> _Plan:
    if form == "SignedData":
        return _Plan(_SIGNED)
    dimension = _DIMENSIONS.get(measurand or _DEFAULT_MEASURAND, _LEFT_OUT)
    if dimension == _LEFT_OUT:
        return _Plan(_LEFT_OUT, quirk="" if measurand in _OTHER_MEASURANDS else "unknown_measurand")
    factor = _FACTORS[dimension].get(unit)
    if factor is None:
        return _Plan(_LEFT_OUT, quirk="wrong_unit")
    if phase == "N":
        return _Plan(_LEFT_OUT)
    quirk = "wrong_unit" if unit in _SLIPS[dimension] else ""
    return _Plan(dimension, factor, _PLACES.get(place, 5), phase, quirk)


def _loose_number(text: object, quirks: list[str]) -> float:
    """Read ``1 234,5``; NaN when it is no number."""
    try:
        number = float(str(text).replace(" ", "").replace("\u00a0", "").replace(",", "."))
    except ValueError:
        return float("nan")
    quirks.append("number_format")
    return number


def _fold_phases(values: list[float | None], phases: list[tuple[int, str, float]]) -> None:
    """Make one value of those of the phases where the charger named no total.

    Register and power are sums, the current is the largest, the voltage that of the first phase.
    """
    seen = [value is not None for value in values]
    said: set[tuple[int, str]] = set()
    for dimension, phase, number in phases:
        if seen[dimension] or (dimension, phase) in said:
            continue
        said.add((dimension, phase))
        before = values[dimension]
        if before is None or (dimension == VOLTAGE and phase in _FIRST_PHASES):
            values[dimension] = number
        elif dimension in (ENERGY, POWER):
            values[dimension] = before + number
        elif dimension == CURRENT:
            values[dimension] = max(before, number)


def _append(
    readings: list[Reading],
    at: datetime,
    values: list[float | None],
    context: ReadingContext,
    signed: list[str],
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
    for text in signed[1:]:
        readings.append(Reading(at, context=context, signed=text))
