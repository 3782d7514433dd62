"""What is thrown away after its time, and when the process was alive."""

from onprem_csms.db.engine.database import Tx


def begin_process(tx: Tx) -> int:
    """Note that the process started; returns the interval's id."""
    return tx.insert(
        "INSERT INTO process_intervals (from_at, alive_at) VALUES (?, ?)", (tx.now_text, tx.now_text)
    )


def still_alive(tx: Tx, interval_id: int) -> None:
    """Note that the process is alive."""
    tx.execute("UPDATE process_intervals SET alive_at = ? WHERE id = ?", (tx.now_text, interval_id))
