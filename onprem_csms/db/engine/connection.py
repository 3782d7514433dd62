"""Opening one SQLCipher connection through aiosqlite; the only module that names either.

SQLCipher's errors derive from its own module, not from ``sqlite3``; here they become ours.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlcipher3 import dbapi2

from onprem_csms.errors import StoreError

R = TypeVar("R")
Row = dbapi2.Row
SqlError = dbapi2.Error
RuleError = dbapi2.IntegrityError
KEY_BYTES = 32
# SQLite's own words for what an administrator can act on.
_SENTENCES = (
    ("file is not a database", "The key does not open the database, or the file {path} is damaged."),
    ("malformed", "The database {path} is damaged. Restore a backup; nothing was changed."),
    ("disk is full", "The disk is full. Nothing was lost; free some space."),
    ("readonly", "The database {path} can't be written. Check the rights of the folder."),
    ("disk I/O error", "The disk of {path} reports an error."),
    ("unable to open", "The database {path} can't be opened. Check that the folder exists and its rights."),
    ("locked", "The database {path} is in use by another process."),
)


def as_store_error(error: Exception, path: Path) -> StoreError:
    """Turn an error of SQLCipher into a sentence; what is not known keeps its own words."""
    text = str(error)
    for needle, sentence in _SENTENCES:
        if needle in text:
            return StoreError(sentence.format(path=path))
    return StoreError(f"The database reports: {text}")


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
    raw.execute("PRAGMA cache_size = -32768")
    # Checkpoints inside a commit made the slowest answers; a second connection does them.
    raw.execute("PRAGMA wal_autocheckpoint = 0")
    if read_only:
        raw.execute("PRAGMA query_only = ON")


class Connection(aiosqlite.Connection):
    """An aiosqlite connection that can run a whole function on its thread.

    aiosqlite has no public call for that; statement by statement a transaction costs three times as
    much. A test pins what this class reaches for.
    """

    async def run(self, fn: Callable[[Any], R]) -> R:
        """Run ``fn(raw connection)`` on the connection's thread and return what it returns."""
        result: R = await self._execute(fn, self._conn)  # type: ignore[no-untyped-call]
        return result


async def connect(path: Path, key: bytes, *, read_only: bool = False) -> Connection:
    """Open a connection with a thread of its own; StoreError with a sentence when it can't be."""
    connection = Connection(lambda: open_raw(path, key, read_only=read_only), iter_chunk_size=64)
    # A forgotten connection must not keep a dying process alive.
    connection._thread.daemon = True  # noqa: SLF001
    await connection
    return connection


async def close_all(connections: Iterable[Connection]) -> None:
    """Close connections, each in its own thread."""
    await asyncio.gather(*(connection.close() for connection in connections))
