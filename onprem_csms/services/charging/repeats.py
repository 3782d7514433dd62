"""Finding the session of a begin that is told again."""

from onprem_csms.clock import to_millis
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import WHOLE_CHARGER
from onprem_csms.domain.charging.repeats import RESOLUTION_MS, Begin, Known, is_repeat
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import CLOCK
from onprem_csms.services.charging import live


def of_begin(tx: Tx, report: Report, uid: str) -> Session | None:
    """Return the session that a begin told before, None for a new one; ``uid`` is the card's number as it is kept."""
    if report.reference is not None:
        return rows.by_reference(tx, report.charger_id, report.reference)
    place = report.place or WHOLE_CHARGER
    told = Begin(to_millis(report.at), max(0, report.register_wh or 0))
    running = rows.active_of_charger(tx, report.charger_id)
    ended = rows.begun_about(tx, report.charger_id, told.at - RESOLUTION_MS, told.at + RESOLUTION_MS)
    for session in (*running, *ended):
        if session.uid != uid or session.place != place:
            continue
        if is_repeat(told, _known(tx, session), clock_believed=CLOCK not in report.flags):
            return session
    return None


def _known(tx: Tx, session: Session) -> Known:
    energy = live.of(tx, session).state.energy_wh if session.active else session.energy_wh
    return Known(Begin(session.began, session.meter_start_wh), energy, session.active)
