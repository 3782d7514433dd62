"""When will the money of a session be gone; pure.

Power is what the charger reports, else the difference of its registers over time, else the connector's highest
where that is known. A forecast holds while the power is about the same and not yet half of the way is gone, so that a
reading in between costs no price.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from onprem_csms.domain.charging import metering
from onprem_csms.domain.charging.folding import Folded, State
from onprem_csms.domain.money import pricing

# Much less power than the forecast assumed would stop the session too early.
LITTLE_LESS = 0.9
LOOK_AGAIN_MS = 3_600_000
LONGEST_SAMPLE_MS = 900_000
HOUR_MS = 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Foreseen(NamedTuple):
    """A forecast: believed up to a moment (UTC ms, of the charger's times) and an energy (Wh).

    It holds at about this power and for this money.
    """

    until: int
    until_wh: int
    power_w: int
    spendable: int


NOTHING_FORESEEN = Foreseen(0, 0, 0, 0)


class Reaction(NamedTuple):
    """How long a stop takes, in ms: the interval between readings where none was seen, and the charger's latency."""

    sample_ms: int
    latency_ms: int


def power_of(folded: Folded) -> int:
    """Return the power that a session takes now, in W; 0 where nothing tells."""
    state, before = folded.state, folded.settled
    told = state.power_w
    if told is not None and (told > 0 or state.energy_wh == before.energy_wh):
        return told
    span = state.at - before.at
    return (state.energy_wh - before.energy_wh) * HOUR_MS // span if span > 0 else 0


def guarded(state: State) -> State:
    """Return the state by which a stop is judged: of a meter that stands still power times time counts."""
    if state.running is None or not metering.stands_still(state.meter):
        return state
    energy_wh = state.meter.explained_wh
    running = pricing.advance(state.running, state.running.at, energy_wh, activity=state.activity)
    return state._replace(running=running)


def holds(foreseen: Foreseen, folded: Folded, power_w: int, spendable: int) -> bool:
    """Tell whether a forecast still holds."""
    state = folded.state
    return (
        foreseen.power_w * LITTLE_LESS <= power_w <= foreseen.power_w
        and state.at < foreseen.until
        and state.energy_wh < foreseen.until_wh
        and spendable == foreseen.spendable
    )


def is_time(state: State, power_w: int, left: int, reaction: Reaction) -> bool:
    """Tell whether what is left is spent before the next reading can be acted upon."""
    if left <= 0:
        return True
    if state.running is None or not power_w:
        return False
    sample = min(state.interval_ms or reaction.sample_ms, LONGEST_SAMPLE_MS)
    rate = pricing.rate_per_hour(state.running, power_w)
    return left * HOUR_MS <= rate * (sample + reaction.latency_ms)


def remaining(state: State, power_w: int, spendable: int, reaction: Reaction) -> int | None:
    """Return the ms from the state's moment until a stop is due; None where that is not within a week."""
    if state.running is None:
        return None
    at = state.running.at
    moment = pricing.exhaustion(state.running, spendable, power_w, at)
    return None if moment is None else int((moment - at) / timedelta(milliseconds=1)) - reaction.latency_ms


def foresee(state: State, power_w: int, left: tuple[int, int | None], reaction: Reaction) -> Foreseen:
    """Return how far a forecast is believed: half of the time that is left, none of it where that is a few readings.

    ``left`` is what may be spent in all, and the ms until a stop is due.
    """
    spendable, left_ms = left
    if left_ms is None:
        believed = LOOK_AGAIN_MS
    else:
        few = 2 * (state.interval_ms + reaction.latency_ms)
        believed = min(left_ms // 2, LOOK_AGAIN_MS) if left_ms // 2 > few else 0
    return Foreseen(
        state.at + believed, state.energy_wh + power_w * believed // HOUR_MS + 1, power_w, spendable
    )
