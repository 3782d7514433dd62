"""What chargers tell of themselves: they come, boot, change state, go."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from onprem_csms.clock import to_text
from onprem_csms.db import chargers as rows
from onprem_csms.db import connectors as connector_rows
from onprem_csms.db import intervals, knocks
from onprem_csms.db.connection import Row
from onprem_csms.db.database import Tx
from onprem_csms.domain.chargers import Boot, ConnectorStatus, QuirkCount, Registration, StatusChange
from onprem_csms.domain.sessions import Activity
from onprem_csms.events import Event
from onprem_csms.services import chargers, charging, profiles

LONGEST_EXAMPLE = 500
# While a session runs: who holds the energy back. A car that does not ask is idle, a charger that holds back pauses.
_ACTIVITIES: dict[ConnectorStatus, Activity] = {
    "charging": "charging",
    "suspended_vehicle": "idle",
    "suspended_charger": "paused",
}


@dataclass(frozen=True, slots=True)
class BootAnswer:
    """What a charger is told when it starts; the interval is of its heartbeats, or until it may ask again."""

    registration: Registration
    interval_s: int


def connected(tx: Tx, charger_id: str, protocol: str, remote: str) -> int:
    """Note that a charger has come; returns the id of the connection's interval."""
    rows.connected(tx, charger_id, protocol)
    knocks.delete(tx, charger_id)
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
    row = rows.get(tx, boot.charger_id)
    registration: Registration = "rejected" if row is None else row["registration"]
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
    tx.emit(Event("charger", boot.charger_id))
    return BootAnswer(registration, tx.settings.heartbeat_interval_s)


def status_changed(tx: Tx, change: StatusChange) -> bool:
    """Note a connector's status; False when it changes nothing: repeated, or older than what is known.

    Number 0 is the charger as a whole. A backlog of old statuses does not drive the live picture.
    """
    if not chargers.ensure_connector(tx, change.charger_id, change.connector):
        return False
    row = connector_rows.get(tx, change.charger_id, change.connector)
    at = to_text(change.at)
    if row is None or (row["status_at"] is not None and row["status_at"] > at):
        return False
    if _same(row, change):
        return False
    connector_rows.update(
        tx,
        change.charger_id,
        change.connector,
        {
            "status": change.status,
            "error_code": change.error_code,
            "info": change.info,
            "status_at": at,
        },
    )
    _cut_interval(tx, change, at)
    activity = _ACTIVITIES.get(change.status)
    if activity is not None and change.connector:
        charging.change_activity(tx, change.charger_id, change.connector, change.at, activity)
    if change.status == "available":
        profiles.session_over(tx, change.charger_id, change.connector)
    tx.emit(Event("charger", change.charger_id))
    return True


def _same(row: Row, change: StatusChange) -> bool:
    now = (change.status, change.error_code, change.info)
    return (row["status"], row["error_code"], row["info"]) == now


def _cut_interval(tx: Tx, change: StatusChange, at: str) -> None:
    place = (change.charger_id, change.connector)
    open_one = intervals.open_status(tx, *place)
    if open_one is not None:
        if (open_one["status"], open_one["error_code"]) == (change.status, change.error_code):
            return
        intervals.end_status(tx, open_one["id"], at)
    intervals.begin_status(tx, place, change.status, change.error_code, at)


def noticed(tx: Tx, charger_id: str, kind: str, detail: dict[str, Any]) -> None:
    """Keep what a charger told of its firmware, logs, security or in its maker's own words."""
    rows.insert_notice(tx, charger_id, kind, json.dumps(detail, ensure_ascii=False))
    tx.emit(Event("charger", charger_id))


def count_quirks(tx: Tx, charger_id: str, counts: Iterable[QuirkCount]) -> None:
    """Add to the counters of how a charger deviates from its protocol."""
    for count in counts:
        rows.count_quirk(tx, charger_id, count.kind, count.times, count.example[:LONGEST_EXAMPLE])
    tx.emit(Event("charger", charger_id))
