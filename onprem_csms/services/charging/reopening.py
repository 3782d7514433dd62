"""A session that was closed here, and whose charger goes on with it: it is opened again, with a hold of its own."""

from onprem_csms.clock import to_millis
from onprem_csms.db.charging import facts as fact_rows
from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.charging import session_life
from onprem_csms.domain.charging.reports import Report
from onprem_csms.events import Event
from onprem_csms.services.charging import live, review
from onprem_csms.services.money import holds, wallets


def reopened(tx: Tx, session: Session, report: Report) -> Session | None:
    """Open a session again if these readings say that it goes on; None where they do not.

    What was booked stays booked and is a part of what it may cost; its end books the difference.
    """
    stage = (session.state, session.closed_by)
    if not session_life.can(stage, "went_on") or not _goes_on(tx, session, report):
        return None
    if rows.next_on(tx, session) is not None or rows.active_on(tx, session.charger_id, session.place):
        return None
    state, closed_by = session_life.after(stage, "went_on")
    after = rows.update(
        tx,
        session,
        state=state,
        closed_by=closed_by,
        ended=None,
        reason=None,
        hold_id=_hold(tx, session),
        exhausts=to_millis(tx.now),
        doubt="rebooted",
        doubted_at=to_millis(tx.now),
    )
    live.again(tx, after)
    review.flag_session(tx, after, "reopened")
    tx.emit(Event("session", str(session.id)))
    tx.emit(Event("charger", session.charger_id))
    return rows.get(tx, session.id) or after


def _goes_on(tx: Tx, session: Session, report: Report) -> bool:
    """Tell whether readings after the end show that energy flows or has flowed."""
    ended = session.began if session.ended is None else session.ended
    told = [reading for reading in report.readings if to_millis(reading.at) > ended]
    if any((reading.power_w or 0) > 0 for reading in told):
        return True
    known = [fact.register_wh for fact in fact_rows.of_ended(tx, session.id) if fact.register_wh is not None]
    highest = max(known, default=session.meter_start_wh)
    return any(reading.energy_wh is not None and reading.energy_wh > highest for reading in told)


def _hold(tx: Tx, session: Session) -> int | None:
    """Hold for a session again what is there, as far as its order goes; the old hold where nothing is."""
    if session.hold_id is None or session.wallet_id is None or not session.settled:
        return session.hold_id
    amount = max(0, wallets.get(tx, session.wallet_id).available)
    order = None if session.order_id is None else order_rows.get(tx, session.order_id)
    if order is not None:
        amount = min(amount, max(0, order.amount - session.cost))
    purpose = f"again:{session.id}:{to_millis(tx.now)}"
    return holds.hold(tx, session.wallet_id, amount, purpose) if amount else session.hold_id
