"""From what a meter shows to the energy of a session: never negative, never the lifetime counter; pure.

Registers restart, jump, drop out, go back and begin at placeholders. Where the truth is not known the session
keeps what was certain and gets a flag; the driver is never charged for a guess. Each rule is a small function.
Moments are UTC milliseconds.
"""

from typing import NamedTuple

NEGATIVE = "negative_register"
JUMPED = "implausible_energy"
WENT_BACK = "register_went_back"
RESTARTED = "register_restarted"
TOO_FAST = "faster_than_possible"
STANDS_STILL = "power_without_energy"
WRONG_UNIT = "unit_suspected"
# Below this an excess over power times time is the coarseness of clocks and meters.
COARSE_WH = 1_000
# A register is kept in whole Wh; one in kWh that was called Wh has lost its fraction.
ROUNDED_WH = 500
# What a connector delivers above its nominal power: a grid that runs high is no fault.
MARGIN_PERCENT = 15
# A step this many times above what the reported power gives was not delivered.
CONTRADICTED = 5
# In a span so short the time told is coarser than the power: only what is above this contradicts.
SUDDEN_MS = 10_000
SUDDEN_WH = 5_000
# A meter that stands still while so much flowed by its own power readings shows no energy at all.
UNSEEN_WH = 500
HOUR_MS = 3_600_000


class Limit(NamedTuple):
    """What a session can have taken at most: power (W) times the time since it began, and an allowance (Wh)."""

    began: int
    max_power_w: int
    allowance_wh: int


class Astray(NamedTuple):
    """A register that does not follow from the one before, seen once."""

    at: int
    register_wh: int
    explained: int


class Meter(NamedTuple):
    """A session's meter so far: the register last believed and when, the session's energy in Wh.

    ``astray`` is a register that was not believed when it came: one that goes on from there says that the register
    was set anew. ``before`` is then the state until that. ``power_w`` is the power last told, ``top_power_w`` the
    highest, and ``explained`` the energy that the told powers give until ``told_at``, in W times ms; ``explained_here``
    is what they gave when the register was last believed.
    """

    at: int
    start_wh: int
    register_wh: int
    energy_wh: int = 0
    astray: Astray | None = None
    before: "Before | None" = None
    power_w: int | None = None
    top_power_w: int = 0
    explained: int = 0
    explained_here: int = 0
    told_at: int = 0

    @property
    def explained_wh(self) -> int:
        """The energy that the told powers give, in Wh."""
        return self.explained // HOUR_MS


class Before(NamedTuple):
    """Where register (Wh) and energy (Wh) stood when the register was set anew; ``lower``: it began again."""

    register_wh: int
    energy_wh: int
    lower: bool


def begin(at: int, register_wh: int) -> Meter:
    """Return the meter of a session that begins; a register below zero counts as none."""
    start = max(0, register_wh)
    return Meter(at, start, start, told_at=at)


def follow_power(meter: Meter, at: int, power_w: int | None) -> Meter:
    """Take the power told at a moment; between two of them their mean counts."""
    if power_w is None:
        return meter
    power = max(0, power_w)
    mean = power if meter.power_w is None else (power + meter.power_w) // 2
    # Field by field here and below: _replace takes four times as long, and this runs for every reading.
    return Meter(
        meter.at,
        meter.start_wh,
        meter.register_wh,
        meter.energy_wh,
        meter.astray,
        meter.before,
        power,
        power if power > meter.top_power_w else meter.top_power_w,  # noqa: FURB136 - max() takes three times as long
        meter.explained + mean * (at - meter.told_at),
        meter.explained_here,
        at,
    )


def follow(meter: Meter, at: int, register_wh: int, limit: Limit) -> tuple[Meter, str]:
    """Take the next register; returns the meter after it and a flag, empty when all is well."""
    if register_wh < 0:
        return meter, NEGATIVE
    if meter.before is not None and _was_a_slip(meter, meter.before, at, register_wh, limit):
        energy = meter.before.energy_wh + register_wh - meter.before.register_wh
        return meter._replace(
            at=at,
            register_wh=register_wh,
            energy_wh=max(meter.energy_wh, energy),
            astray=None,
            before=None,
            explained_here=meter.explained,
        ), ""
    delta = register_wh - meter.register_wh
    energy = meter.energy_wh + delta
    most = possible(limit, limit.began, at)
    if delta < 0 or energy > most + limit.allowance_wh or _too_far(meter, at, delta, limit):
        return _astray(meter, Astray(at, register_wh, meter.explained), limit)
    flag = TOO_FAST if energy > most + COARSE_WH and delta else ""
    after = Meter(
        at,
        meter.start_wh,
        register_wh,
        energy,
        None,
        meter.before,
        meter.power_w,
        meter.top_power_w,
        meter.explained,
        meter.explained,
        meter.told_at,
    )
    return after, flag


