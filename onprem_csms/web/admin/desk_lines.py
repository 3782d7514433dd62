"""How the desk tells a card's state, and what its holder paid and used."""

from dataclasses import dataclass
from datetime import datetime

from onprem_csms.services.cards.cards import Card
from onprem_csms.services.charging.sessions import SessionView
from onprem_csms.services.desk.cash_desk import DeskCard
from onprem_csms.web.languages import N_
from onprem_csms.web.words import ENTRY, tag

REASONS = {
    "lost": N_("Lost"),
    "stolen": N_("Stolen"),
    "damaged": N_("Damaged"),
    "other": N_("Another reason"),
}
WENT_BELOW_ZERO = N_("The balance went below zero")
# Stands between a reason of the list and the operator's own words.
BETWEEN = " – "


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the spending; ``balance`` is None while a session still runs or where nothing is paid."""

    at: datetime
    word: str
    session: SessionView | None
    amount: int | None = None
    balance: int | None = None
    note: str = ""


def state_of(card: Card | None, now: datetime) -> str:
    """Return how a card stands: active, blocked, lost or expired."""
    if card is None:
        return ""
    expired = card.expires_at is not None and card.expires_at <= now
    return "expired" if card.status == "active" and expired else card.status


def lines_of(card: DeskCard) -> list[Line]:
    """Return the movements of a balance with their sessions; without a balance the sessions alone."""
    if card.known is None or card.known.wallet is None:
        return [Line(session.began_at, "", session) for session in card.sessions]
    sessions = {session.id: session for session in card.sessions}
    running = [
        Line(session.began_at, "", session, -session.cost)
        for session in card.sessions
        if session.state == "active" and session.wallet_id == card.known.wallet.id
    ]
    booked = [
        Line(
            at=movement.at,
            word=tag(ENTRY, movement.kind).word,
            session=sessions.get(movement.session_id or 0),
            amount=movement.amount,
            balance=movement.balance_after,
            note=movement.note,
        )
        for movement in card.movements
    ]
    return running + booked
