"""Sessions that may be over although their charger never said so: after a restart, on a connector that became free.

The doubt is noted at once; a sign that the session goes on ends it, and after a grace without one it is closed.
"""

from datetime import datetime

from onprem_csms.clock import to_millis
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import ConnectorStatus
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import Doubt, StopReason
from onprem_csms.events import Event
from onprem_csms.services.charging import ending, review

# A charger tells whole seconds.
RESOLUTION_MS = 1_500
_GOES_ON = frozenset(("charging", "suspended_vehicle", "suspended_charger", "occupied"))
_REASONS: dict[Doubt, StopReason] = {"rebooted": "reboot", "connector_free": "never_reported"}


def booted(tx: Tx, charger_id: str) -> None:
    """A charger has started: does it still know its sessions?"""
    for session in rows.active_of_charger(tx, charger_id):
        if session.doubt != "connector_free":
            rows.update(tx, session, doubt="rebooted", doubted_at=to_millis(tx.now))


def place_shows(tx: Tx, charger_id: str, place: Place, status: ConnectorStatus | None) -> None:
    """A place says that it is in use: what runs there goes on, whatever the time told with it."""
    if status not in _GOES_ON or place.whole_charger:
        return
    for session in rows.active_on(tx, charger_id, place):
        if session.doubt is not None:
            _went_on(tx, session)


def place_is_free(tx: Tx, charger_id: str, place: Place, at: datetime) -> None:
    """A place says that it is free: a session that runs there may be over. Some say so in mid-session."""
    if place.whole_charger:
        return
    for session in rows.active_on(tx, charger_id, place):
        if session.doubt != "connector_free" and session.began < to_millis(at):
            rows.update(tx, session, doubt="connector_free", doubted_at=to_millis(tx.now))
            review.flag_session(tx, session, "connector_free")
            tx.emit(Event("session", str(session.id)))


def heard(tx: Tx, session: Session, report: Report) -> Session:
    """A charger told of a session: one told of the time since is a sign that it goes on, an older one gives it time."""
    if session.doubted_at is None:
        return session
    newest = max((to_millis(reading.at) for reading in report.readings), default=to_millis(report.at))
    if newest + RESOLUTION_MS >= session.doubted_at:
        return _went_on(tx, session)
    return rows.update(tx, session, doubted_at=to_millis(tx.now))


def _went_on(tx: Tx, session: Session) -> Session:
    after = rows.update(tx, session, doubt=None, doubted_at=None)
    if session.doubt == "connector_free":
        review.settled(tx, session, "connector_free")
    return rows.get(tx, session.id) or after


def due(tx: Tx) -> list[Session]:
    """Return the sessions that gave no sign within the grace."""
    settings, now = tx.settings.sessions, to_millis(tx.now)
    free = rows.doubted(tx, "connector_free", now - settings.free_grace_s * 1000)
    return free + rows.doubted(tx, "rebooted", now - settings.reboot_grace_s * 1000)


def settle_due(tx: Tx) -> None:
    """Close the sessions that gave no sign within the grace, at their last reading."""
    for session in due(tx):
        if session.doubt is not None:
            ending.close(tx, session, _REASONS[session.doubt])
            review.flag_session(tx, session, session.doubt)
