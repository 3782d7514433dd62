"""Our own time against the machine's clock: a jump expires nothing and deletes nothing, and it is said."""

import asyncio
import logging
from datetime import datetime, timedelta

from onprem_csms.clock import SteadyClock
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.site import housekeeping as rows
from onprem_csms.errors import StoreError, say_fault
from onprem_csms.events import Event
from onprem_csms.services.core import audit
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)
LOOK_S = 1.0
TOPIC = "clock"
"""The topic of the event that the machine's clock has jumped, or is right again."""


class ClockKeeper:
    """One per process; ``run`` until cancelled."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._said = timedelta(0)

    async def run(self) -> None:
        """Look at the machine's clock every second."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Follow the machine's clock, and say when it has jumped or is right again."""
        clock = self._ctx.clock
        if not isinstance(clock, SteadyClock):
            return
        clock.look()
        apart = clock.apart
        # Once for each jump, not for each second by which an unruly clock moves on.
        if abs(apart - self._said) < timedelta(seconds=10):
            return
        self._said = apart
        log.error("%s", sentence(apart))
        try:
            await self._ctx.write(_note, apart)
        except StoreError as error:
            say_fault(log, "clock", error)


def sentence(apart: timedelta) -> str:
    """Say how the machine's clock stands to our time."""
    if not apart:
        return "The machine's clock agrees with our time again."
    where = "ahead of" if apart > timedelta(0) else "behind"
    return (
        f"The machine's clock has jumped: it is {abs(int(apart.total_seconds()))} s {where} our time, which goes on as "
        "before. Set the clock right; if it is right now, restart the product to take its time."
    )


def _note(tx: Tx, apart: timedelta) -> None:
    audit.note(tx, "clock.jumped", "clock", seconds=int(apart.total_seconds()))
    tx.emit(Event(TOPIC))


def last_alive(tx: Tx) -> datetime | None:
    """Return the last moment that a process before wrote down as present; None before the first."""
    return rows.last_alive(tx)
