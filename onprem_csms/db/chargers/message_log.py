"""Writing raw messages, cheaply: the only table that grows with every message in both directions.

A tree in the order of the chargers would dirty a page for each message, and each dirty page is
encrypted and written at the commit; so messages are only appended. ``frame_blocks`` says in which
blocks of ids a charger has messages: one row when it first speaks in a block.
"""

from collections.abc import Sequence
from typing import NamedTuple

from onprem_csms.db.engine.caches import Batch, Cache
from onprem_csms.db.engine.tx import Tx

BLOCK_BITS = 10
"""A block is 1024 ids: small enough to look through, large enough to be rarely begun."""

_INSERT = """
    INSERT INTO frames (charger_id, at, direction, text)
    VALUES (?, ?, ?, ?)
"""
_INSERT_BLOCK = """
    INSERT INTO frame_blocks (charger_id, block)
    VALUES (?, ?)
    ON CONFLICT DO NOTHING
"""


class Frame(NamedTuple):
    """A raw message; ``at`` as the text of a time column, ``direction`` "in" or "out"."""

    charger_id: str
    at: str
    direction: str
    text: str


def _write(tx: Tx, frames: Sequence[Frame]) -> None:
    tx.many(_INSERT, frames)
    last: int = tx.value("SELECT last_insert_rowid()")
    new = []
    for id, frame in enumerate(frames, last - len(frames) + 1):
        place = (frame.charger_id, id >> BLOCK_BITS)
        if _SPEAKERS.get(tx, place) is None:
            _SPEAKERS.set(tx, place, True)
            new.append(place)
    if new:
        tx.many(_INSERT_BLOCK, new)


FRAMES: Batch[Frame] = Batch("raw messages", _write)
_SPEAKERS: Cache[tuple[str, int], bool] = Cache("chargers of a block", 4096)
