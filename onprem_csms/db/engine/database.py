"""The store, as everybody else sees it: one writer with group commit, readers by purpose, checkpoints beside them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from onprem_csms.clock import Clock, SystemClock
from onprem_csms.db.chargers.message_log import MESSAGES, Message
from onprem_csms.db.engine import examine, health, snapshot
from onprem_csms.db.engine.caches import Batch, WriterState
from onprem_csms.db.engine.checkpoints import Checkpointer, every_second
from onprem_csms.db.engine.connection import Line, Opener, SqlError, as_store_error
from onprem_csms.db.engine.examine import Examination
from onprem_csms.db.engine.group import Done, Write
from onprem_csms.db.engine.health import Health
from onprem_csms.db.engine.migrate import check_schema, migrate
from onprem_csms.db.engine.readers import CHARGERS, HEALTH, PAGES, REPORTS, SEARCHES, Pool, Purpose
from onprem_csms.db.engine.tx import SYSTEM, Actor, Tx
from onprem_csms.db.engine.writer import Writer, into
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import StoreError
from onprem_csms.events import Bus

__all__ = ["SYSTEM", "Acting", "Actor", "Database", "Done", "Examination", "Tx"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
log = logging.getLogger(__name__)


class Acting:
    """The store with somebody who acts: ``tx.actor`` of each write is this one."""

    __slots__ = ("_actor", "_store")

    def __init__(self, store: "Database", actor: Actor) -> None:
        self._store = store
        self._actor = actor

    async def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``fn(tx, …)`` as one durable transaction, see ``Database.write``."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._store.submit(partial(fn, **kwargs) if kwargs else fn, args, into(future), self._actor)
        return await future

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``fn(tx, …)`` on a reader."""
        return await self._store.read(fn, *args, **kwargs)


