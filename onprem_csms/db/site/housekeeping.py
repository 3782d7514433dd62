"""What is thrown away after its time, and when the process was alive."""

from onprem_csms.db.engine.database import Tx

# A bounded bite, so that the writer is never away for long.
BITE = 2_000


def begin_process(tx: Tx) -> int:
    """Note that the process started; returns the interval's id."""
    return tx.insert(
        "INSERT INTO process_intervals (from_at, alive_at) VALUES (?, ?)", (tx.now_text, tx.now_text)
    )


def still_alive(tx: Tx, interval_id: int) -> None:
    """Note that the process is alive."""
    tx.execute("UPDATE process_intervals SET alive_at = ? WHERE id = ?", (tx.now_text, interval_id))


def old_frames(tx: Tx, before: str) -> bool:
    """Tell whether there are raw messages from before a moment; ids grow with time."""
    first = tx.one("SELECT at FROM frames ORDER BY id LIMIT 1")
    return first is not None and first["at"] < before


def forget_frames(tx: Tx, before: str) -> int:
    """Delete a bite of the oldest raw messages; returns how many. The newest stays, so that no id comes again."""
    gone = tx.execute(
        """
        DELETE FROM frames
        WHERE id IN (SELECT id FROM frames ORDER BY id LIMIT ?)
        AND id < (SELECT max(id) FROM frames)
        AND at < ?
        """,
        (BITE, before),
    )
    tx.execute(
        """
        DELETE FROM frame_blocks
        WHERE charger_id IN (SELECT id FROM chargers)
        AND block < (SELECT min(id) FROM frames) >> 10
        """
    )
    return gone
