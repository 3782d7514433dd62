"""What is thrown away after its time, and when the process was alive."""

from datetime import datetime

from onprem_csms.clock import maybe_from_text
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.engine.history import History

PROCESSES = History("process_intervals", "alive_at")


def begin_process(tx: Tx) -> int:
    """Note that the process started; returns the interval's id."""
    return tx.insert(
        "INSERT INTO process_intervals (from_at, alive_at) VALUES (?, ?)", (tx.now_text, tx.now_text)
    )


def still_alive(tx: Tx, interval_id: int) -> None:
    """Note that the process is alive."""
    tx.execute("UPDATE process_intervals SET alive_at = ? WHERE id = ?", (tx.now_text, interval_id))


def last_alive(tx: Tx) -> datetime | None:
    """Return when a process was last known to be alive; None before the first."""
    return maybe_from_text(
        tx.value(
            """
            SELECT max(at)
            FROM (
                SELECT alive_at AS at FROM (SELECT alive_at FROM process_intervals ORDER BY id DESC LIMIT 1)
                UNION ALL
                SELECT value FROM meta WHERE key = 'alive_at'
            )
            """
        )
    )
