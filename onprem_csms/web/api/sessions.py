"""``/sessions``: what charged, when, how much, for how much."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from onprem_csms.services.charging import sessions
from onprem_csms.web.api.fields import Id, Page, Paged, before, page, shown
from onprem_csms.web.api.route import Call

State = Literal["open", "closed"]
_STATES: dict[str | None, str | None] = {None: None, "open": "active", "closed": "ended"}
Energy = Annotated[int, Meta(description="Wh")]


class Session(Struct, frozen=True, kw_only=True):
    """A session: live while open, final when closed. Energy in Wh, power in W, money in minor units.

    ``verdict`` is what was said of the card, ``stop_wanted`` why the site has asked for its end, ``priced`` false
    where nothing is charged. ``waiting``: it is closed, and nothing of it is booked before a person has looked
    (``/sessions/{id}/book``). ``review`` is ``open`` while a person should look at it (see ``/reviews``).
    """

    id: int
    charger: str
    charger_name: str
    evse: int
    connector: int
    transaction_id: str
    token: str
    person: int | None
    person_name: str
    wallet: int | None
    state: State
    verdict: str
    began_at: datetime
    ended_at: datetime | None
    stop_reason: str | None
    stop_wanted: str | None
    meter_start_wh: int
    meter_stop_wh: int | None
    energy_wh: Energy
    power_w: int | None
    soc_percent: int | None
    activity: str
    read_at: datetime | None
    cost: int
    currency: str
    priced: bool
    bill: dict[str, Any] | None
    review: Literal["none", "open", "done"]
    waiting: bool


class Reading(Struct, frozen=True, kw_only=True):
    """A moment of a session: power in W, energy in Wh and cost in minor units so far."""

    at: datetime
    power_w: int | None
    energy_wh: int
    cost: int
    soc_percent: int | None


class Readings(Struct, frozen=True, kw_only=True):
    """All moments of a session, in time."""

    items: list[Reading]


class SessionsQuery(Paged, frozen=True, kw_only=True):
    """Which sessions."""

    charger: str | None = None
    evse: Annotated[int, Meta(ge=0, le=1000)] | None = None
    connector: Annotated[int, Meta(ge=0, le=10**6)] | None = None
    token: str | None = None
    person: Id | None = None
    wallet: Id | None = None
    transaction_id: str | None = None
    state: State | None = None
    review: Literal["none", "open", "done"] | None = None


async def find(call: Call[None, SessionsQuery]) -> Page[Session]:
    """List sessions, newest first."""
    query = call.query
    wanted = sessions.SessionFilter(
        charger_id=query.charger,
        evse=query.evse,
        connector=query.connector,
        uid=None if query.token is None else query.token.strip().upper(),
        wallet_id=query.wallet,
        person_id=query.person,
        transaction_id=query.transaction_id,
        state=_STATES[query.state],
        review=query.review,
        before=before(query),
        limit=query.limit + 1,
    )
    return page(await call.read(sessions.find, wanted), query.limit, show, lambda view: view.id)


async def get(call: Call[None, None]) -> Session:
    """Show one session."""
    return show(await call.read(sessions.get, call.number()))


async def readings(call: Call[None, None]) -> Readings:
    """Show a session's power, energy and cost in time."""
    curve = await call.read(sessions.curve, call.number())
    return Readings(items=[shown(point, Reading) for point in curve.points])


async def close(call: Call[None, None]) -> Session:
    """End a stale session at its last reading; the charger is told nothing."""
    return show(await call.write(sessions.close, call.number()))


async def stop(call: Call[None, None]) -> Session:
    """Ask for the end of a session; the charger is told until it reports it."""
    return show(await call.write(sessions.want_stop, call.number(), "remote"))


def show(view: sessions.SessionView) -> Session:
    """Show a session as JSON."""
    same = {name: getattr(view, name) for name in Session.__struct_fields__ if hasattr(view, name)}
    own: dict[str, Any] = {
        "charger": view.charger_id,
        "token": view.card_uid or view.uid,
        "person": view.person_id,
        "wallet": view.wallet_id,
        "state": "open" if view.state == "active" else "closed",
        "stop_reason": view.reason,
        "review": _review(view.review),
        "waiting": view.state == "waiting",
    }
    return Session(**{**same, **own})


def _review(state: str) -> Literal["none", "open", "done"]:
    return "open" if state == "open" else "done" if state == "done" else "none"
