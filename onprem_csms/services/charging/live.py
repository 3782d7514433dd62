"""The running state of an active session: folded from its facts, kept by the writer, made again at any time."""

from collections.abc import Iterable
from typing import NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.chargers import chargers as charger_rows
from onprem_csms.db.charging import facts as fact_rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.charging import folding, forecast
from onprem_csms.domain.charging.facts import Fact
from onprem_csms.domain.charging.folding import Folded, State, Terms
from onprem_csms.domain.charging.forecast import NOTHING_FORESEEN, Foreseen, Pace
from onprem_csms.domain.charging.metering import COARSE_WH, Limit
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.services.charging import billing
from onprem_csms.services.money import holds


class Live(NamedTuple):
    """An active session as of its last fact, how its energy comes, and how far its forecast is believed."""

    terms: Terms
    folded: Folded
    foreseen: Foreseen
    pace: Pace

    @property
    def state(self) -> State:
        """The session's state after its newest moment."""
        return self.folded.state


_LIVE: Cache[int, Live] = Cache("running sessions", 50_000)


def fact_of(reading: Reading) -> Fact:
    """Make a fact of a reading."""
    soc = reading.soc_percent
    return Fact(
        to_millis(reading.at),
        reading.energy_wh,
        reading.power_w,
        reading.current_ma,
        reading.voltage_mv,
        None if soc is None else max(0, min(100, soc)),
        reading.context,
    )


def terms(tx: Tx, session: Session) -> Terms:
    """Return what a session began with."""
    limit = Limit(session.began, session.max_power_w, session.allowance_wh)
    tariff = billing.tariff_of(tx, session)
    return Terms(session.began, session.meter_start_wh, limit, tariff, session.first_activity)


def limits(tx: Tx, charger_id: str) -> dict[str, int]:
    """Return the columns by which a session that begins now is judged, in W and Wh.

    They are copied into it as its tariff is: what is set later does not change what was billed.
    """
    settings = tx.settings.sessions
    power = charger_rows.max_power(tx, charger_id)
    if power is None:
        return {"max_power_w": settings.default_max_power_w, "allowance_wh": settings.energy_allowance_wh}
    return {"max_power_w": power, "allowance_wh": COARSE_WH}


def set_power(session: Session) -> int | None:
    """Return the highest power that was set of a session's connector, in W; None where nobody said."""
    return session.max_power_w if session.allowance_wh == COARSE_WH else None


def begin(tx: Tx, session: Session, *, offline: bool = False) -> Live:
    """Return and remember the state of a session before its first fact; ``offline``: its charger was away then."""
    fact_rows.begin(tx, session.id)
    begun = terms(tx, session)
    pace = forecast.begun(to_millis(tx.now), session.began, offline=offline)
    live = Live(begun, folding.begin(begun), NOTHING_FORESEEN, pace)
    _LIVE.set(tx, session.id, live)
    return live


def known(tx: Tx, session_id: int) -> Live | None:
    """Return the running state of a session that the writer remembers."""
    return _LIVE.get(tx, session_id)


def of(tx: Tx, session: Session) -> Live:
    """Return the running state of an active session, remembered or folded from its facts."""
    live = _LIVE.get(tx, session.id)
    return live or again(tx, session)


def again(tx: Tx, session: Session) -> Live:
    """Fold all facts of an active session and remember the state."""
    return keep(tx, session, folding.fold(terms(tx, session), fact_rows.of_active(tx, session.id)))


def keep(tx: Tx, session: Session, folded: Folded) -> Live:
    """Remember a state that was folded anew."""
    pace = forecast.resumed(folded.state, session.received, to_millis(tx.now))
    live = Live(terms(tx, session), folded, NOTHING_FORESEEN, pace)
    _LIVE.set(tx, session.id, live)
    return live


def spendable(tx: Tx, session: Session) -> int | None:
    """Return what a session may cost at most: what its hold allows now; None without a limit.

    What was booked of a session that was opened again is spent already, and counts.
    """
    return None if session.hold_id is None else holds.held_amount(tx, session.hold_id) + session.cost


def remember(tx: Tx, session_id: int, live: Live) -> None:
    """Remember a state."""
    _LIVE.set(tx, session_id, live)


def forget(tx: Tx, session_id: int) -> None:
    """Forget a session that ended or whose terms changed."""
    _LIVE.drop(tx, session_id)


def take(tx: Tx, session: Session, live: Live, facts: Iterable[Fact]) -> Live:
    """Keep facts of an active session and fold them in; repeated ones change nothing."""
    folded: Folded | None = live.folded
    known: set[Fact] | None = None
    for fact in facts:
        following = None if folded is None else folding.add(folded, fact, live.terms)
        if following is None and known is None:
            known = set(fact_rows.of_active(tx, session.id))
        if following is folded or (known is not None and fact in known):
            continue
        fact_rows.append(tx, session.id, fact)
        folded = following
    if folded is None:
        folded = folding.fold(live.terms, fact_rows.of_active(tx, session.id))
    return live if folded is live.folded else live._replace(folded=folded)


def facts_of(tx: Tx, session: Session) -> list[Fact]:
    """Return everything that was reported of a session."""
    return fact_rows.of_active(tx, session.id) if session.active else fact_rows.of_ended(tx, session.id)


def states(tx: Tx, sessions: Iterable[Session]) -> dict[int, State]:
    """Return the states of active sessions, for a page: folded from their facts."""
    active = {session.id: session for session in sessions if session.active}
    told = fact_rows.of_sessions(tx, active) if active else {}
    return {id: folding.fold(terms(tx, active[id]), facts).state for id, facts in told.items()}


def states_of(tx: Tx, sessions: Iterable[Session]) -> dict[int, State]:
    """Return the states of active sessions, in the writer as remembered."""
    if tx.state is None:
        return states(tx, sessions)
    return {session.id: of(tx, session).state for session in sessions}


def ended(tx: Tx, session: Session) -> State:
    """Return a session at its end, as its row says it; counted again from its facts where that is needed."""
    until = session.began if session.ended is None else session.ended
    if session.closed_by == "operator":
        stop_wh = session.meter_start_wh if session.meter_stop_wh is None else session.meter_stop_wh
        return folding.decided(terms(tx, session), facts_of(tx, session), until, stop_wh)
    live = _LIVE.get(tx, session.id)
    if live is not None:
        state = folding.conclude(live.terms, live.state, until, session.meter_stop_wh)
        if state is not None:
            return state
    return folding.ended(terms(tx, session), facts_of(tx, session), until, session.meter_stop_wh)
