"""A session folded from its facts: its energy, its price, its state; pure.

``fold`` goes through all facts, ``add`` takes the next one that is not older than the newest: both give the same.
What the session's row says (``Terms``) never changes while it runs, so a fold can be made again at any time.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from onprem_csms.domain.charging import metering
from onprem_csms.domain.charging.facts import Fact, Moment, moments, single, together
from onprem_csms.domain.charging.metering import Limit, Meter
from onprem_csms.domain.charging.sessions import Activity
from onprem_csms.domain.money import pricing
from onprem_csms.domain.money.tariffs import Tariff

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_FLAGS: frozenset[str] = frozenset()


class Terms(NamedTuple):
    """What a session began with; moments in UTC milliseconds, register in Wh. Without a tariff nothing is priced."""

    began: int
    start_wh: int
    limit: Limit
    tariff: Tariff | None
    activity: Activity = "charging"


class State(NamedTuple):
    """A session as of its last moment; ``flags`` are what was odd about its meter so far."""

    at: int
    meter: Meter
    running: pricing.Running | None
    activity: Activity
    soc_percent: int | None = None
    flags: frozenset[str] = NO_FLAGS
    interval_ms: int = 0

    @property
    def energy_wh(self) -> int:
        """The energy so far, in Wh."""
        return metering.counted(self.meter)

    @property
    def power_w(self) -> int | None:
        """The power last told, in W."""
        return self.meter.power_w


class Folded(NamedTuple):
    """The state after the newest moment, the state before it and what was told of it, so that more can join it."""

    state: State
    settled: State
    newest: tuple[Fact, ...]


def begin(terms: Terms) -> Folded:
    """Return a session that has only begun."""
    running = None if terms.tariff is None else pricing.begin(terms.tariff, _datetime(terms.began), 0)
    state = State(terms.began, metering.begin(terms.began, terms.start_wh), running, terms.activity)
    return Folded(state, state, ())


def fold(terms: Terms, facts: Iterable[Fact], until: int | None = None) -> Folded:
    """Fold all facts, up to a moment where one is given; their order and repetition do not matter."""
    told = [fact for fact in facts if until is None or fact.at <= until]
    folded = begin(terms)
    state = settled = folded.state
    for moment in moments(told, terms.began):
        settled, state = state, _step(state, moment, terms.limit)
    newest = tuple({fact for fact in told if max(fact.at, terms.began) == state.at})
    return Folded(state, settled, newest) if told else folded


def states(terms: Terms, facts: Iterable[Fact]) -> Iterator[State]:
    """Return the state after each moment, in time."""
    state = begin(terms).state
    for moment in moments(facts, terms.began):
        state = _step(state, moment, terms.limit)
        yield state


def add(folded: Folded, fact: Fact, terms: Terms) -> Folded | None:
    """Take the next fact; None where it is older than the newest, so that all must be folded again."""
    state = folded.state
    if fact.at > state.at:
        return Folded(_step(state, single(fact), terms.limit), state, (fact,))
    at = max(fact.at, terms.began)
    if at < state.at:
        return None
    if fact in folded.newest:
        return folded
    newest = (*folded.newest, fact)
    settled = folded.settled
    return Folded(_step(settled, together(at, newest), terms.limit), settled, newest)


def ended(terms: Terms, facts: Iterable[Fact], until: int, stop_wh: int | None) -> State:
    """Return a session at its end: bounded by its registers (``metering.bounded``), its flags complete.

    ``stop_wh`` is the register told with the end, None where it was told without one or was not told at all.
    """
    told = list(facts)
    state = fold(terms, told, until).state
    concluded = conclude(terms, state, until, stop_wh)
    if concluded is not None:
        return concluded
    energy = metering.bounded(state.meter, stop_wh, terms.limit)
    return _close(_at_most(terms, told, until, energy), until, energy, state.meter)


def conclude(terms: Terms, state: State, until: int, stop_wh: int | None) -> State | None:
    """Return ``ended`` from the state after the last fact before the end.

    None where the registers bound the energy below what was priced: then all must be folded again.
    """
    energy = metering.bounded(state.meter, stop_wh, terms.limit)
    if energy < state.meter.energy_wh or until < state.at:
        return None
    return _close(state, until, energy, state.meter)


def decided(terms: Terms, facts: Iterable[Fact], until: int, stop_wh: int) -> State:
    """Return a session whose begin, end and registers a person chose.

    Between them what was told counts where it lies within; the rest is spread evenly in time.
    """
    state = begin(terms).state
    running, activity, reached = state.running, state.activity, terms.start_wh
    for moment in moments([fact for fact in facts if fact.at <= until], terms.began):
        at, registers, power, _, now = moment
        reached = next((one for one in registers if reached <= one <= stop_wh), reached)
        if running is not None and (registers or now):
            running = pricing.advance(
                running, _datetime(at), reached - terms.start_wh, activity=activity, power_w=power
            )
        activity = now or activity
    energy = stop_wh - terms.start_wh
    if running is not None:
        running = pricing.advance(running, _datetime(until), energy, activity=activity)
    meter = state.meter._replace(at=until, register_wh=stop_wh, energy_wh=energy)
    return State(until, meter, running, activity)


def _close(state: State, until: int, energy_wh: int, measured: Meter) -> State:
    """Let the time go on to the end of a session, with its energy as it counts in the end."""
    meter, running = state.meter._replace(energy_wh=energy_wh, astray=None), state.running
    if running is not None:
        at = max(until, state.at)
        running = pricing.advance(running, _datetime(at), energy_wh, activity=state.activity)
    flags = state.flags | metering.doubts(measured)
    return state._replace(at=max(until, state.at), meter=meter, running=running, flags=flags)


def _at_most(terms: Terms, facts: Iterable[Fact], until: int, most_wh: int) -> State:
    """Price a session again whose energy never goes above a bound."""
    state = begin(terms).state
    told = [fact for fact in facts if fact.at <= until]
    for moment in moments(told, terms.began):
        state = _step(state, moment, terms.limit, most_wh)
    return state


def _step(state: State, moment: Moment, limit: Limit, most_wh: int | None = None) -> State:
    """Fold one moment that is not before the last one; the state's activity is that of the span until it."""
    at, registers, power, soc, activity = moment
    meter = metering.follow_power(state.meter, at, power) if power is not None else state.meter
    flags = state.flags
    for register in registers:
        meter, flag = metering.follow(meter, at, register, limit)
        if flag and flag not in flags:
            flags |= {flag}
    running = state.running
    if running is not None:
        energy = meter.energy_wh if most_wh is None else min(meter.energy_wh, most_wh)
        running = pricing.advance(running, _datetime(at), energy, activity=state.activity, power_w=power)
    return State(
        at,
        meter,
        running,
        activity or state.activity,
        state.soc_percent if soc is None else soc,
        flags,
        at - state.at or state.interval_ms,
    )


def _datetime(millis: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=millis)
