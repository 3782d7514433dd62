"""Keeps the end of the ledger's chain outside of the database, after each COMMIT that moved it."""

import asyncio
import logging

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import head as files
from onprem_csms.db.money import ledger as rows
from onprem_csms.db.money.ledger import Head
from onprem_csms.services.core.context import Context
from onprem_csms.services.money.ledger import LEDGER

log = logging.getLogger(__name__)
# Between two writes of the file; a head that is behind is as good, as long as the chain goes through it.
PAUSE_S = 0.2


def broken(tx: Tx, kept: Head | None) -> str:
    """Say what is wrong between the kept head and the ledger; empty when the chain goes through the head."""
    if kept is None or kept.id == 0:
        return ""
    last, entry = rows.head(tx), rows.get(tx, kept.id)
    if entry is None:
        return (
            f"the ledger ends at entry {last.id}, the head kept outside says {kept.id}: entries are missing"
        )
    if entry.hash != kept.hash:
        return f"entry {kept.id}: it is not the entry whose hash is kept outside"
    return ""


class HeadKeeper:
    """One per process; ``run`` until cancelled."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._path = files.path_of(ctx.store.path)

    async def run(self) -> None:
        """Write the file whenever the ledger has grown; not at all when it does not fit, so that the proof stays."""
        news = self._ctx.bus.subscribe([LEDGER])
        fault = await self._ctx.read(broken, await asyncio.to_thread(files.read, self._path))
        if fault:
            log.critical("%s. Run verify; the file %s is left as it is.", fault, self._path)
            news.close()
            return
        await self.keep()
        async for _ in news:
            await self.keep()
            await asyncio.sleep(PAUSE_S)

    async def keep(self) -> None:
        """Write the present head."""
        try:
            await asyncio.to_thread(files.write, self._path, await self._ctx.read(rows.head))
        except OSError as error:
            log.warning("the head of the ledger could not be kept outside: %s", error)
