"""What a session teaches of its charger: what its connector delivers, and how long a stop takes."""

from onprem_csms.clock import to_millis
from onprem_csms.db.chargers import learned
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.services.charging import live, stopping
from onprem_csms.services.charging.live import Live

LITTLE_WH = 500
HOUR_MS = 3_600_000
SHORTEST_STOP_MS, LONGEST_STOP_MS = 500, 120_000
# A stop that took less than those before is believed by and by.
BELIEVED_PART = 4


def at_end(tx: Tx, session: Session, ended: int, *, reported: bool) -> None:
    """Learn from an active session that ended at a moment of its charger's; ``reported``: it said so itself."""
    now = live.known(tx, session.id)
    if now is None:
        return
    if live.set_power(session) is None and not session.place.whole_charger:
        _power(tx, session, now, ended)
    if reported and session.stop_wanted is not None:
        if session.stop_tries == 1:
            _stop(tx, session, now, ended)
        stopping.ended(tx, session, to_millis(tx.now))


def _power(tx: Tx, session: Session, now: Live, ended: int) -> None:
    energy, span = now.state.energy_wh, ended - session.began
    mean = energy * HOUR_MS // span if span > 0 and energy >= LITTLE_WH else 0
    most = max(now.pace.top_w, now.state.meter.top_power_w, mean)
    power = min(most, tx.settings.sessions.default_max_power_w)
    if energy and power > learned.top_power(tx, session.charger_id, session.place):
        learned.put_top_power(tx, session.charger_id, session.place, power)


def _stop(tx: Tx, session: Session, now: Live, ended: int) -> None:
    asked = session.stop_tried_at or 0
    took = min(now.pace.heard + ended - now.pace.told, to_millis(tx.now)) - asked
    took = max(SHORTEST_STOP_MS, min(took, LONGEST_STOP_MS))
    before = learned.stop_ms(tx, session.charger_id)
    if before is not None and took < before:
        took = before - (before - took) // BELIEVED_PART
    if took != before:
        learned.put_stop_ms(tx, session.charger_id, took)
