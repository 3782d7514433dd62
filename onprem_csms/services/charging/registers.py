"""Where the register of a place stands, from session to session: energy between them, and meters that are shared."""

from collections.abc import Iterable
from typing import NamedTuple

from onprem_csms.clock import from_millis, to_millis, to_text
from onprem_csms.db.charging import facts as fact_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging import metering
from onprem_csms.domain.charging.facts import Fact
from onprem_csms.domain.charging.folding import State
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.services.charging import live, review

# Below this it is what a meter takes for itself, or how it rounds.
LITTLE_WH = 100
# Two connectors show one register so often, at nearly the same time, before one meter is suspected.
TOGETHER = 3
NEARLY_MS = 60_000

Where = tuple[str, int, int]


class Standing(NamedTuple):
    """Where a register was last seen, in UTC ms and Wh, in which session (0: outside of all), and the last end."""

    at: int
    register_wh: int
    session_id: int = 0
    ended: int = 0


class Stay(NamedTuple):
    """A stay without a session: the moment of its first reading, and the register before it."""

    since: int
    register_wh: int


_NOWHERE = Standing(0, -1)
_STANDING: Cache[Where, Standing] = Cache("registers of connectors", 20_000)
_STAYS: Cache[Where, Stay] = Cache("stays without a session", 5_000)


def _standing(tx: Tx, where: Where) -> Standing:
    """Return where the register of a place stands; below zero: nobody knows."""
    known = _STANDING.get(tx, where)
    if known is None:
        known = _stored(tx, where)
        _STANDING.set(tx, where, known)
    return known


def _stored(tx: Tx, where: Where) -> Standing:
    place = Place(*where[1:])
    last, loose = rows.last_ended_on(tx, where[0], place), fact_rows.last_loose(tx, where[0], place)
    known = _NOWHERE
    if last is not None and (last.meter_stop_wh or -1) >= last.meter_start_wh:
        ended = last.ended or last.began
        known = Standing(ended, last.meter_stop_wh or 0, last.id, ended)
    if loose is not None and loose[0] > known.at:
        known = Standing(*loose, ended=known.ended)
    return known


def last_end(tx: Tx, charger_id: str, place: Place) -> int:
    """Return when the last session of a place ended, in UTC ms; 0 where none did."""
    return _standing(tx, (charger_id, *place)).ended


def session_begins(tx: Tx, session: Session) -> None:
    """Compare the register at a begin with the last one known; a begin at 0 tells nothing of what was before."""
    if not session.connector:
        return
    where = (session.charger_id, *session.place)
    before = _standing(tx, where)
    _STAYS.drop(tx, where)
    gap = session.meter_start_wh - before.register_wh
    if before.register_wh < 0 or before.at > session.began or not session.meter_start_wh:
        return
    if abs(gap) < LITTLE_WH:
        return
    detail = {"energy_wh": gap, "session_before": before.session_id or None}
    review.flag_session(tx, session, "register_gap", detail)


def session_ended(tx: Tx, session: Session, state: State) -> None:
    """Note where the register stands after a session."""
    where = (session.charger_id, *session.place)
    known = _STANDING.get(tx, where)
    at = session.ended or session.began
    if not session.connector or (known is not None and known.at > at):
        return
    told = session.meter_stop_wh
    register = told if told is not None and told >= session.meter_start_wh else state.meter.register_wh
    _STANDING.set(tx, where, Standing(at, register, session.id, at))


def outside(tx: Tx, charger_id: str, place: Place, readings: Iterable[Reading]) -> None:
    """Take readings while no session runs at a place: energy that flows then is shown once a stay."""
    if place.whole_charger or rows.active_on(tx, charger_id, place):
        return
    where = (charger_id, *place)
    for reading in readings:
        if reading.energy_wh is not None:
            _outside(tx, where, to_millis(reading.at), reading.energy_wh)


def _outside(tx: Tx, where: Where, at: int, register_wh: int) -> None:
    before = _standing(tx, where)
    now = Standing(at, register_wh, ended=before.ended)
    if now.at < before.at:
        return
    stay = _STAYS.get(tx, where)
    if stay is None or now.register_wh < stay.register_wh:
        start = before.register_wh if 0 <= before.register_wh <= now.register_wh else now.register_wh
        stay = Stay(now.at, start)
        _STAYS.set(tx, where, stay)
    _STANDING.set(tx, where, now)
    energy = now.register_wh - stay.register_wh
    if energy >= LITTLE_WH:
        detail = {
            "energy_wh": energy,
            "evse": where[1],
            "connector": where[2],
            "since": to_text(from_millis(stay.since)),
            "until": to_text(from_millis(now.at)),
        }
        review.follow(tx, where[0], "energy_without_session", f"{where[1]}.{where[2]}:{stay.since}", detail)


def left(tx: Tx, charger_id: str, place: Place) -> None:
    """The vehicle has gone: what flows from now on is another stay's."""
    _STAYS.drop(tx, (charger_id, *place))


def goes_on(tx: Tx, session: Session, readings: Iterable[Reading]) -> bool:
    """Tell whether readings of another reference are those of a running session: their registers go on from its own."""
    now = live.of(tx, session)
    at, register = now.state.at, now.state.meter.register_wh
    told = [reading for reading in readings if reading.energy_wh is not None]
    for reading in told:
        moment, energy = to_millis(reading.at), reading.energy_wh or 0
        most = metering.possible(now.terms.limit, at, moment) + metering.COARSE_WH
        if moment < at or not 0 <= energy - register <= most:
            return False
        at, register = moment, energy
    return bool(told)


def look_beside(tx: Tx, session: Session, state: State) -> None:
    """Flag two sessions of a charger whose registers are equal at the same times: there may be one meter for both."""
    if rows.runs_alone(tx, session):
        return
    for other in rows.active_of_charger(tx, session.charger_id):
        if other.id == session.id or session.place.shares_outlet(other.place):
            continue
        beside = live.known(tx, other.id)
        if beside is None or beside.state.meter.register_wh != state.meter.register_wh:
            continue
        if beside.state.energy_wh and state.energy_wh and _together(tx, session, other):
            for one, two in ((session, other), (other, session)):
                review.flag_session(tx, one, "shared_meter", {"other_session": two.id})


def _together(tx: Tx, session: Session, other: Session) -> bool:
    mine, theirs = (
        _seen(fact_rows.of_active(tx, one.id)) | {one.meter_start_wh: one.began} for one in (session, other)
    )
    common = [
        register for register in mine.keys() & theirs if abs(mine[register] - theirs[register]) <= NEARLY_MS
    ]
    return len(common) >= TOGETHER


def _seen(facts: Iterable[Fact]) -> dict[int, int]:
    """Return when each register was first seen."""
    seen: dict[int, int] = {}
    for fact in facts:
        if fact.register_wh is not None:
            seen.setdefault(fact.register_wh, fact.at)
    return seen
