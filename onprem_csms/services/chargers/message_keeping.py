"""Keeping raw messages: the oldest go by age and by size, older packs are regrouped by charger every hour."""

import asyncio
import logging
from datetime import datetime, timedelta

from onprem_csms.db.chargers import message_packs as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.engine.writer import DAMAGE_PASSES_S
from onprem_csms.errors import Damaged, say_fault
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)
MEGABYTE = 1024 * 1024
FRESH = timedelta(hours=1)
_OLDEST_FRESH = timedelta(hours=2)


async def keep(ctx: Context) -> None:
    """Do what is due; raw messages whose pages stay damaged are set aside, or nothing would ever be forgotten again."""
    try:
        await _keep(ctx)
    except Damaged:
        await asyncio.sleep(DAMAGE_PASSES_S)
        try:
            await _keep(ctx)
        except Damaged as error:
            say_fault(log, "raw messages", error)
            ctx.store.renew_messages()


async def _keep(ctx: Context) -> None:
    """Do it in writes that are short each."""
    while await ctx.read(_is_old):
        await ctx.write(_forget)
    if await ctx.read(_is_ungrouped):
        while await ctx.write(_regroup):
            pass


def _is_old(tx: Tx) -> bool:
    return rows.is_due(tx, *_bounds(tx))


def _forget(tx: Tx) -> int:
    return rows.forget(tx, *_bounds(tx))


def _bounds(tx: Tx) -> tuple[datetime, int]:
    """Return from when messages are kept, and how many bytes of them."""
    settings = tx.settings
    return tx.now - timedelta(days=settings.message_days), settings.message_megabytes * MEGABYTE


def _is_ungrouped(tx: Tx) -> bool:
    return rows.has_fresh(tx, tx.now - _OLDEST_FRESH)


def _regroup(tx: Tx) -> int:
    return rows.regroup(tx, tx.now - FRESH)
