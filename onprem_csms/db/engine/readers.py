"""Readers by purpose: who looks for long keeps nobody waiting who must not wait."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from itertools import islice
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from onprem_csms.db.engine.connection import Line, Opener, SqlError, as_store_error
from onprem_csms.db.engine.tx import Tx
from onprem_csms.errors import StoreError

R = TypeVar("R")
MakeTx = Callable[[Any], Tx]
ROWS_AT_ONCE = 200


class Purpose(NamedTuple):
    """Who reads: how many connections they share, and after how many seconds a read is interrupted.

    The time counts from the asking: waiting for a connection is part of it.
    """

    name: str
    connections: int
    limit_s: float


CHARGERS = Purpose("chargers", 1, 5.0)
"""A charger that connects: a read by an index or two."""
PAGES = Purpose("pages", 2, 10.0)
"""Pages and lists of the API."""
REPORTS = Purpose("reports", 1, 600.0)
"""What walks through years, row by row."""
HEALTH = Purpose("health", 1, 5.0)
"""Whether the database answers at all."""


class Pool:
    """The connections of one purpose."""

    def __init__(self, opener: Opener, purpose: Purpose, make_tx: MakeTx) -> None:
        self.purpose = purpose
        self._opener = opener
        self._make_tx = make_tx
        self._lines = [Line(opener) for _ in range(purpose.connections)]
        self._idle: asyncio.LifoQueue[Line] = asyncio.LifoQueue()

    async def open(self) -> None:
        """Open every connection; StoreError with a sentence."""
        for line in self._lines:
            await line.open()
            self._idle.put_nowait(line)

    async def close(self) -> None:
        """Close every connection; each ends what it runs first."""
        await asyncio.gather(*(line.close() for line in self._lines))

    async def read(self, fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        """Run ``fn(tx, *args)`` in one consistent view; StoreError when it takes too long."""
        until = monotonic() + self.purpose.limit_s
        line = await self._take(until)
        work = asyncio.ensure_future(line.run(lambda raw: self._view(raw, fn, args), until))
        try:
            return await asyncio.shield(work)
        except SqlError as error:
            raise as_store_error(error, self._opener.path) from error
        except asyncio.CancelledError:
            # Nobody waits for the answer any more; the connection is free the sooner.
            await line.interrupt()
            raise
        finally:
            self._give_back(line, work)

    def _view(self, raw: Any, fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        raw.execute("BEGIN")
        try:
            return fn(self._make_tx(raw), *args)
        finally:
            raw.execute("ROLLBACK")

    async def stream(self, fn: Callable[..., Iterator[R]], args: tuple[Any, ...]) -> AsyncGenerator[R, None]:
        """Run ``fn(tx, *args)`` and hand its items on, a few at a time; one view from first to last.

        The consumer's own time counts too, or a stalled browser would keep the log from being truncated.
        """
        until = monotonic() + self.purpose.limit_s
        line = await self._take(until)
        try:
            items = await line.run(lambda raw: self._begin(raw, fn, args), until)
            while part := await line.run_once(lambda _: list(islice(items, ROWS_AT_ONCE)), until):
                for item in part:
                    yield item
                if monotonic() > until:
                    raise _too_long()
        except SqlError as error:
            raise as_store_error(error, self._opener.path) from error
        finally:
            await line.interrupt()
            ended = asyncio.ensure_future(line.run_once(_end))
            self._give_back(line, ended)

    def _begin(self, raw: Any, fn: Callable[..., Iterator[R]], args: tuple[Any, ...]) -> Iterator[R]:
        raw.execute("BEGIN")
        return fn(self._make_tx(raw), *args)

    async def _take(self, until: float) -> Line:
        try:
            async with asyncio.timeout(until - monotonic()):
                return await self._idle.get()
        except TimeoutError as error:
            raise _too_long() from error

    def _give_back(self, line: Line, work: "asyncio.Future[Any]") -> None:
        """Let the connection be taken again once its thread is free."""

        def free(done: "asyncio.Future[Any]") -> None:
            if not done.cancelled():
                done.exception()
            self._idle.put_nowait(line)

        if work.done():
            self._idle.put_nowait(line)
        else:
            work.add_done_callback(free)


def _end(raw: Any) -> None:
    if raw.in_transaction:
        raw.execute("ROLLBACK")


def _too_long() -> StoreError:
    return StoreError("The database is busy with other reads. Nothing was changed; ask again later.")
