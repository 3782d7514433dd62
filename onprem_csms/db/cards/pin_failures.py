"""The table ``pin_failures``: wrong PINs in a row."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


def of_card(tx: Tx, uid: str) -> Row | None:
    """Return how often in a row the PIN was wrong (``times``), and when last (``last_at``)."""
    return tx.one("SELECT times, last_at FROM pin_failures WHERE uid = ?", (uid,))


def count(tx: Tx, uid: str) -> None:
    """Count one more."""
    tx.execute(
        """
        INSERT INTO pin_failures (uid, times, last_at)
        VALUES (?, 1, ?)
        ON CONFLICT (uid) DO UPDATE SET times = times + 1, last_at = excluded.last_at
        """,
        (uid, tx.now_text),
    )


def forget(tx: Tx, uid: str) -> None:
    """Begin to count anew."""
    tx.execute("DELETE FROM pin_failures WHERE uid = ?", (uid,))
