"""The transaction that a service function works on."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from onprem_csms.clock import to_text
from onprem_csms.db.engine.caches import WriterState
from onprem_csms.db.engine.connection import Row
from onprem_csms.domain.access.actor import SYSTEM, Actor
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.events import Event

__all__ = ["SYSTEM", "Actor", "Tx"]


class Tx:
    """What a service function works on: one transaction.

    ``now`` is the time of the action, the same for all that the action writes; ``actor`` is who acts. Events that
    are emitted go out after COMMIT, and not at all when the function fails. ``state`` is what caches and batches
    (see ``caches``) keep; a reader has none.
    """

    __slots__ = ("_raw", "actor", "events", "now", "now_text", "settings", "state")

    def __init__(
        self, raw: Any, now: datetime, settings: SiteSettings, state: WriterState | None = None
    ) -> None:
        self._raw = raw
        self.state = state
        self.actor: Actor = SYSTEM
        self.now = now
        self.now_text = to_text(now)
        self.settings = settings
        self.events: list[Event] = []

    def execute(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run a statement; returns the number of rows it changed."""
        count: int = self._raw.execute(sql, params).rowcount
        return count

    def insert(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run an INSERT; returns the new row's id."""
        row_id: int = self._raw.execute(sql, params).lastrowid
        return row_id

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        self._raw.executemany(sql, rows)

    def one(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        """Return the first row, or None."""
        return self._raw.execute(sql, params).fetchone()

    def all(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """Return every row."""
        rows: list[Row] = self._raw.execute(sql, params).fetchall()
        return rows

    def each(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> Iterator[Row]:
        """Return the rows one by one, in bounded memory."""
        rows: Iterator[Row] = self._raw.execute(sql, params)
        return rows

    def value(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        row = self._raw.execute(sql, params).fetchone()
        return None if row is None else row[0]

    @property
    def in_transaction(self) -> bool:
        """Tell whether the transaction still stands."""
        return bool(self._raw.in_transaction)

    def emit(self, event: Event) -> None:
        """Tell whoever listens, after COMMIT."""
        self.events.append(event)
