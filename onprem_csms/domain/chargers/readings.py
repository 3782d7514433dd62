"""What readings a charger should send: what tariffs and prepaid cards need, by vendor and model; pure."""

from typing import Literal, NamedTuple

Measured = Literal["energy", "power", "current", "voltage", "charge"]
"""Energy register, power, current and voltage of the outlet, state of charge of the vehicle."""


class Readings(NamedTuple):
    """What a reading holds, the most needed first, and how often it is sent (seconds; None: as the site says)."""

    measured: tuple[Measured, ...] = ("energy", "power", "current")
    every_s: int | None = None


class Preset(NamedTuple):
    """What is wanted of the chargers of a vendor and model: each a word of their name, empty for any."""

    vendor: str
    model: str
    readings: Readings


PRESETS: tuple[Preset, ...] = (
    # Direct current tells the vehicle's charge; fast chargers spend a balance in minutes.
    Preset("abb", "terra 5", Readings(("energy", "power", "charge"), 30)),
    Preset("abb", "terra 1", Readings(("energy", "power", "charge"), 30)),
    Preset("alpitronic", "", Readings(("energy", "power", "charge"), 30)),
    Preset("tritium", "", Readings(("energy", "power", "charge"), 30)),
    Preset("kempower", "", Readings(("energy", "power", "charge"), 30)),
    Preset("", "hypercharger", Readings(("energy", "power", "charge"), 30)),
    Preset("", "", Readings()),
)
"""The first that fits counts. What an operator wants of the same variables of a charger counts more."""


def preset(vendor: str, model: str) -> Readings:
    """Return what is wanted of a charger by the words of its boot."""
    vendor, model = vendor.casefold(), model.casefold()
    return next(one.readings for one in PRESETS if one.vendor in vendor and one.model in model)


def fewer(readings: Readings) -> Readings | None:
    """Return what to ask for where a charger refuses so much; None where nothing is left to do without."""
    if len(readings.measured) == 1:
        return None
    kept = 2 if len(readings.measured) > 2 else 1
    return readings._replace(measured=readings.measured[:kept])


def same(told: str | None, wanted: str) -> bool:
    """Tell whether a charger's value is the wanted one: a list in any order, in any case."""
    return told is not None and _words(told) == _words(wanted)


def _words(value: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in value.split(",") if word.strip())


def offered(wanted: str, choices: str) -> str:
    """Return the part of a wanted list that a charger offers; all of it where it offers nothing of it."""
    known = _words(choices)
    kept = [word for word in wanted.split(",") if word.strip().casefold() in known]
    return ",".join(kept) or wanted
