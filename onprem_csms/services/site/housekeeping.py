"""The system takes care of itself: what is old goes, and it notes when it was alive."""

import asyncio
import logging
from datetime import timedelta
from time import monotonic

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.site import housekeeping as rows
from onprem_csms.errors import StoreError, say_fault
from onprem_csms.services.chargers import message_keeping
from onprem_csms.services.core import logins
from onprem_csms.services.core.context import Context
from onprem_csms.services.site import history_keeping

log = logging.getLogger(__name__)
TICK_S = 10.0
ALIVE_EVERY_S = 60
HISTORY_EVERY_S = 3_600.0
LONG_AWAY = timedelta(days=7)
WAIT_S = 86_400.0
"""So long nothing is forgotten after a start that finds the last one long ago: the clock may be what is wrong."""


class Housekeeper:
    """One per process; ``run`` until cancelled."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._interval_id: int | None = None
        self._noted_at = ctx.clock.now()
        self._forget_from: float | None = None
        self._history_from = 0.0

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
        if self._forget_from is None:
            self._forget_from = await self._may_forget_from()
        if monotonic() >= self._forget_from:
            await self._forget()
        now = self._ctx.clock.now()
        if self._interval_id is None or now - self._noted_at >= timedelta(seconds=ALIVE_EVERY_S):
            self._noted_at = now
            self._interval_id = await self._ctx.write(_alive, self._interval_id)

    async def _may_forget_from(self) -> float:
        last = await self._ctx.read(rows.last_alive)
        if last is None or self._ctx.clock.now() - last < LONG_AWAY:
            return monotonic()
        log.warning(
            "The product was last alive at %s. If the clock is right, all is well; nothing old is deleted for a day.",
            last,
        )
        return monotonic() + WAIT_S

    async def _forget(self) -> None:
        await message_keeping.keep(self._ctx)
        if monotonic() >= self._history_from:
            self._history_from = monotonic() + HISTORY_EVERY_S
            await history_keeping.keep(self._ctx)


def _alive(tx: Tx, interval_id: int | None) -> int:
    logins.forget_stale(tx)
    if interval_id is None:
        return rows.begin_process(tx)
    rows.still_alive(tx, interval_id)
    return interval_id
