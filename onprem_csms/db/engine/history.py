"""Tables that are only added to, and whose rows say something for a while: which are old, and forgetting them.

Rows stand in the order they were written, so the old ones are at the begin; few of those among them have no end yet.
"""

from datetime import datetime
from typing import NamedTuple

from onprem_csms.clock import to_millis, to_text
from onprem_csms.db.engine.tx import Tx

ROWS_AT_ONCE = 500


class History(NamedTuple):
    """A table and the column of the moment since which a row is old; without a value it is not over yet.

    ``most`` rows are kept at most, whatever moment they tell; the moment is text, or UTC ms with ``in_millis``.
    """

    table: str
    moment: str
    in_millis: bool = False
    most: int | None = None


class Old(NamedTuple):
    """What was found: rows to forget, the last row that was looked at, and how many were looked at."""

    rows: tuple[int, ...]
    last: int
    seen: int


def old_rows(tx: Tx, history: History, after: int, before: datetime) -> Old:
    """Look at the next rows after one and return which are from before a moment."""
    table, moment, in_millis, most = history
    found = tx.all(
        f"SELECT rowid, {moment} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?",  # noqa: S608 - own names
        (after, ROWS_AT_ONCE),
    )
    limit = to_millis(before) if in_millis else to_text(before)
    surplus = 0
    if most is not None and found:
        newest = tx.value(f"SELECT max(rowid) FROM {table}")  # noqa: S608 - own names
        surplus = int(newest) - most
    rows = tuple(
        number for number, at in map(tuple, found) if number <= surplus or (at is not None and at < limit)
    )
    return Old(rows, int(found[-1][0]) if found else after, len(found))


def forget(tx: Tx, history: History, rows: tuple[int, ...]) -> None:
    """Forget rows."""
    tx.many(f"DELETE FROM {history.table} WHERE rowid = ?", [(row,) for row in rows])  # noqa: S608 - own names
