"""Moving what is committed from the write-ahead log into the file, from a connection of its own."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onprem_csms.db.engine.connection import Line, SqlError, as_store_error
from onprem_csms.errors import StoreError, say_fault

log = logging.getLogger(__name__)
EVERY_S = 1.0
PAGE_BYTES = 4096
LARGEST_LOG_BYTES = 64 * 1024 * 1024
"""Above this the log is begun again at its start; a file twice as large is cut to nothing.

Beginning again keeps the file's space, which is cheaper than to give it back and take it anew.
"""
WAITS_MS = 100
"""How long either may wait for readers; writes wait with it."""


class Checkpointer:
    """Keeps the log small without stopping the writer."""

    def __init__(self, line: Line, largest_log: int = LARGEST_LOG_BYTES) -> None:
        self._line = line
        self._path = line.opener.path
        self._log = Path(f"{self._path}-wal")
        self._largest = largest_log

    async def checkpoint(self) -> None:
        """Move what can be moved; cut the log when it is large and no reader still needs it."""
        try:
            await self._line.run(self._checkpoint)
        except SqlError as error:
            say_fault(log, "checkpoint", as_store_error(error, self._path))
        except StoreError as error:
            say_fault(log, "checkpoint", error)

    def _checkpoint(self, raw: Any) -> None:
        in_use = self._move(raw, "PASSIVE")
        size = self._log.stat().st_size if self._log.exists() else 0
        if max(in_use, size // 2) <= self._largest:
            return
        # What came meanwhile: the less is left, the shorter is the moment in which nothing is written.
        self._move(raw, "PASSIVE")
        raw.execute(f"PRAGMA busy_timeout = {WAITS_MS}")
        # A reader of an older view makes this give up; the next second tries again.
        self._move(raw, "TRUNCATE" if size > 2 * self._largest else "RESTART")

    @staticmethod
    def _move(raw: Any, how: str) -> int:
        """Checkpoint; returns how many bytes of the log are in use."""
        _, frames, _ = raw.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
        return int(frames) * PAGE_BYTES


async def every_second(checkpointer: Checkpointer, has_news: Callable[[], bool]) -> None:
    """Checkpoint once a second while something was written."""
    while True:
        await asyncio.sleep(EVERY_S)
        if not has_news():
            continue
        try:
            await checkpointer.checkpoint()
        except Exception:
            log.exception("checkpoint")
