"""Readers by purpose: who looks for long keeps nobody waiting who must not wait."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from onprem_csms.db.engine.connection import Deadline, Line, Opener, SqlError, as_store_error
from onprem_csms.db.engine.tx import Tx
from onprem_csms.errors import TooSlow

R = TypeVar("R")
log = logging.getLogger(__name__)
MakeTx = Callable[[Any], Tx]
ROWS_AT_ONCE = 200


class Purpose(NamedTuple):
    """Who reads: how many connections they share, and after how many seconds a read is interrupted.

    The time counts from the asking: waiting for a connection is part of it. Each connection may keep ``cache_kib``
    of pages.
    """

    name: str
    connections: int
    limit_s: float
    cache_kib: int


CHARGERS = Purpose("chargers", 2, 5.0, 8 * 1024)
"""A charger that connects, a command, a stop: a read by an index or two."""
PAGES = Purpose("pages", 2, 10.0, 32 * 1024)
"""Pages and lists of the API."""
SEARCHES = Purpose("searches", 1, 30.0, 8 * 1024)
"""What looks through many rows for few: one after the other, or they would take the pages' connections."""
REPORTS = Purpose("reports", 1, 600.0, 32 * 1024)
"""What walks through years, row by row."""
HEALTH = Purpose("health", 1, 5.0, 1024)
"""Whether the database answers at all."""


class Pool:
    """The connections of one purpose."""

    def __init__(self, opener: Opener, purpose: Purpose, make_tx: MakeTx) -> None:
        self.purpose = purpose
        self._opener = replace(opener, cache_kib=purpose.cache_kib)
        self._make_tx = make_tx
        self._lines = [Line(self._opener) for _ in range(purpose.connections)]
        self._idle: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
        self._running: set[Deadline] = set()

    async def open(self) -> None:
        """Open every connection; StoreError with a sentence."""
        for line in self._lines:
            await line.open()
            self._idle.put_nowait(line)

    async def close(self) -> None:
        """End what runs, and close every connection."""
        for until in self._running:
            until.end()
        await asyncio.gather(*(line.shut() for line in self._lines))

    async def read(self, fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        """Run ``fn(tx, *args)`` in one consistent view; TooSlow when it takes too long, StoreError."""
        async with self._one() as (line, until):
            try:
                return await line.run(lambda raw: self._view(raw, fn, args), until)
            except SqlError as error:
                raise as_store_error(error, self._opener.path) from error

    def _view(self, raw: Any, fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        raw.execute("BEGIN")
        try:
            return fn(self._make_tx(raw), *args)
        finally:
            _end(raw)

    async def stream(self, fn: Callable[..., Iterator[R]], args: tuple[Any, ...]) -> AsyncGenerator[R, None]:
        """Run ``fn(tx, *args)`` and hand its items on, a few at a time; one view from first to last.

        The consumer's own time counts too, or a stalled browser would keep the log from being truncated.
        """
        async with self._one() as (line, until):
            try:
                items = await line.run(lambda raw: self._begin(raw, fn, args), until)
                while part := await line.run_once(lambda _: list(islice(items, ROWS_AT_ONCE)), until):
                    for item in part:
                        yield item
                    if until.passed():
                        raise _busy()
                await line.run_once(_end)
            except SqlError as error:
                raise as_store_error(error, self._opener.path) from error

    def _begin(self, raw: Any, fn: Callable[..., Iterator[R]], args: tuple[Any, ...]) -> Iterator[R]:
        raw.execute("BEGIN")
        return fn(self._make_tx(raw), *args)

    @asynccontextmanager
    async def _one(self) -> AsyncIterator[tuple[Line, Deadline]]:
        """Take a connection for the time of one read; TooSlow when none is free in time.

        When nobody waits for the read any more, it is ended, and the connection is free once its thread is.
        """
        until = Deadline(self.purpose.limit_s)
        try:
            async with asyncio.timeout(self.purpose.limit_s):
                line = await self._idle.get()
        except TimeoutError as error:
            raise _busy() from error
        self._running.add(until)
        try:
            yield line, until
        except BaseException:
            until.end()
            ended = asyncio.ensure_future(line.run_once(_end))
            ended.add_done_callback(partial(self._give_back, line))
            raise
        else:
            self._idle.put_nowait(line)
        finally:
            self._running.discard(until)

    def _give_back(self, line: Line, ended: "asyncio.Future[None]") -> None:
        if not ended.cancelled():
            # A connection that failed is opened anew by its next read.
            log.debug("a read was ended: %s", ended.exception())
        self._idle.put_nowait(line)


def _end(raw: Any) -> None:
    if raw.in_transaction:
        raw.execute("ROLLBACK")


def _busy() -> TooSlow:
    return TooSlow("The database is busy with other reads. Nothing was changed; ask again later.")
