"""The table ``learned``: what chargers showed of themselves, the power of their connectors and what a stop takes.

A charger as a whole has the place (0, 0).
"""

from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place

_POWER: Cache[tuple[str, int, int], int] = Cache("highest power of connectors", 20_000)
_STOP: Cache[str, int] = Cache("what stops of chargers take", 10_000)
_UNKNOWN = -1


def top_power(tx: Tx, charger_id: str, place: Place) -> int:
    """Return the most that a place ever delivered, in W; 0 where nothing is known."""
    key = (charger_id, *place)
    known = _POWER.get(tx, key)
    if known is None:
        known = _value(tx, "top_power_w", key) or 0
        _POWER.set(tx, key, known)
    return known


def put_top_power(tx: Tx, charger_id: str, place: Place, power_w: int) -> None:
    """Keep the most that a place ever delivered, in W."""
    key = (charger_id, *place)
    tx.execute(
        """
        INSERT INTO learned (charger_id, evse, connector, top_power_w)
        VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET top_power_w = excluded.top_power_w
        """,
        (*key, power_w),
    )
    _POWER.set(tx, key, power_w)


def stop_ms(tx: Tx, charger_id: str) -> int | None:
    """Return what a stop of a charger takes, in ms; None where it never was asked to."""
    known = _STOP.get(tx, charger_id)
    if known is None:
        told = _value(tx, "stop_ms", (charger_id, *WHOLE_CHARGER))
        known = _UNKNOWN if told is None else told
        _STOP.set(tx, charger_id, known)
    return None if known == _UNKNOWN else known


def put_stop_ms(tx: Tx, charger_id: str, took_ms: int) -> None:
    """Keep what a stop of a charger takes, in ms."""
    tx.execute(
        """
        INSERT INTO learned (charger_id, evse, connector, stop_ms)
        VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET stop_ms = excluded.stop_ms
        """,
        (charger_id, *WHOLE_CHARGER, took_ms),
    )
    _STOP.set(tx, charger_id, took_ms)


def _value(tx: Tx, column: str, key: tuple[str, int, int]) -> int | None:
    found: int | None = tx.value(
        f"SELECT {column} FROM learned WHERE charger_id = ? AND evse = ? AND connector = ?",  # noqa: S608 - own names
        key,
    )
    return found
