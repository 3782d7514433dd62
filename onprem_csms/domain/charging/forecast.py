"""When will the money of a session be gone, and what is to be done about it until then; pure.

Power is what the charger reports, else the difference of its registers over time, else the connector's highest. All
moments are those of our own clock in ms: of the charger's only differences are used, so that a wrong clock stops
nobody. Between two readings the clock counts on at the power that is believed; where more may have flowed, a reading
is asked for, and who does not answer is stopped by the clock at the highest power.
"""

from datetime import timedelta
from typing import NamedTuple

from onprem_csms.domain.charging import metering
from onprem_csms.domain.charging.folding import Folded, State
from onprem_csms.domain.money import pricing

HOUR_MS = 3_600_000
FOREVER_MS = 7 * 24 * HOUR_MS
# A charger that is silent for two of its intervals is asked, but not more often than this.
QUIET_MS = 60_000
SHORTEST_INTERVAL_MS = 5_000
# So long before the money may be gone a reading is asked for, unless the last one is fresh.
ASK_BEFORE_MS = 15_000
FRESH_MS = 10_000
ANSWER_MS = 5_000
SHORT_ANSWER_MS = 1_000
# Who did not answer is asked again, each time after a longer while.
ASK_AGAIN_MS = 60_000
# Who can't be asked, for it is offline, is looked at again.
UNASKED_MS = 15_000
# A message that comes sooner after the one before than its time tells was kept back.
AT_ONCE_MS = 5_000
# Messages that come as they are told are on time, however wrong their clock is; so little may they be kept back.
LATE_MS = 15_000
LONGEST_SAMPLE_MS = 900_000
# A power is steady that is not much above the one before; one that fell below a part of the highest may rise again.
STEADY_PERCENT = 125
PAUSE_PART = 4
# A register that says so much more than the reported power contradicts it.
CONTRADICTED_PERCENT, CONTRADICTED_WH = 150, 100
# In a shorter time a register says little: clocks tell whole seconds, meters step.
COARSE_MS = 10_000
# Above this voltage it is direct current.
# The usual voltage lies a little higher: currents are told in coarse steps.
DIRECT_V, USUAL_V = 300, 232
# A forecast holds while the power and the energy are so little above what it assumed.
SLACK_PERCENT, SLACK_WH = 105, 20
USUAL_W = (22_000, 50_000, 100_000, 150_000, 200_000, 300_000, 400_000)
"""What connectors are built for: who once delivered 7 kW may deliver 22."""
MARGIN_PERCENT = 110


class Pace(NamedTuple):
    """How energy comes, as heard so far.

    ``heard``: the moment that the newest reading is of, in our time; ``received``: when its message came; ``told``:
    the charger's own time of it. ``axis`` counts the time that the session takes by both clocks; ``every`` is the
    time between messages. ``since_at`` and ``since_wh``, ``last_at`` and ``last_wh`` are the last two changes of the
    energy on that axis; ``flowed`` is what the power gave since the register was told (W times ms). ``power_w`` is
    believed, ``before_w`` was before, ``top_w`` the highest measured. ``asked``: when a reading was asked for since,
    0: not.
    """

    heard: int
    received: int
    told: int
    axis: int = 0
    every: int = 0
    since_at: int = 0
    since_wh: int = 0
    last_at: int = 0
    last_wh: int = 0
    flowed: int = 0
    power_w: int = 0
    before_w: int = 0
    top_w: int = 0
    asked: int = 0

    @property
    def energy_wh(self) -> int:
        """The energy so far, in Wh: what the register says, and what the power gave since."""
        return self.last_wh + self.flowed // HOUR_MS


class Foreseen(NamedTuple):
    """A forecast: it holds for this money while energy stays below a line of power over time and ``until_wh``."""

    axis: int
    energy_wh: int
    power_w: int
    until_wh: int
    spendable: int


NOTHING_FORESEEN = Foreseen(0, 0, 0, 0, 0)


class Means(NamedTuple):
    """What a session may spend in all (minor units), the connector's highest power (W), what a stop takes (ms).

    ``sample_ms`` is the interval of readings where none was seen.
    """

    spendable: int
    highest_w: int
    latency_ms: int
    sample_ms: int = 60_000


class Outlook(NamedTuple):
    """What is due: look again at a moment, ask for a reading, or stop. ``due`` is when a stop will be."""

    look: int
    due: int
    ask: bool = False
    stop: bool = False


def begun(now: int, began: int, *, offline: bool = False) -> Pace:
    """Return the pace of a session that begins now; one that began while its charger was away began when it says."""
    return Pace(min(now, began) if offline else now, now, began)


