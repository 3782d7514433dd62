"""Opening one SQLCipher connection through aiosqlite; the only module that names either.

SQLCipher's errors derive from its own module, not from ``sqlite3``; here they become ours.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import aiosqlite
from sqlcipher3 import dbapi2

from onprem_csms.errors import Damaged, StoreError, TooSlow, say_fault

R = TypeVar("R")
log = logging.getLogger(__name__)
Row = dbapi2.Row
SqlError = dbapi2.Error
RuleError = dbapi2.IntegrityError
is_complete: Callable[[str], bool] = dbapi2.complete_statement
KEY_BYTES = 32
STEPS_BETWEEN_LOOKS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: a fraction of a millisecond."""
# Result codes of SQLite (sqlite.org/rescode.html), without their extensions.
_INTERRUPT = 9
_DAMAGE = frozenset((11, 26))  # CORRUPT, NOTADB
_PAGE_FAULTS = _DAMAGE | {10}  # IOERR
# SQLite's own words for what an administrator can act on.
_SENTENCES = (
    ("file is not a database", "The key does not open the database, or the file {path} is damaged."),
    ("malformed", "The database {path} is damaged. Restore a backup; nothing was changed."),
    ("disk is full", "The disk is full. Nothing was lost; free some space."),
    ("readonly", "The database {path} can't be written. Check the rights of the folder."),
    ("disk I/O error", "The disk of {path} reports an error."),
    (
        "unable to open",
        "The database {path} can't be opened. Check that the folder exists, its rights, and if one more file fits.",
    ),
    ("locked", "The database {path} is in use by another process."),
)


def as_store_error(error: Exception, path: Path) -> StoreError:
    """Turn an error of SQLCipher into a sentence; what is not known keeps its own words."""
    if is_interrupt(error):
        return TooSlow("Reading took too long and was ended. Nothing was changed; ask for less, or later.")
    text = str(error)
    for needle, sentence in _SENTENCES:
        if needle in text:
            kind = Damaged if _code(error) in _DAMAGE else StoreError
            return kind(sentence.format(path=path))
    return StoreError(f"The database reports: {text}")


def is_page_fault(error: BaseException) -> bool:
    """Tell whether a page could not be read or decrypted; SQLCipher then keeps the connection failed."""
    return isinstance(error, SqlError) and _code(error) in _PAGE_FAULTS


def is_interrupt(error: BaseException) -> bool:
    """Tell whether a statement was ended for its time."""
    return isinstance(error, SqlError) and _code(error) == _INTERRUPT


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def open_raw(path: Path, key: bytes, *, read_only: bool) -> Any:
    """Open the file with a raw 32-byte key; StoreError when the key or the file is wrong.

    The length is checked because SQLCipher takes any other length as a passphrase without a word,
    and the cipher's version because a build without it would make a plain file.
    """
    if len(key) != KEY_BYTES:
        message = f"the database key has {len(key)} bytes, not {KEY_BYTES}"
        raise ValueError(message)
    try:
        raw = dbapi2.connect(str(path), isolation_level=None, cached_statements=512, check_same_thread=False)
        raw.row_factory = dbapi2.Row
        # Its own words on the error stream would come before our sentence.
        raw.execute("PRAGMA cipher_log_level = NONE").fetchall()
        raw.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        if not raw.execute("PRAGMA cipher_version").fetchone():
            message = "this SQLite has no encryption"
            raise StoreError(message)
        raw.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        _tune(raw, read_only=read_only)
    except dbapi2.Error as error:
        raise as_store_error(error, path) from error
    return raw


def _tune(raw: Any, *, read_only: bool) -> None:
    raw.execute("PRAGMA busy_timeout = 10000")
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA temp_store = MEMORY")
    # Checkpoints inside a commit made the slowest answers; a second connection does them.
    raw.execute("PRAGMA wal_autocheckpoint = 0")
    if read_only:
        raw.execute("PRAGMA query_only = ON")


