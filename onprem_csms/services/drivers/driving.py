"""What a driver sees and does on the phone: their own card, orders and sessions, nobody else's."""

from dataclasses import dataclass

from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import NotFound, Unauthenticated
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import Card
from onprem_csms.services.charging import orders, sessions
from onprem_csms.services.charging.orders import Order
from onprem_csms.services.charging.sessions import SessionFilter, SessionView

OPEN = frozenset({"held", "sent", "accepted"})
_RECENT = 50


@dataclass(frozen=True, slots=True)
class Account:
    """A driver's card with what runs now (``running``, ``waiting``: an order without a session) and what is over."""

    card: Card
    running: tuple[SessionView, ...]
    past: tuple[SessionView, ...]
    waiting: Order | None


@dataclass(frozen=True, slots=True)
class Charge:
    """One session of a driver, and the order that paid for it in advance, if one did."""

    session: SessionView
    order: Order | None

    @property
    def given_back(self) -> int | None:
        """What of the deducted amount went back, in minor units; None while it runs or without an order."""
        if self.order is None or self.session.state != "ended" or not self.order.amount:
            return None
        return max(0, self.order.amount - self.session.cost)


def account(tx: Tx, card_id: int) -> Account:
    """Return what a driver has; Unauthenticated when the card was taken out of use since they signed in."""
    card = _own_card(tx, card_id)
    newest = sessions.find(tx, SessionFilter(card_id=card_id, limit=_RECENT))
    found = [view for view in newest if view.began_at >= card.holder_since]
    return Account(
        card,
        running=tuple(view for view in found if view.state == "active"),
        past=tuple(view for view in found if view.state != "active"),
        waiting=_waiting(tx, card_id),
    )


def _own_card(tx: Tx, card_id: int) -> Card:
    card = cards.by_id(tx, card_id)
    if card.archived:
        raise Unauthenticated("This card is not in use any more.")
    return card


def own_order(tx: Tx, card_id: int, order_id: str) -> Order:
    """Return an order of this card; NotFound for anybody else's."""
    order = orders.get(tx, order_id)
    if order.card_id != card_id or order.created_at < _own_card(tx, card_id).holder_since:
        raise NotFound("There is no such order.")
    return order


def cancel(tx: Tx, card_id: int, order_id: str) -> Order:
    """Give up an order before a session began; the money is back. NotFound, Conflict when it is too late."""
    return orders.cancel(tx, own_order(tx, card_id, order_id).id)


def own_charge(tx: Tx, card_id: int, session_id: int) -> Charge:
    """Return a session of this card with its order; NotFound for anybody else's."""
    view = sessions.get(tx, session_id)
    if view.card_id != card_id or view.began_at < _own_card(tx, card_id).holder_since:
        raise NotFound("There is no session {id}.", id=session_id)
    return Charge(view, orders.get(tx, view.order_id) if view.order_id else None)


def stop(tx: Tx, card_id: int, session_id: int) -> None:
    """Ask for the end of one's own session; asked again, or when it has ended, nothing more happens."""
    view = own_charge(tx, card_id, session_id).session
    if view.state == "active" and view.stop_wanted is None:
        sessions.want_stop(tx, session_id, "by_driver")


def _waiting(tx: Tx, card_id: int) -> Order | None:
    newest = next(iter(order_rows.of_card(tx, card_id, 1)), None)
    return orders.get(tx, newest.id) if newest is not None and newest.status in OPEN else None