def resumed(state: State, received: int, now: int) -> Pace:
    """Return the pace of a session that nobody has followed: the charger's own times must do."""
    wh = state.energy_wh
    power = state.power_w or 0
    heard = min(now, max(state.at, received))
    return Pace(heard, now, state.at, since_wh=wh, last_wh=wh, power_w=power, top_w=power)


def follow(pace: Pace, folded: Folded, now: int) -> Pace:
    """Take a reading that came now; what tells nothing of energy changes nothing."""
    state, meter = folded.state, folded.state.meter
    current_w = _by_current(folded)
    if state.at > meter.at and state.at > meter.told_at and current_w is None:
        return pace
    told, ours = state.at - pace.told, now - pace.received
    heard, axis = pace.heard, pace.axis
    passed = _passed(told, ours) if told > 0 else 0
    if told > 0:
        heard, axis = _heard(pace, told, now), axis + passed
    since_at, since_wh, last_at, last_wh = pace.since_at, pace.since_wh, pace.last_at, pace.last_wh
    energy = state.energy_wh
    if energy != last_wh:
        if axis > last_at:
            since_at, since_wh = last_at, last_wh
        last_at, last_wh = axis, energy
    by_register = _mean(since_at, since_wh, axis, last_at, last_wh)
    measured = _power(folded, by_register, last_wh - since_wh if last_at - since_at >= COARSE_MS else 0)
    power = measured or current_w or 0
    # When it rose is not known: the guard believes the worse.
    mean = max(power, (pace.power_w + power) // 2)
    return Pace(
        heard,
        now,
        max(state.at, pace.told),
        axis,
        ours if ours >= SHORTEST_INTERVAL_MS and not pace.asked else pace.every,
        since_at,
        since_wh,
        last_at,
        last_wh,
        0 if meter.at >= state.at else pace.flowed + mean * passed,
        power,
        pace.power_w if told > 0 else pace.before_w,
        max(measured, pace.top_w),
        pace.asked if told <= 0 else 0,
    )


def _by_current(folded: Folded) -> int | None:
    """Return the power that a current gives, in W: the largest of the phases, as if it flowed on all three."""
    fact = folded.newest[-1] if folded.newest else None
    if fact is None or fact.current_ma is None:
        return None
    volts = (fact.voltage_mv or 0) // 1000
    phases, volts = (1, volts) if volts > DIRECT_V else (3, volts or USUAL_V)
    return fact.current_ma * volts * phases // 1000


def _heard(pace: Pace, told: int, now: int) -> int:
    """Return the moment in our time that a reading is of: as long after the last one as its own clock says."""
    expected, ours = pace.heard + told, now - pace.received
    if pace.asked and now - pace.asked < ANSWER_MS:
        return now
    if ours < AT_ONCE_MS <= told and 2 * ours < told:
        # Those that come at once come from a store: the newest may be as old as they are apart.
        return min(expected, now - min(told, LONGEST_SAMPLE_MS))
    if expected > now:
        return now
    if now - expected > LATE_MS and ours >= AT_ONCE_MS and abs(told - ours) <= ours // 4 + AT_ONCE_MS:
        return now
    # It was kept back on its way, or its clock is slower than ours: that is followed slowly.
    return expected + (now - expected) // 8


def _passed(told: int, ours: int) -> int:
    """Return how much time passed between two readings: a clock that leapt forward is not believed."""
    return ours if ours >= AT_ONCE_MS and told > ours * 5 // 4 + AT_ONCE_MS else told


def _mean(since_at: int, since_wh: int, axis: int, last_at: int, last_wh: int) -> int:
    """Return the mean power between the last two changes of the energy, less once it stands still for longer."""
    span = last_at - since_at
    if axis - last_at > span:
        span = axis - since_at
    return max(0, (last_wh - since_wh) * HOUR_MS // span) if span > 0 else 0


def _power(folded: Folded, by_register: int, delta_wh: int) -> int:
    state = folded.state
    told = state.power_w if state.meter.told_at >= state.at else None
    if told is None or (told <= 0 and state.energy_wh != folded.settled.energy_wh):
        return by_register
    if delta_wh >= CONTRADICTED_WH and by_register * 100 > told * CONTRADICTED_PERCENT:
        return by_register
    return told


def highest(most_w: int | None, once_w: int, default_w: int, top_w: int) -> int:
    """Return the power above which a connector is not believed to go, in W.

    It is set (``most_w``), or as it is usual for what it once delivered, or delivers now; else the site's default.
    """
    if most_w is not None:
        power = most_w
    elif once_w or top_w:
        power = next((usual for usual in USUAL_W if max(once_w, top_w) <= usual), default_w)
    else:
        power = default_w
    return max(power * MARGIN_PERCENT // 100, top_w)


def guarded(state: State, pace: Pace) -> State:
    """Return the state by which a stop is judged: what a register does not show counts by power times time."""
    running = state.running
    if running is None:
        return state
    energy_wh = max(running.energy_wh, pace.energy_wh)
    if metering.stands_still(state.meter):
        energy_wh = max(energy_wh, state.meter.explained_wh)
    if energy_wh == running.energy_wh:
        return state
    return state._replace(running=pricing.advance(running, running.at, energy_wh, activity=state.activity))


def holds(foreseen: Foreseen, pace: Pace, spendable: int) -> bool:
    """Tell whether a forecast still holds, so that a reading costs no price."""
    energy_wh, assumed = pace.energy_wh, foreseen.power_w
    return (
        pace.power_w <= assumed
        and energy_wh < foreseen.until_wh
        and spendable == foreseen.spendable
        and (energy_wh - foreseen.energy_wh - SLACK_WH) * HOUR_MS <= assumed * (pace.axis - foreseen.axis)
    )


def foresee(pace: Pace, due: int, now: int, means: Means) -> Foreseen:
    """Return how far a forecast is believed: half of the way to a stop, none of it where that is a few readings."""
    power, ahead = pace.power_w * SLACK_PERCENT // 100, due - now
    if ahead < 2 * (pace.every + means.latency_ms):
        return NOTHING_FORESEEN
    energy_wh = pace.energy_wh
    until_wh = energy_wh + power * ahead // (2 * HOUR_MS) + 1
    return Foreseen(pace.axis, energy_wh, power, until_wh, means.spendable)


def outlook(state: State, pace: Pace, means: Means, now: int) -> Outlook:
    """Return what is due of a session whose newest state this is (``guarded``)."""
    steady = _is_steady(pace, state, means)
    quiet = pace.heard + max(2 * min(pace.every or means.sample_ms, LONGEST_SAMPLE_MS), QUIET_MS)
    waited = now - pace.asked if pace.asked else 0
    trusted = steady and not (now >= quiet and waited >= ANSWER_MS)
    due = _due(state, pace, means, pace.power_w if trusted else means.highest_w)
    if due <= now and (trusted or _no_use_to_ask(state, pace, means, now)):
        return Outlook(now, due, stop=True)
    if pace.asked:
        return _after_asking(pace, due, now)
    rising = due
    if steady:
        rising = _due(state, pace, means, min(means.highest_w, 2 * pace.power_w))
    ask = max(min(quiet, rising - ASK_BEFORE_MS), pace.heard + FRESH_MS)
    if now >= ask or due <= now:
        return _ask(due, now)
    return Outlook(min(ask, due), due)


def _ask(due: int, now: int) -> Outlook:
    return Outlook(min(due, now + UNASKED_MS) if due > now else now + UNASKED_MS, due, ask=True)


def _no_use_to_ask(state: State, pace: Pace, means: Means, now: int) -> bool:
    """Tell whether a stop is due that depends on the highest power: it is asked, was heard just now, or is sure."""
    if pace.asked and now - pace.asked >= SHORT_ANSWER_MS:
        return True
    if pace.axis and now < pace.heard + FRESH_MS:
        return True
    return _due(state, pace, means, pace.power_w) <= now


def _after_asking(pace: Pace, due: int, now: int) -> Outlook:
    """Wait for the answer for a moment, then for the stop; ask again where that is far."""
    if due <= now:
        return Outlook(pace.asked + SHORT_ANSWER_MS, due)
    if now < pace.asked + ANSWER_MS:
        return Outlook(min(due, pace.asked + ANSWER_MS), due)
    again = pace.asked + max(ASK_AGAIN_MS, pace.asked - pace.heard)
    if now >= again:
        return _ask(due, now)
    return Outlook(min(due, again), due)


def _is_steady(pace: Pace, state: State, means: Means) -> bool:
    """Tell whether what a session takes now may be believed for a while."""
    if pace.power_w <= 0:
        return state.activity != "charging"
    if pace.power_w * PAUSE_PART < pace.top_w:
        return False
    return pace.power_w * 100 <= pace.before_w * STEADY_PERCENT or (
        pace.power_w * STEADY_PERCENT >= means.highest_w * 100
    )


def _due(state: State, pace: Pace, means: Means, power_w: int) -> int:
    """Return the moment at which a stop must go out if this power flows."""
    running = state.running
    moment = None
    if running is not None:
        moment = pricing.exhaustion(running, means.spendable, min(power_w, means.highest_w), running.at)
    if running is None or moment is None:
        return pace.heard + FOREVER_MS
    left = int((moment - running.at) / timedelta(milliseconds=1))
    return pace.heard + left - means.latency_ms
