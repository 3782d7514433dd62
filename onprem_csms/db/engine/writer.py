"""The writer on the loop's side: it gathers the writes that arrive while one COMMIT runs into the next group.

That is what makes durable cheap: all writes of a group share one COMMIT, and are answered by one callback.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from onprem_csms.db.engine.caches import Batch
from onprem_csms.db.engine.connection import Line, SqlError, as_store_error
from onprem_csms.db.engine.group import Appended, Committer, DamagedError, MakeTx, Write
from onprem_csms.db.engine.renew import renew
from onprem_csms.errors import Damaged, StoreError, say_fault
from onprem_csms.events import Bus, Event

T = TypeVar("T")
log = logging.getLogger(__name__)

LARGEST_GROUP = 512
RENEW_EVERY_S = 86_400.0
APPENDED_WAIT_S = 0.5
DAMAGE_PASSES_S = 10.0
"""A page that can't be read for that long, by fresh connections, will not come back."""


class Writer:
    """Takes writes and runs them in groups on its connection."""

    def __init__(self, line: Line, make_tx: MakeTx, bus: Bus) -> None:
        self._line = line
        self._path = line.opener.path
        self._bus = bus
        self._committer = Committer(self._path, make_tx)
        self._pending: list[Write] = []
        self._appended: Appended = {}
        self._timer: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._wrote = False
        self._damaged_since: dict[Batch[Any], float] = {}
        self._to_renew: set[Batch[Any]] = set()
        self._renewed_at: dict[Batch[Any], float] = {}

    def submit(self, write: Write) -> None:
        """Take a write into the next group; StoreError when the database is closing."""
        if self._closing:
            message = "The database is closing."
            raise StoreError(message)
        self._pending.append(write)
        self._wake.set()

    def append(self, batch: Batch[T], item: T) -> None:
        """Take an item of a batch into the next group, at the latest after half a second."""
        items = self._appended.get(batch)
        if items is None:
            items = self._appended[batch] = []
        items.append(item)
        if self._timer is None and not self._pending:
            self._timer = asyncio.get_running_loop().call_later(APPENDED_WAIT_S, self._wake.set)

    def renew(self, batch: Batch[T]) -> None:
        """Make the tables of a batch anew before the next group, not more than once a day."""
        if monotonic() - self._renewed_at.get(batch, -RENEW_EVERY_S) >= RENEW_EVERY_S:
            self._to_renew.add(batch)
            self._wake.set()

    def has_news(self) -> bool:
        """Tell whether anything was written since the last asking."""
        wrote, self._wrote = self._wrote, False
        return wrote

    def close(self) -> None:
        """Take no more; ``run`` ends when everything that was taken is done."""
        self._closing = True
        self._wake.set()

    def abandon(self, failure: Exception) -> None:
        """Fail every write that waits: nobody will write any more."""
        self._closing = True
        group, self._pending = self._pending, []
        for write in group:
            write.error = failure
        _answer_all(group)

    async def run(self) -> None:
        """Write until closed."""
        while not (self._closing and not self._pending and not self._appended):
            await self._wake.wait()
            self._wake.clear()
            while self._pending or self._appended or self._to_renew:
                await self._let_more_come()
                await self._commit_group()

    async def _let_more_come(self) -> None:
        """Under load, let the loop take in what has arrived meanwhile: a COMMIT for 150 costs hardly more than for 15.

        It goes on while that brings more, so a lonely write is not kept waiting.
        """
        before = 0
        while before < len(self._pending) < LARGEST_GROUP:
            before = len(self._pending)
            await asyncio.sleep(0)

    async def _commit_group(self) -> None:
        group = self._pending[:LARGEST_GROUP]
        del self._pending[:LARGEST_GROUP]
        appended, self._appended = self._appended, {}
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            await self._renew_asked()
            events = await self._commit(list(group), appended)
        except Exception as error:  # noqa: BLE001 - the whole group failed; each caller is told
            events = self._fail(group, error)
        self._wrote = True
        _answer_all(group)
        self._bus.publish_all(events)

    async def _commit(self, left: list[Write], appended: Appended) -> list[Event]:
        """Commit a group; a write under which a page is damaged fails alone, the others are done without it."""
        while True:
            try:
                return await self._line.run(lambda raw: self._committer.commit(raw, left, appended))
            except DamagedError as damaged:
                failure = as_store_error(damaged.fault, self._path)
                say_fault(log, "a write", failure)
                await self._line.close()
                if isinstance(damaged.guilty, Write):
                    damaged.guilty.error = failure
                    left.remove(damaged.guilty)
                elif not await self._renewed(damaged.guilty, failure):
                    del appended[damaged.guilty]

    async def _renewed(self, batch: Batch[Any], failure: StoreError) -> bool:
        """Tell whether the tables of a batch were made anew: when they may be, and the damage does not pass."""
        since = self._damaged_since.setdefault(batch, monotonic())
        if not batch.tables or not isinstance(failure, Damaged) or monotonic() - since < DAMAGE_PASSES_S:
            return False
        del self._damaged_since[batch]
        if monotonic() - self._renewed_at.get(batch, -RENEW_EVERY_S) < RENEW_EVERY_S:
            return False
        await self._renew(batch)
        return True

    async def _renew_asked(self) -> None:
        asked, self._to_renew = self._to_renew, set()
        for batch in asked:
            await self._renew(batch)

    async def _renew(self, batch: Batch[Any]) -> None:
        self._renewed_at[batch] = monotonic()
        await self._line.run(lambda raw: renew(raw, batch.tables))
        await self._line.close()
        self._committer.forget()
        log.error("the %s were damaged; their tables begin anew, empty, and the site goes on", batch.name)

    def _fail(self, group: list[Write], error: Exception) -> list[Event]:
        failure = as_store_error(error, self._path) if isinstance(error, SqlError) else error
        if isinstance(failure, StoreError):
            say_fault(log, "a group of writes failed", failure)
        else:
            log.error("a group of %d writes failed: %s", len(group), failure)
        for write in group:
            write.error, write.result = failure, None
        return []


def _answer_all(group: list[Write]) -> None:
    for write in group:
        try:
            write.done(write.result, write.error)
        except Exception:
            log.exception("an answer after COMMIT failed")


def into(future: asyncio.Future[Any]) -> Callable[[Any, Exception | None], None]:
    """Return what answers a write by a future; a caller that was cancelled is not told."""
    return partial(_settle, future)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
