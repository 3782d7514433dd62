"""What chargers report of their sessions: one function takes it, whatever the version of the protocol.

Nothing that carries money is refused here: what is late, repeated, broken or unknown is kept, booked
where that is certain, and put onto the review list.
"""

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from onprem_csms.clock import from_millis, maybe_text, to_millis
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.charging import session_life
from onprem_csms.domain.charging.reports import Report, ReportAnswer
from onprem_csms.domain.charging.sessions import CLOCK, Verdict
from onprem_csms.services.charging import (
    authorization,
    beginning,
    doubts,
    ending,
    live,
    recording,
    reopening,
    review,
    starts,
)


def take(tx: Tx, report: Report) -> ReportAnswer:
    """Keep what a charger reports of a session and do what follows from it; never refuses.

    A repeated report changes nothing and gets the same answer. A report of no session that is known is kept and
    put onto the review list, or begins its session where the charger chooses the references (``Report``).
    """
    if report.step == "begin":
        return beginning.begin(tx, report)
    session = _session_of(tx, report)
    if session is not None:
        session = beginning.placed(tx, session, report.place)
    if session is None and report.own_reference and report.reference:
        beginning.begin(tx, report)
        session = rows.by_reference(tx, report.charger_id, report.reference)
        if session is not None:
            review.flag_session(tx, session, "never_begun")
    return _update(tx, report, session) if report.step == "update" else _end(tx, report, session)


def _session_of(tx: Tx, report: Report) -> Session | None:
    if report.reference is None:
        return None if report.step == "end" else recording.running_at(tx, report)
    return rows.by_reference(tx, report.charger_id, report.reference)


def _update(tx: Tx, report: Report, session: Session | None) -> ReportAnswer:
    """Keep readings; those of a running session move its energy and cost and may want it stopped."""
    if session is None:
        recording.keep_loose(tx, report)
        return ReportAnswer(None, report.reference)
    verdict = None
    if report.token is not None:
        session, verdict = beginning.shown(tx, session, report)
    if not session.active:
        reopened = reopening.reopened(tx, session, report)
        if reopened is None:
            _keep_of_ended(tx, session, report)
            return beginning.answer(tx, session, verdict)
        session = reopened
    before = live.of(tx, session)
    now = recording.record(tx, session, report.readings)
    if session.doubted_at is not None and (
        report.reference is not None or now.state.energy_wh > before.state.energy_wh
    ):
        # Readings of a connector go on without a session too; those of a session, or of energy, do not.
        doubts.heard(tx, rows.get(tx, session.id) or session, report)
    if report.activity is not None:
        recording.change_activity(tx, session, report.at, report.activity)
    review.flag_words(tx, session, report.flags)
    return beginning.answer(tx, rows.get(tx, session.id) or session, verdict)


def _keep_of_ended(tx: Tx, session: Session, report: Report) -> None:
    running = recording.running_beside(tx, session, report)
    if running is None:
        recording.keep_after_end(tx, session, report.readings)
    else:
        recording.record(tx, running, report.readings)


def _end(tx: Tx, report: Report, session: Session | None) -> ReportAnswer:
    """End a session and book it; a repeated end books nothing, a late one corrects what was closed here."""
    verdict = _end_verdict(tx, report)
    if session is None:
        session = _match(tx, report)
    if session is None:
        review.flag_message(tx, report.charger_id, "orphan_stop", _content(report))
        return ReportAnswer(None, report.reference, verdict)
    if session_life.can((session.state, session.closed_by), "end_reported"):
        session = _end_by(tx, session, report)
    elif _last_register(report) not in {None, session.meter_stop_wh}:
        review.flag_session(tx, session, "second_stop", _content(report))
    review.flag_words(tx, session, report.flags)
    return beginning.answer(tx, session, verdict)


def _end_by(tx: Tx, session: Session, report: Report) -> Session:
    register_wh = _last_register(report)
    if register_wh is None:
        review.flag_session(tx, session, "no_meter_stop")
    if (tx.now - report.at).total_seconds() > tx.settings.sessions.late_after_s:
        review.flag_session(tx, session, "late")
    recording.keep_signed(tx, session, report.readings)
    facts = tuple(live.fact_of(reading) for reading in report.readings)
    reason = report.reason or "local"
    clock = CLOCK in report.flags and not starts.told_at_once(tx, report.charger_id)
    end = ending.End(to_millis(report.at), register_wh, reason, "end_reported", facts, clock)
    return ending.finish(tx, session, _before_the_next(tx, session, end))


def _before_the_next(tx: Tx, session: Session, end: ending.End) -> ending.End:
    """Bound an end, in time and register, by where the next session on the connector began."""
    following = None if session.place.whole_charger else rows.next_on(tx, session)
    if following is None:
        return end
    at, register_wh = min(end.at, following.began), end.meter_stop_wh
    if register_wh is not None and session.meter_start_wh <= following.meter_start_wh < register_wh:
        register_wh = following.meter_start_wh
    if (at, register_wh) == (end.at, end.meter_stop_wh):
        return end
    told = {"told_at": maybe_text(from_millis(end.at)), "register_wh": end.meter_stop_wh}
    review.flag_session(tx, session, "reached_into_next", told)
    facts = tuple(fact for fact in end.facts if fact.at <= at)
    return replace(end, at=at, meter_stop_wh=register_wh, facts=facts)


def _last_register(report: Report) -> int | None:
    """Return the register at the end, in Wh: told with it, or the last of its readings that has one."""
    if report.register_wh is not None:
        return report.register_wh
    told = (reading.energy_wh for reading in reversed(report.readings))
    return next((register for register in told if register is not None), None)


def _end_verdict(tx: Tx, report: Report) -> Verdict | None:
    """Judge the card shown at the end, without looking at money: whoever may not charge may still stop."""
    if report.token is None or not report.token.value:
        return None
    found = authorization.recognise(tx, report.charger_id, report.token.value)
    return Verdict("invalid") if found.card is None else authorization.judge_card(found.card, tx.now)


def _match(tx: Tx, report: Report) -> Session | None:
    """Find the session that an end with a wrong reference means: by card, times and meter, only where unique."""
    if report.token is None or not report.token.value:
        return None
    found = authorization.recognise(tx, report.charger_id, report.token.value)
    fitting = [
        row
        for row in rows.active_of_charger(tx, report.charger_id)
        if row.uid == found.uid
        and row.began <= to_millis(report.at)
        and (report.register_wh is None or report.register_wh >= row.meter_start_wh)
    ]
    if len(fitting) != 1:
        return None
    review.flag_session(tx, fitting[0], "matched_stop", _content(report))
    return fitting[0]


def _content(report: Report) -> dict[str, Any]:
    """Return an end as it is kept on the review list."""
    fields = {name: value for name, value in asdict(report).items() if name != "flags"}
    text = json.dumps(
        fields, default=lambda value: maybe_text(value) if isinstance(value, datetime) else str(value)
    )
    content: dict[str, Any] = json.loads(text)
    return content