class Deadline:
    """When a read ends, of ``time.monotonic``; put to the past, it ends now."""

    __slots__ = ("at",)

    def __init__(self, seconds: float) -> None:
        self.at = monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 at the end."""
        return max(0.0, self.at - monotonic())

    def passed(self) -> bool:
        """Tell whether the end has come."""
        return monotonic() > self.at

    def end(self) -> None:
        """Let it end now."""
        self.at = 0.0


class CallBugError(RuntimeError):
    """A function raised what is no error of a function: an end of the process, of a generator or of a task."""


def tellable(error: BaseException) -> Exception:
    """Return an error that a future can carry; the others would end the one who waits, its loop or the process."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration | StopAsyncIteration):
        return error
    bug = CallBugError(f"a function raised {type(error).__name__}")
    bug.__cause__ = error
    return bug


class Connection(aiosqlite.Connection):
    """An aiosqlite connection that can run a whole function on its thread.

    aiosqlite has no public call for that; statement by statement a transaction costs three times as
    much. A test pins what this class reaches for.
    """

    async def run(self, fn: Callable[[Any], R], until: Deadline | None = None) -> R:
        """Run ``fn(raw connection)`` on the connection's thread and return what it returns.

        At ``until`` its statement is interrupted.
        """

        def guarded(raw: Any) -> R:
            try:
                return fn(raw) if until is None else _limited(raw, fn, until)
            except BaseException as error:
                told = tellable(error)
                if told is error:
                    raise
                raise told from error

        result: R = await self._execute(guarded, self._conn)  # type: ignore[no-untyped-call]
        return result


def _limited(raw: Any, fn: Callable[[Any], R], until: Deadline) -> R:
    raw.set_progress_handler(until.passed, STEPS_BETWEEN_LOOKS)
    try:
        return fn(raw)
    finally:
        raw.set_progress_handler(None, 0)


async def connect(path: Path, key: bytes, *, read_only: bool = False) -> Connection:
    """Open a connection with a thread of its own; StoreError with a sentence when it can't be."""
    connection = Connection(lambda: open_raw(path, key, read_only=read_only), iter_chunk_size=64)
    # A forgotten connection must not keep a dying process alive.
    connection._thread.daemon = True  # noqa: SLF001
    try:
        await connection
    except BaseException:
        # Its thread ends by itself, and must have before the loop may be closed.
        await asyncio.to_thread(connection._thread.join)  # noqa: SLF001
        raise
    return connection


@dataclass(frozen=True, slots=True)
class Opener:
    """How connections to one file are opened."""

    path: Path
    key: bytes
    read_only: bool = False
    cache_kib: int = 32 * 1024

    async def open(self) -> Connection:
        """Open one; StoreError with a sentence."""
        connection = await connect(self.path, self.key, read_only=self.read_only)
        await connection.run(lambda raw: raw.execute(f"PRAGMA cache_size = -{self.cache_kib}").fetchall())
        return connection


class Line:
    """A connection that is opened anew when a page failed: SQLCipher would keep the old one failed for good."""

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self._connection: Connection | None = None
        self._shut = False

    async def open(self) -> Connection:
        """Open, or open anew; StoreError with a sentence."""
        await self.close()
        if self._shut:
            message = "The database is closing."
            raise StoreError(message)
        self._connection = await self.opener.open()
        return self._connection

    async def run(self, fn: Callable[[Any], R], until: Deadline | None = None) -> R:
        """Run a function on a connection, and once more on a fresh one when a page failed."""
        try:
            return await self.run_once(fn, until)
        except SqlError as error:
            if not is_page_fault(error):
                raise
            say_fault(log, "a connection is opened anew", StoreError(str(error)))
        return await self.run_once(fn, until)

    async def run_once(self, fn: Callable[[Any], R], until: Deadline | None = None) -> R:
        """Run a function that can't be run again; after a failed page the next one gets a fresh connection."""
        connection = self._connection or await self.open()
        try:
            return await connection.run(fn, until)
        except SqlError as error:
            if is_page_fault(error):
                await self.close()
            raise

    async def shut(self) -> None:
        """Close for good."""
        self._shut = True
        await self.close()

    async def close(self) -> None:
        """Close the connection, if there is one; the next run opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
