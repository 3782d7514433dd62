"""Connectors that are kept for a card. The charger keeps them; here is the record of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from onprem_csms.clock import from_text, maybe_from_text, to_text
from onprem_csms.db.cards import cards as card_rows
from onprem_csms.db.charging import reservations as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.errors import NotFound
from onprem_csms.events import Event
from onprem_csms.services.core import audit

ReservationStatus = Literal["active", "used", "cancelled", "expired"]


@dataclass(frozen=True, slots=True)
class NewReservation:
    """A reservation that a charger accepted; connector 0 is any of them."""

    charger_id: str
    id: int
    place: Place
    uid: str
    expires_at: datetime
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation on record; ``session_id`` is the session that used it."""

    charger_id: str
    id: int
    evse: int
    connector: int
    uid: str
    group: str | None
    expires_at: datetime
    status: ReservationStatus
    session_id: int | None
    created_at: datetime
    ended_at: datetime | None


def made(tx: Tx, new: NewReservation) -> None:
    """Keep a reservation that a charger accepted; one of the same number is replaced."""
    place, card_id, until = new.place, _card_id(tx, new.uid), to_text(new.expires_at)
    row = rows.NewRow(new.charger_id, new.id, place.evse, place.connector, new.uid, card_id, new.group, until)
    rows.record(tx, row)
    audit.note(
        tx, "reservation.made", f"{new.charger_id} {new.id}", place=place.label, uid=new.uid, until=until
    )
    tx.emit(Event("charger", new.charger_id))


def _card_id(tx: Tx, uid: str) -> int | None:
    card = card_rows.by_uid(tx, uid.strip().upper())
    return None if card is None else card.id


def cancelled(tx: Tx, charger_id: str, reservation_id: int) -> None:
    """Note that a charger gave a reservation up; an unknown one is nothing to note."""
    if rows.end(tx, charger_id, reservation_id, "cancelled"):
        audit.note(tx, "reservation.cancelled", f"{charger_id} {reservation_id}")
        tx.emit(Event("charger", charger_id))


def used(tx: Tx, charger_id: str, reservation_id: int, session_id: int) -> None:
    """Note that a session began on a reservation; an unknown one is nothing to note."""
    if rows.end(tx, charger_id, reservation_id, "used", session_id):
        tx.emit(Event("charger", charger_id))


def expire(tx: Tx) -> int:
    """End every reservation whose time is over; returns how many. To be called now and then."""
    over = rows.expire(tx)
    for charger_id in set(over):
        tx.emit(Event("charger", charger_id))
    return len(over)


def next_id(tx: Tx, charger_id: str) -> int:
    """Return a number for a new reservation that the charger never had."""
    return rows.highest(tx, charger_id) + 1


def get(tx: Tx, charger_id: str, reservation_id: int) -> Reservation:
    """Return one reservation; NotFound."""
    row = rows.get(tx, charger_id, reservation_id)
    if row is None:
        raise NotFound("There is no reservation {id}.", id=reservation_id)
    return _reservation(row)


def find(
    tx: Tx, *, charger_id: str | None = None, status: ReservationStatus | None = None, limit: int = 100
) -> list[Reservation]:
    """Return reservations, newest first."""
    return [_reservation(row) for row in rows.find(tx, charger_id=charger_id, status=status, limit=limit)]


def _reservation(row: rows.ReservationRow) -> Reservation:
    return Reservation(
        row.charger_id,
        row.id,
        row.evse,
        row.connector,
        row.uid,
        row.group_name,
        from_text(row.expires_at),
        cast(ReservationStatus, row.status),
        row.session_id,
        from_text(row.created_at),
        maybe_from_text(row.ended_at),
    )
