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
# A register is kept in whole Wh; one in kWh that was called Wh has lost its fraction.
ROUNDED_WH = 500


class Limit(NamedTuple):
    """What a session can have taken at most: power (W) times the time since it began, and an allowance (Wh)."""

    began_at: datetime
    max_power_w: int
    allowance_wh: int


class Astray(NamedTuple):
    """A register that does not follow from the one before, seen once."""

    at: datetime
    register_wh: int


class Meter(NamedTuple):
    """A session's meter so far: the register last believed, the session's energy, both in Wh.

    ``astray`` is a register that was not believed when it came: one that goes on from there says that the register
    was set anew. ``before`` is then where register and energy stood until that.
    """

    register_wh: int
    energy_wh: int = 0
    astray: Astray | None = None
    before: tuple[int, int] | None = None


def follow(meter: Meter, at: datetime, register_wh: int | None, limit: Limit) -> tuple[Meter, str]:
    """Take the next reading; returns the meter after it and a flag, empty when all is well."""
    if register_wh is None:
        return meter, ""
    if register_wh < 0:
        return meter, NEGATIVE
    possible = _possible(limit, limit.began_at, at)
    if meter.before is not None and _was_a_slip(meter, register_wh, possible + limit.allowance_wh):
        register, energy = meter.before
        return Meter(register_wh, max(meter.energy_wh, energy + register_wh - register)), ""
    delta = register_wh - meter.register_wh
    energy = meter.energy_wh + delta
    if delta < 0 or energy > possible + limit.allowance_wh:
        return _astray(meter, Astray(at, register_wh), limit)
    flag = TOO_FAST if energy > possible + COARSE_WH and delta else ""
    return meter._replace(register_wh=register_wh, energy_wh=energy, astray=None), flag


def _astray(meter: Meter, now: Astray, limit: Limit) -> tuple[Meter, str]:
    """Take a register that went back or too far: believed once a second one goes on from the first."""
    lower = now.register_wh < meter.register_wh
    first = meter.astray
    if first is not None:
        delta = now.register_wh - first.register_wh
        if 0 <= delta <= _possible(limit, first.at, now.at) + COARSE_WH:
            before = meter.before or (meter.register_wh, meter.energy_wh)
            return Meter(now.register_wh, meter.energy_wh + delta, None, before), RESTARTED if lower else ""
    return meter._replace(astray=now), WENT_BACK if lower else JUMPED


def _was_a_slip(meter: Meter, register_wh: int, most_wh: int) -> bool:
    """Tell whether a reading goes on from before the register was set anew, and what lay between was in another unit.

    Registers in kWh that are called Wh are a thousandth of their neighbours; those in Wh that are called kWh lie
    above all that follows.
    """
    assert meter.before is not None  # noqa: S101 - the caller looked
    register, energy = meter.before
    if not 0 <= register_wh - register <= most_wh - energy:
        return False
    between = meter.register_wh
    in_thousands = 1000 * between + ROUNDED_WH >= register and 1000 * between - ROUNDED_WH <= register_wh
    return in_thousands or between > register_wh


def _possible(limit: Limit, since: datetime, until: datetime) -> int:
    """Return what the connector can deliver in a span, in Wh."""
    return int(limit.max_power_w * max(0.0, (until - since).total_seconds()) / 3600)
