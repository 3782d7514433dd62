"""What the site wants of a charger's settings is asked again until the charger has answered."""

import asyncio
import logging

from onprem_csms.domain.chargers.commands import ReadVariables, SetVariables
from onprem_csms.errors import AppError
from onprem_csms.services.chargers import configuration, sending
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)


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


async def ask_again(ctx: Context, charger_id: str, settle_s: float) -> None:
    """Ask again what a charger that came has not answered, once it has settled; ends when it goes."""
    await asyncio.sleep(settle_s)
    for wish in await ctx.read_for_charger(configuration.unmet, charger_id):
        if not ctx.stations.online(charger_id):
            return
        command = SetVariables(((wish.variable, wish.value),))
        try:
            await sending.perform(ctx, charger_id, command, origin="configuration")
        except AppError as error:
            log.info("%s: %s", charger_id, error)
