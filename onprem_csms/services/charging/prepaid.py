"""The money of a running session: forecast from the first second, asked for readings, stopped before it is gone."""

from typing import NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.chargers import learned
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging import folding, forecast
from onprem_csms.domain.charging.forecast import Means, Outlook, Pace
from onprem_csms.domain.charging.sessions import StopReason
from onprem_csms.events import Event
from onprem_csms.services.charging import live
from onprem_csms.services.charging.live import Live
from onprem_csms.services.money import holds

# The supervisor looks once a second.
TICK_MS = 1_000
# A moment to look at is not written again for less: while it is far, and when it is near.
SAME_LOOK_MS, SAME_STOP_MS = 5_000, 250


class Ask(NamedTuple):
    """A reading is wanted of a session."""

    session_id: int
    charger_id: str
    place: Place


def money_changed(tx: Tx, wallet_id: int, besides: int) -> None:
    """Something was booked on a wallet that its running sessions counted on: forecast them anew."""
    for session in rows.active_of_wallet(tx, wallet_id):
        if session.id != besides and session.stop_wanted is None and live.spendable(tx, session) is not None:
            _judge(tx, session, live.of(tx, session))


def watch(tx: Tx, session: Session, now: Live) -> Live:
    """Look at what is left after a reading: want a stop in time, and forecast the moment it is gone."""
    if session.stop_wanted is not None:
        return now
    state = now.state
    if session.verdict != "accepted" and state.energy_wh > 0:
        want_stop(tx, session, "deauthorized")
        return now
    spendable = live.spendable(tx, session)
    if spendable is None or state.running is None:
        return now
    now = now._replace(pace=forecast.follow(now.pace, now.folded, to_millis(tx.now)))
    if forecast.holds(now.foreseen, now.pace, spendable):
        return now
    return _judge(tx, session, now)[0]


def look(tx: Tx, session: Session) -> Ask | None:
    """The moment has come at which a session is looked at without a reading; returns that one is to be asked for."""
    if session.stop_wanted is not None or live.spendable(tx, session) is None:
        return None
    _, outlook = _judge(tx, session, live.of(tx, session))
    return Ask(session.id, session.charger_id, session.place) if outlook.ask else None


def asked(tx: Tx, session_id: int) -> None:
    """A reading was asked for: the answer is waited for, not long."""
    session = rows.get(tx, session_id)
    if session is None or not session.active or session.stop_wanted is not None:
        return
    now = live.of(tx, session)
    _judge(tx, session, now._replace(pace=now.pace._replace(asked=to_millis(tx.now))))


def first_look(tx: Tx, draft: Session, *, offline: bool) -> int | None:
    """Return when a session that is about to begin is looked at; None where it has no limit."""
    spendable, terms = live.spendable(tx, draft), live.terms(tx, draft)
    if spendable is None or terms.tariff is None:
        return None
    moment = to_millis(tx.now)
    pace = forecast.begun(moment, draft.began, offline=offline)
    outlook = forecast.outlook(folding.begin(terms).state, pace, _means(tx, draft, pace), moment)
    if outlook.ask or outlook.stop:
        tx.emit(Event("stop", draft.charger_id))
        return moment
    return outlook.look


def _judge(tx: Tx, session: Session, now: Live) -> tuple[Live, Outlook]:
    """Want a stop or foresee when to look again; a hold that may grow grows first. Remembers the state."""
    moment, pace = to_millis(tx.now), now.pace
    state = forecast.guarded(now.state, pace)
    while True:
        means = _means(tx, session, pace)
        outlook = forecast.outlook(state, pace, means, moment)
        # A hold that grows in steps may need several of them.
        if not outlook.stop or not _extend(tx, session):
            break
    if outlook.stop:
        want_stop(tx, session, "balance_used_up")
    else:
        _look_at(tx, session, outlook, moment)
        now = now._replace(foreseen=forecast.foresee(pace, outlook.due, moment, means))
    live.remember(tx, session.id, now)
    return now, outlook


def _look_at(tx: Tx, session: Session, outlook: Outlook, now: int) -> None:
    """Note when a session is looked at next: sooner at once, later only when that moment has come."""
    before, same = session.exhausts, SAME_STOP_MS if outlook.look >= outlook.due else SAME_LOOK_MS
    if before is not None and now < before <= outlook.look + same:
        return
    rows.update(tx, session, exhausts=outlook.look)
    if outlook.look <= now + TICK_MS:
        tx.emit(Event("stop", str(session.id)))


def _means(tx: Tx, session: Session, pace: Pace) -> Means:
    settings = tx.settings.prepaid
    takes_ms = learned.stop_ms(tx, session.charger_id)
    if takes_ms is None:
        takes_ms = settings.stop_latency_s * 1000
    most_w = live.set_power(session)
    once_w = 0 if most_w else learned.top_power(tx, session.charger_id, session.place)
    highest_w = forecast.highest(most_w, once_w, tx.settings.sessions.default_max_power_w, pace.top_w)
    spendable = live.spendable(tx, session) or 0
    return Means(spendable, highest_w, takes_ms + TICK_MS // 2, settings.sample_interval_s * 1000)


def _extend(tx: Tx, session: Session) -> bool:
    """Hold more, by the wallet's policy; an order's amount is what its driver chose and stays. False: no more."""
    if session.order_id is not None or session.hold_id is None:
        return False
    return holds.extend(tx, session.hold_id) > 0


def want_stop(tx: Tx, session: Session, reason: StopReason) -> bool:
    """Note that an active session should stop; the supervisor asks the charger until it does. Once only."""
    if not session.active or session.stop_wanted is not None:
        return False
    rows.update(tx, session, stop_wanted=reason, stop_wanted_at=to_millis(tx.now))
    tx.emit(Event("stop", str(session.id)))
    tx.emit(Event("session", str(session.id)))
    return True
