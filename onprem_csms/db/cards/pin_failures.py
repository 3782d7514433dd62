"""The table ``pin_failures``: wrong PINs in a row."""

from datetime import datetime
from typing import NamedTuple

from onprem_csms.clock import from_millis, to_millis
from onprem_csms.db.engine.tx import Tx


class PinFailures(NamedTuple):
    """How often in a row the PIN of a card was wrong, and when last."""

    times: int
    last_at: datetime


def of_card(tx: Tx, card_id: int) -> PinFailures | None:
    """Return how often in a row the PIN was wrong, None when the last one was right."""
    row = tx.one("SELECT times, last_at FROM pin_failures WHERE card_id = ?", (card_id,))
    return None if row is None else PinFailures(row["times"], from_millis(row["last_at"]))


def count(tx: Tx, card_id: int) -> None:
    """Count one more."""
    tx.execute(
        """
        INSERT INTO pin_failures (card_id, times, last_at)
        VALUES (?, 1, ?)
        ON CONFLICT (card_id) DO UPDATE SET times = times + 1, last_at = excluded.last_at
        """,
        (card_id, to_millis(tx.now)),
    )


def forget(tx: Tx, card_id: int) -> None:
    """Begin to count anew."""
    tx.execute("DELETE FROM pin_failures WHERE card_id = ?", (card_id,))
