"""The store, as everybody else sees it: one writer with group commit, readers apart, checkpoints by a third."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from onprem_csms.clock import Clock, SystemClock, to_text
from onprem_csms.db.chargers.message_log import FRAMES, Frame
from onprem_csms.db.engine.caches import Batch, WriterState
from onprem_csms.db.engine.connection import (
    Connection,
    SqlError,
    as_store_error,
    close_all,
    connect,
)
from onprem_csms.db.engine.group import Done, Write
from onprem_csms.db.engine.migrate import migrate
from onprem_csms.db.engine.tx import SYSTEM, Actor, Tx
from onprem_csms.db.engine.writer import Writer, into
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import StoreError
from onprem_csms.events import Bus

__all__ = ["SYSTEM", "Acting", "Actor", "Database", "Tx"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
log = logging.getLogger(__name__)

READERS = 2
CHECKPOINT_EVERY_S = 1.0


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

    def __init__(self, path: Path, clock: Clock, bus: Bus, settings: SiteSettings) -> None:
        self.path = path
        self.settings = settings
        self._clock = clock
        self._bus = bus
        self._tasks: list[asyncio.Task[None]] = []
        self._idle_readers: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self._connections: list[Connection] = []
        self._writer: Writer
        self._checkpointer: Connection

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
        """Open the file, bring its schema up to date and start the writer; StoreError with a sentence.

        The file must exist (see ``create``), so that a wrong path never makes an empty database.
        """
        if not path.exists():  # noqa: ASYNC240 - once, before anything runs
            message = f"There is no database at {path}. Run init first, or check the data folder."
            raise StoreError(message)
        self = cls(path, clock or SystemClock(), bus or Bus(), settings or SiteSettings())
        try:
            await self._connect(key)
        except BaseException:
            await close_all(self._connections)
            raise
        self._tasks = [
            asyncio.create_task(self._writer.run(), name="database writer"),
            asyncio.create_task(self._run_checkpoints(), name="database checkpoints"),
        ]
        return self

    async def _connect(self, key: bytes) -> None:
        connection = await self._open_one(key)
        await connection.run(self._migrate)
        self._writer = Writer(connection, self.path, self._make_tx, self._bus)
        self._checkpointer = await self._open_one(key)
        for _ in range(READERS):
            self._idle_readers.put_nowait(await self._open_one(key, read_only=True))

    async def _open_one(self, key: bytes, *, read_only: bool = False) -> Connection:
        connection = await connect(self.path, key, read_only=read_only)
        self._connections.append(connection)
        return connection

    def _migrate(self, raw: Any) -> None:
        try:
            migrate(raw)
        except SqlError as error:
            raise as_store_error(error, self.path) from error

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

    def log_frame(self, charger_id: str, direction: str, text: str) -> None:
        """Keep a raw message, see ``append``."""
        self._writer.append(FRAMES, Frame(charger_id, to_text(self._clock.now()), direction, text))

    def _make_tx(self, raw: Any, state: WriterState | None = None) -> Tx:
        return Tx(raw, self._clock.now(), self.settings, state)

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``fn(tx, …)`` on a reader, in one consistent view."""
        reader = await self._idle_readers.get()
        try:
            return await asyncio.shield(reader.run(lambda raw: self._read(raw, partial(fn, **kwargs), args)))
        finally:
            self._idle_readers.put_nowait(reader)

    def _read(self, raw: Any, fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        tx = self._make_tx(raw)
        try:
            raw.execute("BEGIN")
            try:
                return fn(tx, *args)
            finally:
                raw.execute("ROLLBACK")
        except SqlError as error:
            raise as_store_error(error, self.path) from error

    async def _run_checkpoints(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_EVERY_S)
            if self._writer.wrote:
                self._writer.wrote = False
                await self.checkpoint()

    async def checkpoint(self) -> None:
        """Move what is committed from the log into the file, without stopping the writer."""
        try:
            await self._checkpointer.run(lambda raw: raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())
        except SqlError as error:
            log.warning("checkpoint: %s", as_store_error(error, self.path))

    async def check(self) -> list[str]:
        """Look through the whole file: damaged pages, broken structure; returns the findings."""

        def look(raw: Any) -> list[str]:
            pages = [row[0] for row in raw.execute("PRAGMA cipher_integrity_check").fetchall()]
            checks = [row[0] for row in raw.execute("PRAGMA integrity_check").fetchall()]
            return pages + [text for text in checks if text != "ok"]

        try:
            return await self._checkpointer.run(look)
        except SqlError as error:
            return [str(as_store_error(error, self.path))]

    async def close(self) -> None:
        """Finish every write that was handed in, then close."""
        self._writer.close()
        writer, checkpoints = self._tasks
        checkpoints.cancel()
        await asyncio.gather(writer, checkpoints, return_exceptions=True)
        await self.checkpoint()
        await close_all(self._connections)
