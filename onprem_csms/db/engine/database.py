"""The store: one writer with group commit, readers apart, checkpoints from a connection of their own.

While one commit runs, the writes that arrive wait; then all of them go into the next transaction and
share one COMMIT. That is what makes durable cheap. When one of them fails, the transaction is undone and
done again with each write in a savepoint of its own, so that the failure undoes only itself; a write is a
plain function of its transaction and may be run twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from onprem_csms.clock import Clock, SystemClock, to_text
from onprem_csms.db.chargers.message_log import Frame, FrameLog
from onprem_csms.db.engine.connection import (
    Connection,
    Row,
    RuleError,
    SqlError,
    as_store_error,
    close_all,
    connect,
)
from onprem_csms.db.engine.migrate import migrate
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import StoreError
from onprem_csms.events import Bus, Event

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)

READERS = 2
LARGEST_GROUP = 512
FRAMES_WAIT_S = 0.5
CHECKPOINT_EVERY_S = 1.0


class Memo:
    """Values that the writer can make again from the database, kept to save the work.

    Only the writer's thread touches it.
    """

    __slots__ = ("_touched", "_values")

    def __init__(self) -> None:
        self._values: dict[Hashable, Any] = {}
        self._touched: list[Hashable] = []

    def get(self, key: Hashable) -> Any:
        """Return what is remembered, or None."""
        return self._values.get(key)

    def set(self, key: Hashable, value: object) -> None:
        """Remember an immutable value, true once this write is committed."""
        self._values[key] = value
        self._touched.append(key)

    def drop(self, key: Hashable) -> None:
        """Forget a value."""
        self._values.pop(key, None)

    def drop_kind(self, kind: str) -> None:
        """Forget every value whose key begins so; for what seldom changes and concerns many."""
        for key in [key for key in self._values if isinstance(key, tuple) and key[0] == kind]:
            del self._values[key]

    def accept(self) -> None:
        """The write stands: what it set stays."""
        self._touched.clear()

    def reject(self) -> None:
        """The write is undone: forget what it set."""
        for key in self._touched:
            self._values.pop(key, None)
        self._touched.clear()

    def clear(self) -> None:
        """Forget everything, after a group that failed as a whole."""
        self._values.clear()
        self._touched.clear()


class Tx:
    """What a service function works on: one transaction.

    ``now`` is the time of the action, the same for all that the action writes. Events that are
    emitted go out after COMMIT, and not at all when the function fails. ``memo`` remembers immutable
    values between writes (a reader's is always empty); what a failed function put there is forgotten.
    """

    __slots__ = ("_raw", "events", "memo", "now", "now_text", "settings")

    def __init__(self, raw: Any, now: datetime, settings: SiteSettings, memo: "Memo | None" = None) -> None:
        self._raw = raw
        self.memo = Memo() if memo is None else memo
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

    def value(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        row = self._raw.execute(sql, params).fetchone()
        return None if row is None else row[0]

    @property
    def in_transaction(self) -> bool:
        """Tell whether the transaction still stands."""
        return bool(self._raw.in_transaction)

    def emit(self, event: Event) -> None:
        """Tell the house after COMMIT."""
        self.events.append(event)


class _Write:
    __slots__ = ("args", "error", "fn", "future", "result")

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], future: asyncio.Future[Any]) -> None:
        self.fn = fn
        self.args = args
        self.future = future
        self.result: Any = None
        self.error: Exception | None = None


class _OneFailedError(Exception):
    """A write of a group failed; the group is done again with each write in a savepoint of its own."""


class Database:
    """The encrypted file, open. Make it with ``Database.open``."""

    def __init__(self, path: Path, clock: Clock, bus: Bus, settings: SiteSettings) -> None:
        self.path = path
        self.settings = settings
        self._clock = clock
        self._bus = bus
        self._pending: list[_Write] = []
        self._frames: list[Frame] = []
        self._frame_log = FrameLog()
        self._frames_timer: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._wrote = False
        self._memo = Memo()
        self._tasks: list[asyncio.Task[None]] = []
        self._idle_readers: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self._connections: list[Connection] = []
        self._writer: Connection
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
            asyncio.create_task(self._run_writer(), name="database writer"),
            asyncio.create_task(self._run_checkpoints(), name="database checkpoints"),
        ]
        return self

    async def _connect(self, key: bytes) -> None:
        self._writer = await self._open_one(key)
        await self._writer.run(self._migrate)
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
        if self._closing:
            message = "The database is closing."
            raise StoreError(message)
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._pending.append(_Write(partial(fn, **kwargs) if kwargs else fn, args, future))
        self._wake.set()
        return await future

    def log_frame(self, charger_id: str, direction: str, text: str) -> None:
        """Keep a raw message; it goes into the next group of writes, at the latest in half a second."""
        self._frames.append(Frame(charger_id, to_text(self._clock.now()), direction, text))
        if self._frames_timer is None and not self._pending:
            loop = asyncio.get_running_loop()
            self._frames_timer = loop.call_later(FRAMES_WAIT_S, self._wake.set)

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``fn(tx, …)`` on a reader, in one consistent view."""
        reader = await self._idle_readers.get()
        try:
            return await asyncio.shield(reader.run(lambda raw: self._read(raw, partial(fn, **kwargs), args)))
        finally:
            self._idle_readers.put_nowait(reader)

    def _read(self, raw: Any, fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        tx = Tx(raw, self._clock.now(), self.settings)
        try:
            raw.execute("BEGIN")
            try:
                return fn(tx, *args)
            finally:
                raw.execute("ROLLBACK")
        except SqlError as error:
            raise as_store_error(error, self.path) from error

    async def _run_writer(self) -> None:
        while not (self._closing and not self._pending and not self._frames):
            await self._wake.wait()
            self._wake.clear()
            while self._pending or self._frames:
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
        frames, self._frames = self._frames, []
        if self._frames_timer is not None:
            self._frames_timer.cancel()
            self._frames_timer = None
        try:
            events = await self._writer.run(lambda raw: self._commit(raw, group, frames))
        except Exception as error:  # noqa: BLE001 - the whole group failed; each caller is told
            failure = as_store_error(error, self.path) if isinstance(error, SqlError) else error
            log.error("a group of %d writes failed: %s", len(group), failure)  # noqa: TRY400 - the sentence says it all
            for write in group:
                write.error, write.result = failure, None
            events = []
        self._wrote = True
        self._answer(group)
        self._bus.publish_all(events)

    @staticmethod
    def _answer(group: list[_Write]) -> None:
        for write in group:
            if write.future.done():
                continue
            if write.error is None:
                write.future.set_result(write.result)
            else:
                write.future.set_exception(write.error)

    def _commit(self, raw: Any, group: list[_Write], frames: list[Frame]) -> list[Event]:
        try:
            return self._attempt(raw, group, frames, self._run_together)
        except _OneFailedError:
            # Savepoints cost more than many writes do, so there are none until one of a group fails.
            return self._attempt(raw, group, frames, self._run_apart)

    def _attempt(
        self, raw: Any, group: list[_Write], frames: list[Frame], run: Callable[[Tx, list[_Write]], None]
    ) -> list[Event]:
        raw.execute("BEGIN IMMEDIATE")
        try:
            if frames:
                self._frame_log.write(raw, frames)
            tx = Tx(raw, self._clock.now(), self.settings, self._memo)
            run(tx, group)
            raw.execute("COMMIT")
        except BaseException as error:
            if isinstance(error, _OneFailedError):
                self._memo.reject()
            else:
                self._memo.clear()
            self._frame_log.forget()
            with contextlib.suppress(SqlError):
                raw.execute("ROLLBACK")
            raise
        return tx.events

    def _run_together(self, tx: Tx, group: list[_Write]) -> None:
        for write in group:
            try:
                write.result = write.fn(tx, *write.args)
            except Exception as error:
                raise _OneFailedError from error
        self._memo.accept()

    def _run_apart(self, tx: Tx, group: list[_Write]) -> None:
        for write in group:
            told = len(tx.events)
            tx.execute("SAVEPOINT one")
            try:
                write.result = write.fn(tx, *write.args)
                self._memo.accept()
            except Exception as error:
                del tx.events[told:]
                self._memo.reject()
                if not tx.in_transaction:
                    # A full disk rolls the whole transaction back by itself: nothing of the group stands.
                    raise
                tx.execute("ROLLBACK TO one")
                # A rule of a table that one write broke is a bug of ours: the next attempt would break it too.
                of_store = isinstance(error, SqlError) and not isinstance(error, RuleError)
                write.error = as_store_error(error, self.path) if of_store else error
            tx.execute("RELEASE one")

    async def _run_checkpoints(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_EVERY_S)
            if self._wrote:
                self._wrote = False
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
        self._closing = True
        self._wake.set()
        writer, checkpoints = self._tasks
        checkpoints.cancel()
        await asyncio.gather(writer, checkpoints, return_exceptions=True)
        await self.checkpoint()
        await close_all(self._connections)
