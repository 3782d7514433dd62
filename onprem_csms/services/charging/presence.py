"""What chargers tell of themselves: they come, boot, change state, go."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from onprem_csms.clock import to_text
from onprem_csms.db.chargers import attempts, intervals
from onprem_csms.db.chargers import chargers as rows
from onprem_csms.db.chargers import connectors as connector_rows
from onprem_csms.db.chargers.connectors import Shown
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import Boot, ConnectorStatus, QuirkCount, Registration, StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import ReportAnswer
from onprem_csms.domain.charging.sessions import ACTIVITIES_SHOWN
from onprem_csms.events import Event
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import doubts, recording, registers

LONGEST_EXAMPLE = 500
# What is told of the moments before a connection is no backlog: connecting takes a while too.
_JUST_BEFORE = timedelta(seconds=5)
_IN_USE = frozenset(("occupied", "preparing", "charging", "suspended_charger", "suspended_vehicle"))
# Somebody's cable is in, and it was told what goes on there: that it is occupied says less.
_MORE_THAN_OCCUPIED = frozenset(
    ("preparing", "charging", "suspended_charger", "suspended_vehicle", "finishing")
)


@dataclass(frozen=True, slots=True)
class BootAnswer:
    """What a charger is told when it starts; the interval is of its heartbeats, or until it may ask again."""

    registration: Registration
    interval_s: int


def connected(tx: Tx, charger_id: str, protocol: str, remote: str) -> int:
    """Note that a charger has come; returns the id of the connection's interval."""
    rows.connected(tx, charger_id, protocol)
    attempts.delete(tx, charger_id)
    interval_id = intervals.begin_connection(tx, charger_id, protocol, remote)
    tx.emit(Event("charger", charger_id))
    return interval_id


def disconnected(tx: Tx, charger_id: str, interval_id: int, reason: str) -> None:
    """Note that a connection has ended. A session goes on: a lost socket is no stop."""
    if intervals.end_connection(tx, interval_id, reason):
        if not intervals.has_open_connection(tx, charger_id):
            rows.update(tx, charger_id, {"disconnected_at": tx.now_text})
        tx.emit(Event("charger", charger_id))


def begin_process(tx: Tx) -> None:
    """Tidy up after a process that was killed: connections it left open ended when it was last alive."""
    intervals.end_forgotten_connections(tx)


def booted(tx: Tx, boot: Boot) -> BootAnswer:
    """Note what a charger says of itself and return whether it is accepted (OCPP 1.6, section 4.2)."""
    registration: Registration = rows.registration(tx, boot.charger_id) or "rejected"
    rows.update(
        tx,
        boot.charger_id,
        {
            "vendor": boot.vendor,
            "model": boot.model,
            "serial": boot.serial,
            "firmware": boot.firmware,
            "boot_info": json.dumps(boot.info, ensure_ascii=False),
            "booted_at": tx.now_text,
        },
    )
    doubts.booted(tx, boot.charger_id)
    tx.emit(Event("charger", boot.charger_id))
    return BootAnswer(registration, tx.settings.heartbeat_interval_s)


def status_changed(tx: Tx, change: StatusChange) -> bool:
    """Note a connector's status; False when it changes nothing: repeated, or older than what is known.

    Number 0 is the charger as a whole. What is told later counts later, whatever its clock says; only a backlog, from
    before the connection began, does not drive the live picture.
    """
    place = (change.charger_id, *change.place)
    before = _shown(tx, change.charger_id, change.place)
    at = to_text(change.at)
    if before is None:
        return False
    doubts.place_shows(tx, change.charger_id, change.place, change.status)
    if before.at > at and rows.connected_since(tx, change.charger_id) > to_text(change.at + _JUST_BEFORE):
        return False
    at = max(at, before.at)
    if change.status == "available":
        doubts.place_is_free(tx, change.charger_id, change.place, change.at)
    status = change.status or before.status
    error_code = before.error_code if change.error_code is None else change.error_code
    if status == "occupied" and before.status in _MORE_THAN_OCCUPIED:
        status = before.status
    activity = None if change.status is None else ACTIVITIES_SHOWN.get(change.status)
    if activity is not None and not change.place.whole_charger:
        # Also where the state is the same: a session may have begun in it.
        recording.place_became(tx, change.charger_id, change.place, change.at, activity)
    if status == "available":
        registers.left(tx, change.charger_id, change.place)
    now = (status, error_code, change.info)
    if (before.status, before.error_code, before.info) == now:
        return False
    connector_rows.show(tx, place, now, at)
    interval_id = before.interval_id
    if (before.status, before.error_code) != now[:2] or not interval_id:
        if interval_id:
            intervals.end_status(tx, interval_id, at)
        interval_id = intervals.begin_status(tx, place, status, error_code, at)
    connector_rows.SHOWN.set(tx, place, Shown(*now, at, interval_id))
    tx.emit(Event("charger", change.charger_id))
    return True


def _shown(tx: Tx, charger_id: str, place: Place) -> Shown | None:
    """Look up what a connector shows; None for one that the charger can't have."""
    known = connector_rows.SHOWN.get(tx, (charger_id, *place))
    if known is not None:
        return known
    if not inventory.ensure_connector(tx, charger_id, place):
        return None
    return connector_rows.shown(tx, charger_id, place)


def session_shows(tx: Tx, charger_id: str, told: ReportAnswer, status: ConnectorStatus, at: datetime) -> None:
    """Note what a connector shows by what its session does, for chargers that tell no more than occupied.

    A session that ends leaves the cable in; where the connector is known to be free already, it is free.
    """
    if told.place is None or told.place.connector == 0:
        return
    if status == "finishing":
        shown = _shown(tx, charger_id, told.place)
        if shown is None or shown.status not in _IN_USE:
            return
    elif not told.active:
        return
    status_changed(tx, StatusChange(charger_id, told.place, status, at, None))


def noticed(tx: Tx, charger_id: str, kind: str, detail: dict[str, Any]) -> None:
    """Keep what a charger told of its firmware, logs, security or in its maker's own words."""
    rows.insert_notice(tx, charger_id, kind, json.dumps(detail, ensure_ascii=False))
    tx.emit(Event("charger", charger_id))


def count_quirks(tx: Tx, charger_id: str, counts: Iterable[QuirkCount]) -> None:
    """Add to the counters of how a charger deviates from its protocol."""
    for count in counts:
        rows.count_quirk(tx, charger_id, count.kind, count.times, count.example[:LONGEST_EXAMPLE])
    tx.emit(Event("charger", charger_id))
