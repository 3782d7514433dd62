"""What a driver sees and does on the phone: their own card, orders and sessions, nobody else's."""

from dataclasses import dataclass

from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import NotFound, Unauthenticated
from onprem_csms.services.cards import tokens
from onprem_csms.services.cards.tokens import Card
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


def account(tx: Tx, uid: str) -> Account:
    """Return what a driver has; Unauthenticated when the card was taken out of use since they signed in."""
    try:
        card = tokens.get(tx, uid)
    except NotFound as fault:
        raise Unauthenticated("This card is not in use any more.") from fault
    found = [
        view for view in sessions.find(tx, SessionFilter(uid=uid, limit=_RECENT)) if view.token_uid == uid
    ]
    return Account(
        card,
        running=tuple(view for view in found if view.state == "active"),
        past=tuple(view for view in found if view.state == "ended"),
        waiting=_waiting(tx, uid),
    )


def own_order(tx: Tx, uid: str, order_id: str) -> Order:
    """Return an order of this card; NotFound for anybody else's."""
    order = orders.get(tx, order_id)
    if order.uid != uid:
        raise NotFound("There is no such order.")
    return order


def cancel(tx: Tx, uid: str, order_id: str) -> Order:
    """Give up an order before a session began; the money is back. NotFound, Conflict when it is too late."""
    return orders.cancel(tx, own_order(tx, uid, order_id).id)


def own_charge(tx: Tx, uid: str, session_id: int) -> Charge:
    """Return a session of this card with its order; NotFound for anybody else's."""
    view = sessions.get(tx, session_id)
    if view.token_uid != uid:
        raise NotFound("There is no session {id}.", id=session_id)
    return Charge(view, orders.get(tx, view.order_id) if view.order_id else None)


def stop(tx: Tx, uid: str, session_id: int) -> None:
    """Ask for the end of one's own session; asked again, or when it has ended, nothing more happens."""
    view = own_charge(tx, uid, session_id).session
    if view.state == "active" and view.stop_wanted is None:
        sessions.want_stop(tx, session_id, "remote")


def _waiting(tx: Tx, uid: str) -> Order | None:
    newest = next(iter(order_rows.of_token(tx, uid, 1)), None)
    return orders.get(tx, newest["id"]) if newest is not None and newest["status"] in OPEN else None
