"""Stops that are wanted: sent again, by stronger means, and shown while a charger goes on."""

from typing import NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.cards import cards as card_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.commands import (
    ChangeAvailability,
    Command,
    RemoteStop,
    Reset,
    StopByLimit,
    Unlock,
)
from onprem_csms.domain.charging import escalation
from onprem_csms.domain.charging.escalation import Means
from onprem_csms.events import Event
from onprem_csms.services.charging import authorization, prepaid, review

NOT_STOPPING = "not_stopping"
SETTLED_WITHIN_MS = 120_000


class Try(NamedTuple):
    """What is sent to a charger so that a session stops."""

    session_id: int
    charger_id: str
    means: Means
    command: Command


def due(tx: Tx) -> list[Try]:
    """Return what is to be tried now."""
    now = to_millis(tx.now)
    return [
        _try(tx, session)
        for session in rows.to_stop(tx, now - escalation.WAITS_S[0] * 1000)
        if now - (session.stop_tried_at or 0) >= escalation.wait_s(session.stop_tries) * 1000
    ]


def _try(tx: Tx, session: Session) -> Try:
    means = escalation.means(session.stop_tries, tx.settings.prepaid.escalate)
    number = rows.number(tx, session)
    command: Command = RemoteStop(number)
    if means == "limit":
        command = StopByLimit(session.place, number, session.id)
    elif means == "unavailable":
        command = ChangeAvailability(operative=False, place=session.place)
    elif means == "unlock" and not session.place.whole_charger:
        command = Unlock(session.place)
    elif means == "reset":
        command = Reset(hard=True)
    return Try(session.id, session.charger_id, means, command)


def tried(tx: Tx, session_id: int) -> None:
    """Count a try; who goes on for long after the first is put onto the review list."""
    session = rows.get(tx, session_id)
    if session is None or not session.active:
        return
    now = to_millis(tx.now)
    rows.update(tx, session, stop_tried_at=now, stop_tries=session.stop_tries + 1)


def refused(tx: Tx, tried: Try, answer: str) -> None:
    """A charger refused a try, or did not answer: that is shown while the session goes on."""
    session = rows.get(tx, tried.session_id)
    if session is not None and session.active:
        _show(tx, session, answer, tried.means)


def overdue(tx: Tx) -> list[Session]:
    """Return the sessions that go on long after their stop was wanted."""
    wanted = to_millis(tx.now) - escalation.OBEYED_WITHIN_S * 1000
    return [one for one in rows.stops_wanted(tx) if (one.stop_wanted_at or 0) <= wanted]


def show_overdue(tx: Tx, session_ids: list[int]) -> None:
    """Put sessions that go on long after their stop was wanted onto the review list."""
    for id in session_ids:
        session = rows.get(tx, id)
        if session is not None and session.active:
            review.flag_session(tx, session, NOT_STOPPING, {"tries": session.stop_tries})
            tx.emit(Event("session", str(session.id)))


def _show(tx: Tx, session: Session, answer: str, means: Means) -> None:
    detail = {"answer": answer, "means": means, "tries": session.stop_tries}
    review.follow_session(tx, session, NOT_STOPPING, detail)


def ended(tx: Tx, session: Session, at: int) -> None:
    """A session that should stop has ended: soon enough, nobody need look at it."""
    if session.review == "open" and at - (session.stop_wanted_at or at) <= SETTLED_WITHIN_MS:
        review.settled(tx, session, NOT_STOPPING)


def look_at_cards(tx: Tx) -> None:
    """Stop the sessions whose card was blocked, lost or expired meanwhile, where the site wants that."""
    if not tx.settings.sessions.stop_blocked_cards:
        return
    for session in rows.of_ended_cards(tx):
        card = None if session.card_id is None else card_rows.by_id(tx, session.card_id)
        if card is not None and authorization.judge_card(card, tx.now).status != "accepted":
            prepaid.want_stop(tx, rows.get(tx, session.id) or session, "card_ended")
