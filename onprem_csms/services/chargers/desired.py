"""What the site wants of a charger's settings is asked again until the charger has answered."""

import asyncio
import logging
from collections.abc import Callable

from onprem_csms.domain.chargers.commands import Command, ReadVariables, SetVariables
from onprem_csms.errors import AppError
from onprem_csms.services.chargers import configuration, sending
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)
AGAIN_S = 300.0
"""Between one round of what a charger does not answer and the next."""


async def read_all(ctx: Context, charger_id: str, settle_s: float) -> None:
    """Read all variables of a charger that came for the first time, once it has settled; once a connection.

    Whether it tells all of them, some or none: what it tells in time is what is known.
    """
    await asyncio.sleep(settle_s)
    if not ctx.stations.online(charger_id):
        return
    try:
        await sending.perform(ctx, charger_id, ReadVariables(), origin="first contact")
    except AppError as error:
        log.info("%s: %s", charger_id, error)


async def ask_again(ctx: Context, charger_id: str, here: Callable[[], bool], settle_s: float) -> None:
    """Send what a charger that came has not answered, again and again until it has; ends when it goes.

    It is left alone for a moment first. What it answered is read back, so that what it really does shows beside
    what is wanted.
    """
    await asyncio.sleep(settle_s)
    while here() and (wishes := await ctx.read_for_charger(configuration.unmet, charger_id)):
        for wish in wishes:
            await _perform(ctx, charger_id, SetVariables(((wish.variable, wish.value),)))
            await ctx.write(configuration.tried, charger_id, wish.variable)
        unmet = {wish.variable for wish in await ctx.read_for_charger(configuration.unmet, charger_id)}
        answered = tuple(wish.variable for wish in wishes if wish.variable not in unmet)
        if answered and here():
            await _perform(ctx, charger_id, ReadVariables(answered))
        if not unmet:
            return
        await asyncio.sleep(AGAIN_S)


async def _perform(ctx: Context, charger_id: str, command: Command) -> None:
    try:
        await sending.perform(ctx, charger_id, command, origin="configuration")
    except AppError as error:
        log.info("%s: %s", charger_id, error)