class Database:
    """The encrypted file, open. Make it with ``Database.open``."""

    def __init__(self, opener: Opener, clock: Clock, bus: Bus, settings: SiteSettings) -> None:
        self.path = opener.path
        self.settings = settings
        self._clock = clock
        self._opener = opener
        self._reading = Opener(opener.path, opener.key, read_only=True)
        self._stack = AsyncExitStack()
        self._pools: dict[str, Pool] = {}
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closing = False
        self._line = Line(opener)
        self._writer = Writer(self._line, self._make_tx, bus)
        checkpoints = Line(opener)
        self._checkpointer = Checkpointer(checkpoints)
        self._health = Health(partial(self.write, health.beat), partial(self._read, HEALTH, health.look, ()))
        self._lines = (self._line, checkpoints)

    @classmethod
    async def open(
        cls,
        path: Path,
        key: bytes,
        *,
        clock: Clock | None = None,
        bus: Bus | None = None,
        settings: SiteSettings | None = None,
    ) -> Self:
        """Open the file and start the writer; StoreError with a sentence.

        The file must exist (see ``keys.create``), so that a wrong path never makes an empty database. One of
        another schema is refused, see ``upgrade``.
        """
        if not path.exists():  # noqa: ASYNC240 - once, before anything runs
            message = f"There is no database at {path}. Run init first, or check the data folder."
            raise StoreError(message)
        self = cls(Opener(path, key), clock or SystemClock(), bus or Bus(), settings or SiteSettings())
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    @staticmethod
    async def upgrade(path: Path, key: bytes) -> None:
        """Bring a file's schema up to date, for whoever holds the folder's lock; StoreError with a sentence."""
        line = Line(Opener(path, key))
        try:
            await line.run(lambda raw: migrate(raw, path))
        except SqlError as error:
            raise as_store_error(error, path) from error
        finally:
            await line.close()

    async def _open(self) -> None:
        for line in self._lines:
            self._stack.push_async_callback(line.shut)
            await line.open()
        try:
            await self._line.run(lambda raw: check_schema(raw, self.path))
        except SqlError as error:
            raise as_store_error(error, self.path) from error
        for purpose in (CHARGERS, PAGES, SEARCHES, REPORTS, HEALTH):
            pool = self._pools[purpose.name] = Pool(self._reading, purpose, self._make_tx)
            self._stack.push_async_callback(pool.close)
            await pool.open()
        self._tasks = (
            asyncio.create_task(self._writer.run(), name="database writer"),
            asyncio.create_task(
                every_second(self._checkpointer, self._writer.has_news), name="database checkpoints"
            ),
        )
        self._tasks[0].add_done_callback(self._writer_ended)

    def _make_tx(self, raw: Any, state: WriterState | None = None) -> Tx:
        return Tx(raw, self._clock.now(), self.settings, state)

    # ------------------------------------------------------------------ writing

    async def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``fn(tx, …)`` in the writer; returns after COMMIT, raises what ``fn`` raised.

        Cancelling the caller does not undo the write.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._writer.submit(Write(partial(fn, **kwargs) if kwargs else fn, args, into(future), SYSTEM))
        return await future

    def submit(
        self, fn: Callable[..., Any], args: tuple[Any, ...], done: Done, actor: Actor = SYSTEM
    ) -> None:
        """Run ``fn(tx, *args)`` in the writer; ``done(result, error)`` is called on the loop after COMMIT.

        For answers by the thousand: all of a group are given by one callback, without a future and a task each.
        StoreError when the database is closing.
        """
        self._writer.submit(Write(fn, args, done, actor))

    def acting(self, actor: Actor) -> Acting:
        """Return the store for somebody who acts, see ``Tx.actor``."""
        return Acting(self, actor)

    def append(self, batch: Batch[T], item: T) -> None:
        """Have an item of a batch written with the next group, at the latest in half a second.

        Nobody waits for it, and it is lost when the group fails: for what is worth no answer's delay.
        """
        self._writer.append(batch, item)

    def log_message(self, charger_id: str, direction: str, data: bytes) -> None:
        """Keep a raw message, see ``append``; ``direction`` is "in" from the charger or "out" to it."""
        self._writer.append(MESSAGES, Message(charger_id, self._clock.now(), direction, data))

    def renew_messages(self) -> None:
        """Set the raw messages aside, whose pages are damaged, and begin anew; at most once a day."""
        self._writer.renew(MESSAGES)

    # ------------------------------------------------------------------ reading

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``fn(tx, …)`` for a page, in one consistent view; StoreError when it takes too long."""
        return await self._read(PAGES, partial(fn, **kwargs) if kwargs else fn, args)

    async def read_for_charger(
        self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a short ``fn(tx, …)`` for a charger or its stop: no page and no report keeps it waiting."""
        return await self._read(CHARGERS, partial(fn, **kwargs) if kwargs else fn, args)

    async def search(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an ``fn(tx, …)`` that may take seconds: one at a time, and no page waits for it."""
        return await self._read(SEARCHES, partial(fn, **kwargs) if kwargs else fn, args)

    async def read_report(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an ``fn(tx, …)`` that may take minutes: one at a time, and no page waits for it."""
        return await self._read(REPORTS, partial(fn, **kwargs) if kwargs else fn, args)

    def stream(
        self, fn: Callable[Concatenate[Tx, P], Iterator[R]], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncGenerator[R, None]:
        """Run a generator ``fn(tx, …)`` on the reports' reader and hand its items on in bounded memory.

        Close it (``contextlib.aclosing``) when not all are taken.
        """
        return self._pools[REPORTS.name].stream(partial(fn, **kwargs) if kwargs else fn, args)

    async def _read(self, purpose: Purpose, fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        if self._closing:
            message = "The database is closing."
            raise StoreError(message)
        return await self._pools[purpose.name].read(fn, args)

    # ------------------------------------------------------------------ looking after the file

    async def prove(self) -> None:
        """Return when a write has become durable and was read, shared by all who ask within a second; StoreError."""
        await self._health.prove()

    async def ended(self) -> None:
        """Wait until the writer has ended by itself, which it never should; StoreError then."""
        await asyncio.shield(self._ended)

    def _writer_ended(self, task: "asyncio.Task[None]") -> None:
        if self._closing:
            return
        why = "cancelled" if task.cancelled() else repr(task.exception())
        failure = StoreError(f"The writer of the database has ended ({why}). Nothing is written any more.")
        log.critical("%s", failure)
        self._writer.abandon(failure)
        if not self._ended.done():
            self._ended.set_exception(failure)
            self._ended.exception()

    async def checkpoint(self) -> None:
        """Move what is committed from the log into the file, without stopping the writer."""
        await self._checkpointer.checkpoint()

    async def snapshot(self, to_path: Path, key: bytes) -> None:
        """Copy the database of this moment to a new file under a key, while writing goes on; Conflict, StoreError."""
        await snapshot.snapshot(self._reading, to_path, key)

    async def check(self) -> list[str]:
        """Look through the whole file for damage; returns the findings, see ``examine``."""
        return (await self.examine(lambda _: None)).damage

    async def examine(self, fn: Callable[[Tx], R]) -> Examination[R]:
        """Look through the file and run ``fn(tx)``, both in one view that no writing beside it disturbs."""
        return await examine.examine(self._reading, self._make_tx, fn)

    async def close(self) -> None:
        """Finish every write that was handed in, then close."""
        self._closing = True
        self._health.close()
        self._writer.close()
        writer, checkpoints = self._tasks
        checkpoints.cancel()
        await asyncio.gather(writer, checkpoints, return_exceptions=True)
        await self.checkpoint()
        await self._stack.aclose()
