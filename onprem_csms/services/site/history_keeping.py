"""The history of chargers, commands and settled reviews: what is older than the site keeps is forgotten.

Money and what proves it stay: sessions with their curves, entries, holds, orders, the record of changes.
"""

from datetime import datetime, timedelta

from onprem_csms.clock import to_text
from onprem_csms.db.chargers import chargers, commands, intervals
from onprem_csms.db.charging import facts, reservations, review
from onprem_csms.db.engine import history
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.engine.history import ROWS_AT_ONCE, History
from onprem_csms.db.site import housekeeping
from onprem_csms.services.core.context import Context

HISTORIES = (
    intervals.STATUSES,
    intervals.CONNECTIONS,
    housekeeping.PROCESSES,
    chargers.NOTICES,
    commands.ENDED,
    review.RESOLVED,
    facts.LOOSE,
)
FRUITLESS_ROWS = 50_000
"""So many rows that are not old in a row: the rest is newer. Before them stand states that have not ended for long."""


async def keep(ctx: Context) -> int:
    """Forget what is old, in writes that are short each; returns how many rows."""
    return sum([await _keep(ctx, one) for one in HISTORIES]) + await _keep_reservations(ctx)


async def _keep(ctx: Context, kept: History) -> int:
    after = forgotten = fruitless = 0
    while fruitless < FRUITLESS_ROWS:
        old = await ctx.search(history.old_rows, kept, after, _since(ctx))
        if not old.seen:
            break
        if old.rows:
            await ctx.write(history.forget, kept, old.rows)
        after, forgotten = old.last, forgotten + len(old.rows)
        fruitless = 0 if old.rows else fruitless + old.seen
    return forgotten


async def _keep_reservations(ctx: Context) -> int:
    forgotten = 0
    while more := await ctx.write(_forget_reservations):
        forgotten += more
    return forgotten


def _forget_reservations(tx: Tx) -> int:
    before = tx.now - timedelta(days=tx.settings.history_days)
    return reservations.forget_ended(tx, to_text(before), ROWS_AT_ONCE)


def _since(ctx: Context) -> datetime:
    return ctx.clock.now() - timedelta(days=ctx.settings.history_days)
