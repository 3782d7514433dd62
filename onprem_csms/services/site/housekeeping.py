"""The system takes care of itself: old raw messages go, and it notes when it was alive."""

import asyncio
import logging
from datetime import timedelta

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.site import housekeeping as rows
from onprem_csms.errors import StoreError, say_fault
from onprem_csms.services.chargers import message_keeping
from onprem_csms.services.core import logins
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)
TICK_S = 10.0
ALIVE_EVERY_S = 60


class Housekeeper:
    """One per process; ``run`` until cancelled."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._interval_id: int | None = None
        self._noted_at = ctx.clock.now()

    async def run(self) -> None:
        """Tick every few seconds; a store that fails now is asked again at the next tick."""
        while True:
            try:
                await self.tick()
            except StoreError as error:
                say_fault(log, "housekeeping", error)
            except Exception:
                log.exception("housekeeping")
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """Write once a minute that we are alive, and forget what is older than the site keeps."""
        await message_keeping.keep(self._ctx)
        now = self._ctx.clock.now()
        if self._interval_id is None or now - self._noted_at >= timedelta(seconds=ALIVE_EVERY_S):
            self._noted_at = now
            self._interval_id = await self._ctx.write(_alive, self._interval_id)


def _alive(tx: Tx, interval_id: int | None) -> int:
    logins.forget_stale(tx)
    if interval_id is None:
        return rows.begin_process(tx)
    rows.still_alive(tx, interval_id)
    return interval_id
