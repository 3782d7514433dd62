"""From what a meter shows to the energy of a session: never negative, never the lifetime counter.

Registers restart, jump, go back and begin at placeholders. Where the truth is not known the session
keeps what was certain and gets a flag; the driver is never charged for a guess.
"""

from datetime import datetime
from typing import NamedTuple

NEGATIVE = "negative_register"
JUMPED = "implausible_energy"
WENT_BACK = "register_went_back"
RESTARTED = "register_restarted"
TOO_FAST = "faster_than_possible"
# Below this an excess over power times time is the coarseness of clocks and meters.
COARSE_WH = 1_000


class Limit(NamedTuple):
    """What a session can have taken at most: power (W) times the time since it began, and an allowance (Wh)."""

    began_at: datetime
    max_power_w: int
    allowance_wh: int


class Meter(NamedTuple):
    """A session's meter so far: the register last believed, the session's energy, both in Wh.

    ``suspect_wh`` is a lower register that was seen once: a second one says that the register restarted.
    """

    register_wh: int
    energy_wh: int = 0
    suspect_wh: int | None = None


def follow(meter: Meter, at: datetime, register_wh: int | None, limit: Limit) -> tuple[Meter, str]:
    """Take the next reading; returns the meter after it and a flag, empty when all is well."""
    if register_wh is None:
        return meter, ""
    if register_wh < 0:
        return meter, NEGATIVE
    delta = register_wh - meter.register_wh
    if delta < 0:
        return _lower(meter, register_wh)
    energy = meter.energy_wh + delta
    possible = int(limit.max_power_w * max(0.0, (at - limit.began_at).total_seconds()) / 3600)
    if energy > possible + limit.allowance_wh:
        return Meter(register_wh, meter.energy_wh), JUMPED
    flag = TOO_FAST if energy > possible + COARSE_WH and delta else ""
    return Meter(register_wh, energy), flag


def _lower(meter: Meter, register_wh: int) -> tuple[Meter, str]:
    if meter.suspect_wh is not None and register_wh >= meter.suspect_wh:
        return Meter(register_wh, meter.energy_wh + register_wh - meter.suspect_wh), RESTARTED
    return Meter(meter.register_wh, meter.energy_wh, register_wh), WENT_BACK
