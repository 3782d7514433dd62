"""Reading sessions: lists, one session, its curve; and what an operator does to one."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from onprem_csms.clock import from_text, maybe_from_text
from onprem_csms.db.charging import readings as reading_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import Activity, StopReason, VerdictStatus
from onprem_csms.domain.money.tariffs import Tariff
from onprem_csms.errors import Conflict, NotFound
from onprem_csms.services.charging import billing, ending, prepaid
from onprem_csms.services.core import audit


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions; ``state`` is active or ended, ``before`` the id of the last one already seen.

    ``uid`` is a number as a charger told it or that of the card, whichever card had it; ``card_id`` is one card.
    """

    charger_id: str | None = None
    evse: int | None = None
    connector: int | None = None
    uid: str | None = None
    card_id: int | None = None
    wallet_id: int | None = None
    person_id: int | None = None
    transaction_id: str | None = None
    state: str | None = None
    review: str | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as it stands: live while active, final when ended. ``priced`` is False where nothing is charged."""

    id: int
    charger_id: str
    charger_name: str
    evse: int
    connector: int
    transaction_id: str
    uid: str
    card_id: int | None
    card_uid: str | None
    person_id: int | None
    person_name: str
    wallet_id: int | None
    order_id: str | None
    state: str
    closed_by: str
    verdict: VerdictStatus
    began_at: datetime
    ended_at: datetime | None
    reason: StopReason | None
    meter_start_wh: int
    meter_stop_wh: int | None
    energy_wh: int
    power_w: int | None
    soc_percent: int | None
    activity: Activity
    read_at: datetime | None
    currency: str
    cost: int
    priced: bool
    tariff: Tariff | None
    bill: dict[str, Any] | None
    stop_wanted: StopReason | None
    review: str


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of a session: power in W, energy in Wh and cost in minor units so far."""

    at: datetime
    power_w: int | None
    energy_wh: int
    cost: int
    soc_percent: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of a session in time."""

    points: tuple[Point, ...]


def find(tx: Tx, wanted: SessionFilter) -> list[SessionView]:
    """Return sessions, newest first."""
    where, params = ["1 = 1"], list[Any]()
    for column in (
        "charger_id",
        "evse",
        "connector",
        "card_id",
        "wallet_id",
        "transaction_id",
        "state",
        "review",
    ):
        value = getattr(wanted, column)
        if value is not None:
            where.append(f"s.{column} = ?")
            params.append(value)
    if wanted.uid is not None:
        where.append("(s.uid = ? OR s.card_id IN (SELECT id FROM cards WHERE uid = ?))")
        params += [wanted.uid, wanted.uid]
    if wanted.person_id is not None:
        where.append("p.id = ?")
        params.append(wanted.person_id)
    if wanted.before is not None:
        where.append("s.id < ?")
        params.append(wanted.before)
    return [_view(row) for row in rows.find(tx, " AND ".join(where), params, wanted.limit)]


def get(tx: Tx, session_id: int) -> SessionView:
    """Return a session; NotFound."""
    row = rows.view(tx, session_id)
    if row is None:
        raise NotFound("There is no session {id}.", id=session_id)
    return _view(row)


def active_on(tx: Tx, charger_id: str, place: Place) -> SessionView | None:
    """Return the session that runs on a connector."""
    found = rows.active_on(tx, charger_id, place)
    return get(tx, found[0]["id"]) if found else None


def curve(tx: Tx, session_id: int) -> Curve:
    """Return power, energy and cost over a session; NotFound."""
    get(tx, session_id)
    points = (
        Point(from_text(row["at"]), row["power_w"], row["energy_wh"], row["cost"], row["soc_percent"])
        for row in reading_rows.of_session(tx, session_id)
    )
    return Curve(tuple(points))


def close(tx: Tx, session_id: int) -> SessionView:
    """End a stale session at its last reading without a message to the charger; Conflict when it has ended."""
    row = rows.get(tx, session_id)
    if row is None:
        raise NotFound("There is no session {id}.", id=session_id)
    if row["state"] == "ended":
        raise Conflict("This session has already ended.")
    ending.close(tx, row, "closed_by_operator")
    audit.note(tx, "session.closed", session_id)
    return get(tx, session_id)


def want_stop(tx: Tx, session_id: int, reason: StopReason = "remote") -> SessionView:
    """Ask for a session's end; the charger is told until it reports it. Conflict when it has ended."""
    view = get(tx, session_id)
    if view.state == "ended":
        raise Conflict("This session has already ended.")
    if prepaid.want_stop(tx, session_id, reason):
        audit.note(tx, "session.stopped", session_id)
    return get(tx, session_id)


def _view(row: Row) -> SessionView:
    active = row["state"] == "active"
    return SessionView(
        id=row["id"],
        charger_id=row["charger_id"],
        charger_name=row["charger_name"] or row["charger_id"],
        evse=row["evse"],
        connector=row["connector"],
        transaction_id=row["transaction_id"],
        uid=row["uid"],
        card_id=row["card_id"],
        card_uid=row["card_uid"],
        person_id=row["person_id"],
        person_name=row["person_name"] or "",
        wallet_id=row["wallet_id"],
        order_id=row["order_id"],
        state=row["state"],
        closed_by=row["closed_by"],
        verdict=row["verdict"],
        began_at=from_text(row["began_at"]),
        ended_at=maybe_from_text(row["ended_at"]),
        reason=row["reason"],
        meter_start_wh=row["meter_start_wh"],
        meter_stop_wh=row["meter_stop_wh"],
        energy_wh=(row["live_energy_wh"] or 0) if active else row["energy_wh"],
        power_w=row["live_power_w"] if active else None,
        soc_percent=row["live_soc_percent"],
        activity=cast(Activity, row["activity"]),
        read_at=maybe_from_text(row["read_at"]),
        currency=row["currency"],
        cost=row["live_cost"] if active and row["live_cost"] is not None else row["cost"],
        priced=row["tariff"] is not None,
        tariff=billing.tariff_of(row),
        bill=None if row["bill"] is None else json.loads(row["bill"]),
        stop_wanted=row["stop_wanted"],
        review=row["review"],
    )
