"""Writing raw messages, cheaply: the only table that grows with every message in both directions.

A tree in the order of the chargers would dirty a page for each message, and each dirty page is
encrypted and written at the commit; so messages are only appended. ``frame_blocks`` says in which
blocks of ids a charger has messages: one row when it first speaks in a block.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

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


class FrameLog:
    """Appends messages. It belongs to the writer's thread."""

    def __init__(self) -> None:
        self._block = -1
        self._speakers: set[str] = set()

    def write(self, raw: Any, frames: Sequence[Frame]) -> None:
        """Append messages inside the writer's transaction."""
        raw.executemany(_INSERT, frames)
        last: int = raw.execute("SELECT last_insert_rowid()").fetchone()[0]
        first = last - len(frames) + 1
        new = []
        for id, frame in enumerate(frames, first):
            block = id >> BLOCK_BITS
            if block != self._block:
                self._block, self._speakers = block, set()
            if frame.charger_id not in self._speakers:
                self._speakers.add(frame.charger_id)
                new.append((frame.charger_id, block))
        if new:
            raw.executemany(_INSERT_BLOCK, new)

    def forget(self) -> None:
        """The transaction was undone: nothing is known of the current block."""
        self._block, self._speakers = -1, set()
