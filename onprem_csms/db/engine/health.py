"""The proof that the store works: a durable write and a read, not more than once a second for all who ask."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from onprem_csms.db.engine.tx import Tx
from onprem_csms.errors import Stuck

WITHIN_S = 5.0
FRESH_S = 1.0


def beat(tx: Tx) -> None:
    """Write that the store was alive now."""
    tx.execute(
        """
        INSERT INTO meta (key, value)
        VALUES ('alive_at', ?)
        ON CONFLICT (key) DO UPDATE
        SET value = excluded.value
        """,
        (tx.now_text,),
    )


def look(tx: Tx) -> str:
    """Read when the store was last alive."""
    return str(tx.value("SELECT value FROM meta WHERE key = 'alive_at'"))


class Health:
    """Asks for the proof and shares it."""

    def __init__(
        self,
        write: Callable[[], Awaitable[None]],
        read: Callable[[], Awaitable[str]],
        within_s: float = WITHIN_S,
    ) -> None:
        self._write = write
        self._read = read
        self._within_s = within_s
        self._proof: asyncio.Task[None] | None = None
        self._begun = 0.0

    async def prove(self) -> None:
        """Return when a write has become durable and was read; Stuck when not in time, StoreError when it can't."""
        if self._proof is None or (self._proof.done() and monotonic() - self._begun > FRESH_S):
            self._begun = monotonic()
            self._proof = asyncio.create_task(self._run(), name="proof of the database")
        try:
            async with asyncio.timeout(max(0.0, self._begun + self._within_s - monotonic())):
                await asyncio.shield(self._proof)
        except TimeoutError as error:
            message = f"The database did not write and read within {self._within_s:g} s."
            raise Stuck(message) from error

    async def _run(self) -> None:
        await self._write()
        await self._read()

    def close(self) -> None:
        """Give up a proof that still runs."""
        if self._proof is not None:
            self._proof.cancel()
