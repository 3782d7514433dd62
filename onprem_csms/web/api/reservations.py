"""``/reservations``: connectors that are kept for a card. The charger's answer decides."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from onprem_csms.domain.chargers.places import Place
from onprem_csms.services.charging import reservations, reserving
from onprem_csms.web.api.fields import Given, Moment, Page, Paged, offset, page_from
from onprem_csms.web.api.route import Call, Created, place

Status = Literal["active", "used", "cancelled", "expired"]


class Reservation(Struct, frozen=True, kw_only=True):
    """A reservation; connector 0 is any of the charger's. ``session`` is the one that used it."""

    id: int
    charger: str
    evse: int
    connector: int
    token: str
    group: str | None
    status: Status
    expires_at: datetime
    session: int | None
    created_at: datetime
    ended_at: datetime | None


class NewReservation(Given, frozen=True, kw_only=True):
    """What is to be kept for whom and until when."""

    charger: Annotated[str, Meta(min_length=1, max_length=128)]
    token: Annotated[str, Meta(min_length=1, max_length=36)]
    expires_at: Moment
    connector: Annotated[int, Meta(ge=0, le=1000)] = 0
    evse: Annotated[int, Meta(ge=0, le=1000)] = 0


class ReservationsQuery(Paged, frozen=True, kw_only=True):
    """Which reservations."""

    charger: str | None = None
    status: Status | None = None


class OneQuery(Given, frozen=True, kw_only=True):
    """Whose reservation, where two chargers have one of the same number."""

    charger: str | None = None


async def find(call: Call[None, ReservationsQuery]) -> Page[Reservation]:
    """List reservations, newest first."""
    query = call.query
    most = offset(query) + query.limit + 1
    found = await call.read(reservations.find, charger_id=query.charger, status=query.status, limit=most)
    return page_from(found, query, show)


async def get(call: Call[None, OneQuery]) -> Reservation:
    """Show one reservation."""
    return show(await call.read(reserving.by_number, call.number(), call.query.charger))


async def create(call: Call[NewReservation, None]) -> Created[Reservation]:
    """Ask a charger to keep a connector for a card; 409 when it refuses."""
    body = call.body
    wish = reserving.Wish(
        body.charger, Place(body.evse, body.connector), body.token.strip().upper(), body.expires_at
    )
    made = await reserving.reserve(call.ctx, wish, origin=call.actor)
    return Created(show(made), place("reservations", made.id))


async def cancel(call: Call[None, OneQuery]) -> Reservation:
    """Ask a charger to give a reserved connector free; 409 when it refuses."""
    found = await call.read(reserving.by_number, call.number(), call.query.charger)
    return show(await reserving.cancel(call.ctx, found.charger_id, found.id, origin=call.actor))


def show(reservation: reservations.Reservation) -> Reservation:
    """Show a reservation as JSON."""
    return Reservation(
        id=reservation.id,
        charger=reservation.charger_id,
        evse=reservation.evse,
        connector=reservation.connector,
        token=reservation.uid,
        group=reservation.group,
        status=reservation.status,
        expires_at=reservation.expires_at,
        session=reservation.session_id,
        created_at=reservation.created_at,
        ended_at=reservation.ended_at,
    )
