"""The end of a session: by its charger, or here where the charger never reports it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from onprem_csms.clock import from_text, to_text
from onprem_csms.db.charging import readings as reading_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.charging.sessions import Reading, StopReason
from onprem_csms.events import Event
from onprem_csms.services.charging import billing, live, review

NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True)
class End:
    """How a session ended; ``readings`` are those that came only with the end."""

    at: datetime
    meter_stop_wh: int | None
    reason: StopReason
    closed_by: Literal["charger", "house"]
    readings: Sequence[Reading] = ()


def close(tx: Tx, session: Row, reason: StopReason) -> None:
    """End an active session here, at its last reading; a later report of the charger corrects it."""
    state = live.of(tx, session)
    finish(tx, session, End(state.at, None, reason, "house"))


def finish(tx: Tx, session: Row, end: End) -> None:
    """End a session, or correct one that was ended here, and book what it cost."""
    corrects = session["bill"] is not None or session["state"] == "ended"
    moment = max(end.at, from_text(session["began_at"]))
    columns = _columns(session, moment, end)
    state, flags = _went_on(tx, session, moment, end) or _counted(tx, session, columns, end)
    live.STATES.drop(tx, session["id"])
    rows.ACTIVE.drop(tx, (session["charger_id"], session["transaction_id"]))
    columns |= billing.settle(tx, session, state.running)
    rows.update(tx, session["id"], columns | {"energy_wh": state.meter.energy_wh})
    for flag in sorted(flags | _findings(session, state, corrects=corrects)):
        detail = {"verdict": session["verdict"]} if flag == NOT_ALLOWED else None
        review.flag_session(tx, session, flag, detail)
    _announce(tx, session)


def _went_on(tx: Tx, session: Row, moment: datetime, end: End) -> tuple[live.Live, set[str]] | None:
    """Go on from the running state where the end is the newest that is known; None where it must be counted."""
    if session["state"] == "ended" or end.readings:
        return None
    state = live.of(tx, session)
    if end.closed_by == "house":
        return (state, set()) if moment == state.at else None
    if to_text(moment) <= to_text(state.at):
        return None
    taken = live.take(tx, session["id"], state, Reading(moment, end.meter_stop_wh, context="end"))
    return taken.live, set(taken.flags)


def _counted(tx: Tx, session: Row, columns: dict[str, Any], end: End) -> tuple[live.Live, set[str]]:
    """Count the session again from all of its readings."""
    _store_readings(tx, session, from_text(columns["ended_at"]), end)
    return live.recount(tx, {**dict(session), **columns})


def _store_readings(tx: Tx, session: Row, moment: datetime, end: End) -> None:
    if end.closed_by == "house":
        return
    for reading in end.readings:
        if from_text(session["began_at"]) <= reading.at <= moment:
            reading_rows.insert(tx, _row(session, reading))
    last = Reading(moment, end.meter_stop_wh, context="end")
    reading_rows.insert_end(tx, _row(session, last))


def _row(session: Row, reading: Reading) -> tuple[Any, ...]:
    # Energy and cost are filled by the recount that follows.
    measured = (reading.power_w, reading.current_ma, reading.voltage_mv, reading.soc_percent)
    return (
        session["id"],
        to_text(reading.at),
        reading.energy_wh,
        0,
        0,
        *measured,
        session["activity"],
        reading.context,
    )


def _columns(session: Row, moment: datetime, end: End) -> dict[str, Any]:
    reason = end.reason
    # The charger only knows that it was told to stop; why it was told is ours.
    if session["stop_wanted"] is not None and reason in {"remote", "other", "deauthorized"}:
        reason = session["stop_wanted"]
    return {
        "state": "ended",
        "closed_by": end.closed_by,
        "ended_at": to_text(moment),
        "reason": reason,
        "meter_stop_wh": end.meter_stop_wh,
        "exhausts_at": None,
    }


def _findings(session: Row, state: live.Live, *, corrects: bool) -> set[str]:
    found = {"corrected"} if corrects else set()
    if session["verdict"] != "accepted" and state.meter.energy_wh > 0:
        found.add(NOT_ALLOWED)
    return found


def _announce(tx: Tx, session: Row) -> None:
    tx.emit(Event("session", str(session["id"])))
    tx.emit(Event("charger", session["charger_id"]))
    if session["order_id"] is not None:
        tx.emit(Event("order", session["order_id"]))
