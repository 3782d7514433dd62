"""A consistent copy of the database while writing goes on."""

from pathlib import Path
from typing import Any

from onprem_csms.db.engine.connection import Line, Opener, SqlError, as_store_error, open_raw
from onprem_csms.errors import Conflict


async def snapshot(source: Opener, to_path: Path, key: bytes) -> None:
    """Copy the whole database to a new file under a key; Conflict where a file is, StoreError.

    The online backup in one step (``pages=-1``) on a connection of its own: the copy is the view of one moment,
    and the writer waits for nothing. Step by step beside a writer it would never end. The file gets its name when
    it is whole.
    """
    line = Line(source)
    try:
        await line.run(lambda raw: _copy(raw, to_path, key))
    except SqlError as error:
        raise as_store_error(error, source.path) from error
    finally:
        await line.close()


def _copy(raw: Any, to_path: Path, key: bytes) -> None:
    if to_path.exists():
        raise Conflict("There is already a file {file}.", file=str(to_path))
    part = to_path.with_name(to_path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        copy = open_raw(part, key, read_only=False)
        try:
            raw.backup(copy, pages=-1)
            copy.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            # One file without companions, whole on the disk.
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        finally:
            copy.close()
        part.replace(to_path)
    finally:
        for leftover in to_path.parent.glob(f"{part.name}*"):
            leftover.unlink()
