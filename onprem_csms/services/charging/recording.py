"""Readings and states of running sessions, and readings that belong to none."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from onprem_csms.clock import to_millis
from onprem_csms.db.chargers import chargers as charger_rows
from onprem_csms.db.charging import facts as fact_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.facts import LooseReading
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place
from onprem_csms.domain.charging.facts import Fact
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import Activity, Reading
from onprem_csms.events import Event
from onprem_csms.services.charging import live, prepaid, registers, review
from onprem_csms.services.charging.live import Live


def running_at(tx: Tx, report: Report) -> Session | None:
    """Return the session that readings without a reference belong to: the one that runs at their place."""
    place = report.place or WHOLE_CHARGER
    active = [] if place.whole_charger else rows.active_on(tx, report.charger_id, place)
    if len(active) == 1 and all(to_millis(reading.at) >= active[0].began for reading in report.readings):
        return active[0]
    return None


def keep_loose(tx: Tx, report: Report) -> None:
    """Keep readings that belong to no session; a reference that is not known is for a person to look at."""
    place = report.place or WHOLE_CHARGER
    loose = [
        LooseReading(report.charger_id, *place, to_millis(reading.at), reading.energy_wh, reading.power_w)
        for reading in report.readings
    ]
    registers.outside(tx, report.charger_id, place, report.readings)
    fact_rows.insert_loose(tx, loose)
    if report.reference is not None:
        detail = {"transaction_id": report.reference, "evse": place.evse, "connector": place.connector}
        review.flag_message(tx, report.charger_id, "orphan_readings", detail)


def running_beside(tx: Tx, ended: Session, report: Report) -> Session | None:
    """Return the session that readings with the reference of an ended one belong to: its register goes on there."""
    if not report.readings or not (
        active := rows.active_on(tx, ended.charger_id, report.place or ended.place)
    ):
        return None
    running = active[0]
    if len(active) > 1 or any(to_millis(reading.at) < running.began for reading in report.readings):
        return None
    if not registers.goes_on(tx, running, report.readings):
        return None
    charger_rows.count_quirk(tx, ended.charger_id, "former_transaction", 1, report.reference or "")
    return running


def keep_after_end(tx: Tx, session: Session, readings: Iterable[Reading]) -> None:
    """Keep closing readings, which arrive after the end and change no bill."""
    told = list(readings)
    keep_signed(tx, session, told)
    known = set(fact_rows.of_ended(tx, session.id)) if told else set()
    facts = [fact for fact in dict.fromkeys(map(live.fact_of, told)) if fact not in known]
    if facts:
        fact_rows.append_after_end(tx, session.id, facts)


def keep_signed(tx: Tx, session: Session, readings: Iterable[Reading]) -> None:
    """Keep signed readings verbatim."""
    for reading in readings:
        if reading.signed is not None:
            fact_rows.insert_signed(tx, session.id, to_millis(reading.at), reading.signed)


def record(tx: Tx, session: Session, readings: Sequence[Reading]) -> Live:
    """Fold readings into an active session; returns its state."""
    keep_signed(tx, session, readings)
    return record_facts(tx, session, map(live.fact_of, readings))


def record_facts(tx: Tx, session: Session, facts: Iterable[Fact]) -> Live:
    """Fold facts into an active session, and look whether its money lasts; returns its state."""
    before = live.of(tx, session)
    now = live.take(tx, session, before, facts)
    if now is before:
        return now
    state, old = now.state, before.state
    for flag in state.flags - old.flags:
        detail = {"register_wh": state.meter.register_wh, "energy_wh": state.energy_wh}
        review.flag_session(tx, session, flag, detail)
    if state.meter.register_wh != old.meter.register_wh:
        registers.look_beside(tx, session, state)
    now = prepaid.watch(tx, session, now)
    live.remember(tx, session.id, now)
    tx.emit(Event("session", str(session.id)))
    return now


def place_became(tx: Tx, charger_id: str, place: Place, at: datetime, activity: Activity) -> None:
    """The status of a place says who holds the energy back: cut the session that runs there."""
    active = rows.active_on(tx, charger_id, place)
    if len(active) == 1:
        change_activity(tx, active[0], at, activity)


def change_activity(tx: Tx, session: Session, at: datetime, activity: Activity) -> None:
    """The vehicle began or ceased to ask for power, or the charger paused; cut the running session there."""
    now, moment = live.of(tx, session), to_millis(at)
    if now.state.activity == activity or moment < session.began:
        return
    if any(fact.activity is not None and fact.at == moment for fact in now.folded.newest):
        moment += 1  # two states within a charger's second: the order in which they came counts
    record_facts(tx, session, (Fact(moment, context="other", activity=activity),))
