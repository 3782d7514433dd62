"""The end of a session: by its charger, or here where the charger never reports it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onprem_csms.db.charging import facts as fact_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.charging import session_life, waiting
from onprem_csms.domain.charging.facts import Fact
from onprem_csms.domain.charging.folding import State
from onprem_csms.domain.charging.metering import Limit
from onprem_csms.domain.charging.session_life import SessionEvent
from onprem_csms.domain.charging.sessions import StopReason
from onprem_csms.domain.charging.waiting import Bounds, Ended
from onprem_csms.domain.money.pricing import Bill
from onprem_csms.events import Event
from onprem_csms.services.charging import billing, learning, live, prepaid, registers, review

NOT_ALLOWED = "not_allowed"
WAITS = "waits"


@dataclass(frozen=True, slots=True)
class End:
    """How a session ended; ``at`` in UTC ms, ``facts`` are those that came only with the end.

    ``clock``: the charger's time of it was not believed.
    """

    at: int
    meter_stop_wh: int | None
    reason: StopReason
    event: SessionEvent
    facts: Sequence[Fact] = ()
    clock: bool = False


def close(tx: Tx, session: Session, reason: StopReason) -> Session:
    """End an active session here, at its last reading; a later report of the charger corrects it."""
    return finish(tx, session, End(live.of(tx, session).state.at, None, reason, "closed_here"))


def finish(tx: Tx, session: Session, end: End) -> Session:
    """End a session, or correct one that was ended here, and book what it cost; what is absurd waits for a person."""
    corrects = not session.active
    stage = session_life.after((session.state, session.closed_by), end.event)
    moment = max(end.at, session.began)
    _keep_facts(tx, session, moment, end)
    if session.active:
        learning.at_end(tx, session, moment, reported=end.event == "end_reported")
    columns: dict[str, Any] = {
        "ended": moment,
        "reason": _reason(session, end),
        "meter_stop_wh": end.meter_stop_wh,
        "exhausts": None,
        "doubt": None,
        "doubted_at": None,
    }
    state = live.ended(tx, session._replace(ended=moment, meter_stop_wh=end.meter_stop_wh))
    if session.active:
        fact_rows.end(tx, session.id)
        live.forget(tx, session.id)
    bill = billing.bill_of(session, state.running)
    because = _waits(tx, session, end, state, bill) if bill else ()
    if because:
        stage = session_life.after(stage, "set_aside")
    else:
        columns |= _settle(tx, session, bill)
    columns |= {"energy_wh": state.energy_wh, "soc_percent": state.soc_percent}
    after = rows.update(tx, session, state=stage[0], closed_by=stage[1], **columns)
    registers.session_ended(tx, after, state)
    _flag(tx, after, state, corrects=corrects)
    if because and bill is not None:
        review.flag_session(
            tx, after, WAITS, {"because": because, "energy_wh": bill.energy_wh, "cost": bill.gross}
        )
    elif session.state == "waiting":
        review.settled(tx, after, WAITS)
    if session.doubt == "connector_free" and end.event == "end_reported":
        review.settled(tx, after, "connector_free")
    _announce(tx, after)
    return after


def _settle(tx: Tx, session: Session, bill: Bill | None) -> dict[str, Any]:
    held = live.spendable(tx, session)
    columns = billing.settle(tx, session, bill)
    if session.wallet_id is not None and (held is None or columns["cost"] > held):
        # It took more than was held for it: what others may spend became less.
        prepaid.money_changed(tx, session.wallet_id, besides=session.id)
    return columns


def _waits(tx: Tx, session: Session, end: End, state: State, bill: Bill) -> tuple[str, ...]:
    """Return why the bill of a session waits for a person; empty: it is booked."""
    settings = tx.settings.sessions
    bounds = Bounds(settings.wait_above_wh, settings.wait_above_s * 1000, settings.wait_above)
    clock = end.clock or bool(session.time_unsure)
    limit = Limit(session.began, session.max_power_w, session.allowance_wh)
    ended = Ended(state, max(0, end.at - session.began), bill, clock, limit)
    tariff = billing.tariff_of(tx, session) if clock else None
    return waiting.reasons(ended, bounds, tariff)


def _keep_facts(tx: Tx, session: Session, moment: int, end: End) -> None:
    facts = list(end.facts)
    if end.event == "end_reported":
        facts.append(Fact(moment, end.meter_stop_wh, context="end"))
    if session.active:
        live.remember(tx, session.id, live.take(tx, session, live.of(tx, session), facts))
    elif facts:
        fact_rows.append_after_end(tx, session.id, facts)


def _reason(session: Session, end: End) -> StopReason:
    # The charger only knows that it was told to stop; why it was told is ours.
    if session.stop_wanted is not None and end.reason in {"remote", "other", "deauthorized"}:
        return session.stop_wanted
    return end.reason


def _flag(tx: Tx, session: Session, state: State, *, corrects: bool) -> None:
    for flag in sorted(state.flags):
        review.flag_session(tx, session, flag)
    if corrects:
        review.flag_session(tx, session, "corrected")
    if session.verdict != "accepted" and state.energy_wh > 0:
        review.flag_session(tx, session, NOT_ALLOWED, {"verdict": session.verdict})


def _announce(tx: Tx, session: Session) -> None:
    tx.emit(Event("session", str(session.id)))
    tx.emit(Event("charger", session.charger_id))
    if session.order_id is not None:
        tx.emit(Event("order", session.order_id))
