"""What is believed of a start before it is taken: its place, its time, and whether its start fee is due."""

from dataclasses import replace
from datetime import timedelta

from onprem_csms.clock import maybe_from_text, to_millis
from onprem_csms.db.chargers import chargers as charger_rows
from onprem_csms.db.chargers import connectors as connector_rows
from onprem_csms.db.chargers import intervals
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import CLOCK
from onprem_csms.services.chargers import inventory

ONLY_CONNECTOR = Place(0, 1)
# What a charger kept while it was offline comes within this time of its connection.
BACKLOG = timedelta(seconds=60)
FEW_WH = 100
"""A session that delivered less was none to speak of: the next one of its card is its continuation."""


def place_of(tx: Tx, report: Report) -> Place:
    """Return where a session begins; a charger that counts its only connector from 0 means connector 1.

    A session has a place where the protocol gives transactions none but a connector's; see docs/chargers.md.
    """
    place = report.place or WHOLE_CHARGER
    if not place.whole_charger or report.own_reference:
        return inventory.named_place(tx, report.charger_id, place)
    charger_rows.count_quirk(tx, report.charger_id, "connector_zero", 1, "")
    others = set(connector_rows.places(tx, report.charger_id)) - {ONLY_CONNECTOR}
    return place if others else ONLY_CONNECTOR


def believed(tx: Tx, report: Report) -> Report:
    """Let the time of receipt count for a start long before its charger was last here without it, and say so."""
    doubt = timedelta(seconds=tx.settings.sessions.start_doubt_s)
    if report.at >= tx.now - doubt:
        return report
    last = intervals.last_here(tx, report.charger_id)
    if last is None or report.at >= last - doubt:
        return report
    return replace(report, at=tx.now, flags=(*report.flags, CLOCK))


def told_at_once(tx: Tx, charger_id: str) -> bool:
    """Tell whether what a charger tells now happens now: it has been connected for longer than its backlog takes."""
    since = maybe_from_text(charger_rows.connected_since(tx, charger_id) or None)
    return since is not None and tx.now - since > BACKLOG


def was_offline(tx: Tx, report: Report) -> bool:
    """Tell whether a start is told late of a time at which its charger was not here: energy flowed since."""
    late = timedelta(seconds=tx.settings.sessions.late_after_s)
    if report.offline:
        return True
    if tx.now - report.at <= late:
        return False
    since = maybe_from_text(charger_rows.connected_since(tx, report.charger_id) or None)
    return since is not None and tx.now - since <= BACKLOG


def fee_was_taken(tx: Tx, report: Report, uid: str) -> bool:
    """Tell whether the card began here just before: a loop of short sessions pays one start fee."""
    at, place = to_millis(report.at), report.place
    since = at - tx.settings.sessions.one_fee_within_s * 1000
    return bool(uid) and any(
        one.uid == uid and one.place == place and one.verdict == "accepted" and one.energy_wh < FEW_WH
        for one in rows.begun_about(tx, report.charger_id, since + 1, at, last=True)
    )
