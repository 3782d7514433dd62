"""Reading sessions: lists, one session, its curve; and what an operator does to one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onprem_csms.clock import from_millis, maybe_from_millis
from onprem_csms.db.charging import facts as fact_rows
from onprem_csms.db.charging import named_sessions
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.named_sessions import Named
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging import folding
from onprem_csms.domain.charging.facts import Fact
from onprem_csms.domain.charging.folding import State
from onprem_csms.domain.charging.sessions import Activity, StopReason, VerdictStatus
from onprem_csms.domain.money import pricing
from onprem_csms.domain.money.tariffs import Tariff
from onprem_csms.errors import Conflict, NotFound
from onprem_csms.services.charging import billing, ending, live, prepaid
from onprem_csms.services.core import audit


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions; ``state`` is active or ended, ``before`` the id of the last one already seen.

    ``uid`` is a number as a charger told it or that of the card, whichever card had it; ``card_id`` is one card.
    """

    charger_id: str | None = None
    evse: int | None = None
    connector: int | None = None
    uid: str | None = None
    card_id: int | None = None
    wallet_id: int | None = None
    person_id: int | None = None
    transaction_id: str | None = None
    state: str | None = None
    review: str | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as it stands: live while active, final when ended. ``priced`` is False where nothing is charged."""

    id: int
    charger_id: str
    charger_name: str
    evse: int
    connector: int
    transaction_id: str
    uid: str
    card_id: int | None
    card_uid: str | None
    person_id: int | None
    person_name: str
    wallet_id: int | None
    order_id: str | None
    state: str
    closed_by: str
    verdict: VerdictStatus
    began_at: datetime
    ended_at: datetime | None
    reason: StopReason | None
    meter_start_wh: int
    meter_stop_wh: int | None
    energy_wh: int
    power_w: int | None
    soc_percent: int | None
    activity: Activity
    read_at: datetime | None
    currency: str
    cost: int
    priced: bool
    tariff: Tariff | None
    bill: dict[str, Any] | None
    stop_wanted: StopReason | None
    review: str


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of a session: power in W, energy in Wh and cost in minor units so far."""

    at: datetime
    power_w: int | None
    energy_wh: int
    cost: int
    soc_percent: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of a session in time."""

    points: tuple[Point, ...]


def find(tx: Tx, wanted: SessionFilter) -> list[SessionView]:
    """Return sessions, newest first."""
    where, params = ["1 = 1"], list[Any]()
    for column in ("charger_id", "evse", "connector", "card_id", "wallet_id", "review"):
        value = getattr(wanted, column)
        if value is not None:
            where.append(f"s.{column} = ?")
            params.append(value)
    if wanted.state is not None:
        # Written out: a parameter can't use the index of the active ones.
        where.append("s.state = 'active'" if wanted.state == "active" else "s.state <> 'active'")
    if wanted.transaction_id is not None:
        where.append("(s.reference = ? OR (s.reference IS NULL AND s.id = ?))")
        params += [wanted.transaction_id, rows.id_of(tx, wanted.transaction_id)]
    if wanted.uid is not None:
        where.append("(s.uid = ? OR s.card_id IN (SELECT id FROM cards WHERE uid = ?))")
        params += [wanted.uid, wanted.uid]
    if wanted.wallet_id is not None:
        where.append("s.card_id IN (SELECT id FROM cards WHERE wallet_id = ?)")
        params.append(wanted.wallet_id)
    if wanted.person_id is not None:
        where.append("p.id = ?")
        params.append(wanted.person_id)
    if wanted.before is not None:
        where.append("s.id < ?")
        params.append(wanted.before)
    return _views(tx, named_sessions.find(tx, " AND ".join(where), params, wanted.limit))


def get(tx: Tx, session_id: int) -> SessionView:
    """Return a session; NotFound."""
    named = named_sessions.view(tx, session_id)
    if named is None:
        raise NotFound("There is no session {id}.", id=session_id)
    return _views(tx, [named])[0]


def active_on(tx: Tx, charger_id: str, place: Place) -> SessionView | None:
    """Return the session that runs at a place."""
    found = rows.active_on(tx, charger_id, place)
    return get(tx, found[0].id) if found else None


def charging_now(tx: Tx) -> tuple[int, int]:
    """Return how many sessions are active and the power that they last told, in W."""
    active, powers = rows.active(tx), fact_rows.last_powers(tx)
    return len(active), sum(powers.get(session.id, 0) for session in active)


def curve(tx: Tx, session_id: int) -> Curve:
    """Return power, energy and cost over a session; NotFound."""
    session = _one(tx, session_id)
    states = folding.states(live.terms(tx, session), live.facts_of(tx, session))
    points = (
        Point(
            from_millis(state.at),
            state.power_w,
            state.energy_wh,
            0 if state.running is None else pricing.total(state.running),
            state.soc_percent,
        )
        for state in states
    )
    return Curve(tuple(points))


def told(tx: Tx, session_id: int) -> list[Fact]:
    """Return every reading of a session as it came, those that were not believed too; NotFound."""
    return live.facts_of(tx, _one(tx, session_id))


def close(tx: Tx, session_id: int) -> SessionView:
    """End a stale session at its last reading without a message to the charger; Conflict when it has ended."""
    session = _one(tx, session_id)
    if not session.active:
        raise Conflict("This session has already ended.")
    ending.close(tx, session, "closed_by_operator")
    audit.note(tx, "session.closed", session_id)
    return get(tx, session_id)


def want_stop(tx: Tx, session_id: int, reason: StopReason = "remote") -> SessionView:
    """Ask for a session's end; the charger is told until it reports it. Conflict when it has ended."""
    session = _one(tx, session_id)
    if not session.active:
        raise Conflict("This session has already ended.")
    if prepaid.want_stop(tx, session, reason):
        audit.note(tx, "session.stopped", session_id)
    return get(tx, session_id)


