"""Readings and states of running sessions, and readings that belong to none."""

from collections.abc import Iterable
from datetime import datetime

from onprem_csms.clock import to_text
from onprem_csms.db.charging import readings as reading_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import Activity, Reading
from onprem_csms.events import Event
from onprem_csms.services.charging import live, prepaid, review


def remembered(tx: Tx, charger_id: str, reference: str) -> Row | None:
    """Return the session of a charger's reference; of a running one the columns may be older than its readings."""
    key = (charger_id, reference)
    session = rows.ACTIVE.get(tx, key)
    if session is None:
        session = rows.by_transaction(tx, charger_id, reference)
        if session is not None and session["state"] == "active":
            rows.ACTIVE.set(tx, key, session)
    return session


def running_at(tx: Tx, report: Report) -> Row | None:
    """Return the session that readings without a reference belong to: the one that runs at their place."""
    place = report.place or WHOLE_CHARGER
    active = [] if place.whole_charger else rows.active_on(tx, report.charger_id, place)
    if len(active) == 1 and all(to_text(reading.at) >= active[0]["began_at"] for reading in report.readings):
        return active[0]
    return None


def keep_loose(tx: Tx, report: Report) -> None:
    """Keep readings that belong to no session; a reference that is not known is for a person to look at."""
    place = report.place or WHOLE_CHARGER
    for reading in report.readings:
        at = to_text(reading.at)
        figures = (reading.energy_wh, reading.power_w)
        reading_rows.insert_loose(tx, (report.charger_id, *place, at, *figures))
    if report.reference is not None:
        detail = {"transaction_id": report.reference, "evse": place.evse, "connector": place.connector}
        review.flag_message(tx, report.charger_id, "orphan_readings", detail)


def keep_after_end(tx: Tx, session: Row, readings: Iterable[Reading]) -> None:
    """Keep closing readings, which arrive after the end and change no bill."""
    for reading in readings:
        at = to_text(reading.at)
        if reading.signed is not None:
            reading_rows.insert_signed(tx, session["id"], at, reading.signed)
        if at > session["ended_at"]:
            figures = (reading.energy_wh, session["energy_wh"], session["cost"], reading.power_w)
            more = (reading.current_ma, reading.voltage_mv, reading.soc_percent, "charging", reading.context)
            reading_rows.insert(tx, (session["id"], at, *figures, *more))


def record_in(tx: Tx, session: Row, readings: Iterable[Reading]) -> live.Live:
    """Fold readings into an active session; returns its state."""
    before = state = live.of(tx, session)
    for reading in sorted(readings, key=_moment):
        taken = live.take(tx, session["id"], state, reading)
        state = taken.live
        for flag in taken.flags:
            detail = {"at": to_text(reading.at), "register_wh": reading.energy_wh}
            review.flag_session(tx, session, flag, detail)
    if state is not before:
        state = prepaid.watch(tx, session, state)
        live.STATES.set(tx, session["id"], state)
        tx.emit(Event("session", str(session["id"])))
    return state


def _moment(reading: Reading) -> datetime:
    return reading.at


def place_became(tx: Tx, charger_id: str, place: Place, at: datetime, activity: Activity) -> None:
    """The status of a place says who holds the energy back: cut the session that runs there."""
    active = rows.active_on(tx, charger_id, place)
    if len(active) == 1:
        change_activity(tx, active[0], at, activity)


def change_activity(tx: Tx, session: Row, at: datetime, activity: Activity) -> None:
    """The vehicle began or ceased to ask for power, or the charger paused; cut the running session there."""
    if session["activity"] == activity or to_text(at) < session["began_at"]:
        return
    state = record_in(tx, session, (Reading(at, context="other"),))
    rows.update(tx, session["id"], {"activity": activity})
    live.STATES.set(tx, session["id"], state._replace(activity=activity))
    rows.ACTIVE.drop(tx, (session["charger_id"], session["transaction_id"]))