def _too_far(meter: Meter, at: int, delta_wh: int, limit: Limit) -> bool:
    """Tell whether a step is above what the connector delivers in its time, or contradicts the power that was told."""
    if delta_wh > possible(limit, meter.at, at) + limit.allowance_wh:
        return True
    return _contradicts_power(meter, at, delta_wh)


def _contradicts_power(meter: Meter, at: int, delta_wh: int) -> bool:
    """Tell whether a step is many times what the highest power that was told gives in its time.

    A power that is a thousandth of what flowed was told in another unit; it contradicts nothing.
    """
    span = at - meter.at
    by_power = meter.top_power_w * span // HOUR_MS
    coarse = COARSE_WH if span >= SUDDEN_MS else SUDDEN_WH
    if not meter.top_power_w or delta_wh <= CONTRADICTED * by_power + coarse:
        return False
    return not 500 * by_power <= delta_wh <= 2_000 * by_power + COARSE_WH


def _astray(meter: Meter, now: Astray, limit: Limit) -> tuple[Meter, str]:
    """Take a register that went back or too far: believed once a second one goes on from the first.

    The same one again proves nothing: registers drop out for longer than a reading.
    """
    lower = now.register_wh < meter.register_wh
    first = meter.astray
    if first is not None and first.register_wh == now.register_wh:
        return meter, WENT_BACK if lower else JUMPED
    if first is None or not _goes_on(meter, first, now, limit):
        return meter._replace(astray=now), WENT_BACK if lower else JUMPED
    after = meter._replace(
        at=now.at,
        register_wh=now.register_wh,
        energy_wh=counted(meter) + now.register_wh - first.register_wh,
        astray=None,
        before=meter.before or Before(meter.register_wh, meter.energy_wh, lower),
        explained_here=meter.explained,
    )
    return after, RESTARTED if lower else ""


def _goes_on(meter: Meter, first: Astray, now: Astray, limit: Limit) -> bool:
    delta = now.register_wh - first.register_wh
    if not 0 < delta <= possible(limit, first.at, now.at) + COARSE_WH:
        return False
    return not _contradicts_power(meter._replace(at=first.at), now.at, delta)


def _was_a_slip(meter: Meter, before: Before, at: int, register_wh: int, limit: Limit) -> bool:
    """Tell whether a reading goes on from before the register was set anew, and what lay between was in another unit.

    Registers in kWh that are called Wh are a thousandth of their neighbours; those in Wh that are called kWh lie
    above all that follows.
    """
    most_wh = possible(limit, limit.began, at) + limit.allowance_wh
    if not 0 <= register_wh - before.register_wh <= most_wh - before.energy_wh:
        return False
    between = meter.register_wh
    in_thousands = (
        1000 * between + ROUNDED_WH >= before.register_wh and 1000 * between - ROUNDED_WH <= register_wh
    )
    return in_thousands or between > register_wh


def counted(meter: Meter) -> int:
    """Return the energy that counts so far, in Wh: what was measured, and what power explains of a step that was not.

    A step that was not believed is no proof that nothing flowed: what the told powers explain of it counts.
    """
    first = meter.astray
    if first is None or first.register_wh <= meter.register_wh:
        return meter.energy_wh
    explained_wh = (first.explained - meter.explained_here) // HOUR_MS
    return meter.energy_wh + min(explained_wh, first.register_wh - meter.register_wh)


def bounded(meter: Meter, stop_wh: int | None, limit: Limit) -> int:
    """Return the energy of a session that ended, in Wh: never more than stop minus start register.

    Where a restart of the register is proven, or the difference is none that the connector could deliver, the
    registers bound nothing.
    """
    energy = counted(meter)
    if stop_wh is None or (meter.before is not None and meter.before.lower):
        return energy
    difference = stop_wh - meter.start_wh
    if not 0 <= difference <= possible(limit, limit.began, meter.at) + limit.allowance_wh:
        return energy
    return min(energy, difference)


def doubts(meter: Meter) -> frozenset[str]:
    """Return what is odd about power and energy together."""
    explained = meter.explained_wh
    if explained < UNSEEN_WH or meter.energy_wh * 100 > explained:
        return frozenset()
    if 500 * meter.energy_wh <= explained <= 2_000 * meter.energy_wh:
        return frozenset((WRONG_UNIT,))
    return frozenset((STANDS_STILL,)) if meter.energy_wh == 0 else frozenset()


def stands_still(meter: Meter) -> bool:
    """Tell whether a meter shows nothing of what flows by the told powers: more than a register in kWh leaves out."""
    return meter.energy_wh == 0 and meter.explained > COARSE_WH * HOUR_MS


def possible(limit: Limit, since: int, until: int) -> int:
    """Return what the connector can deliver in a span, in Wh."""
    return limit.max_power_w * max(0, until - since) * (100 + MARGIN_PERCENT) // (100 * HOUR_MS)