def _one(tx: Tx, session_id: int) -> Session:
    session = rows.get(tx, session_id)
    if session is None:
        raise NotFound("There is no session {id}.", id=session_id)
    return session


def _views(tx: Tx, found: list[Named]) -> list[SessionView]:
    states = live.states_of(tx, [named.session for named in found if named.session.active])
    return [_view(tx, named, states.get(named.session.id)) for named in found]


def _view(tx: Tx, named: Named, state: State | None) -> SessionView:
    session = named.session
    tariff = billing.tariff_of(tx, session)
    return SessionView(
        id=session.id,
        charger_id=session.charger_id,
        charger_name=named.charger_name,
        evse=session.evse,
        connector=session.connector,
        transaction_id=rows.number(tx, session),
        uid=session.uid,
        card_id=session.card_id,
        card_uid=named.card_uid,
        person_id=named.person_id,
        person_name=named.person_name,
        wallet_id=session.wallet_id,
        order_id=session.order_id,
        state=session.state,
        closed_by=session.closed_by,
        verdict=session.verdict,
        began_at=from_millis(session.began),
        ended_at=maybe_from_millis(session.ended),
        reason=session.reason,
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=session.meter_stop_wh,
        energy_wh=session.energy_wh if state is None else state.energy_wh,
        power_w=None if state is None else state.power_w,
        soc_percent=session.soc_percent if state is None else state.soc_percent,
        activity=session.first_activity if state is None else state.activity,
        read_at=_read_at(session, state),
        currency=session.currency,
        cost=_cost(session, state),
        priced=tariff is not None,
        tariff=tariff,
        bill=_bill(tx, session),
        stop_wanted=session.stop_wanted,
        review=session.review,
    )


def _read_at(session: Session, state: State | None) -> datetime | None:
    """Return the moment of the last word of the charger; None before there was one."""
    if state is None:
        return maybe_from_millis(session.ended)
    return from_millis(state.at) if state.at > session.began else None


def _cost(session: Session, state: State | None) -> int:
    if state is None:
        return session.cost
    if state.running is None or (session.verdict != "accepted" and state.energy_wh == 0):
        return 0
    return pricing.total(state.running)


def _bill(tx: Tx, session: Session) -> dict[str, Any] | None:
    """Return the bill of a session that was booked, made again of what was reported."""
    if not session.settled or session.tariff_version_id is None:
        return None
    running = live.ended(tx, session).running
    if running is None or (billing.owes_nothing(session, running) and not session.cost):
        return None
    return billing.bill_document(pricing.bill(running))
