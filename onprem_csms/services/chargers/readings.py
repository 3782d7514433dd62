"""What a charger sends of its meter is ours to set: read, set where it differs, read back; once after each boot."""

import logging

from onprem_csms.db.chargers import chargers as charger_rows
from onprem_csms.db.chargers import desired
from onprem_csms.db.chargers import variables as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers import readings
from onprem_csms.domain.chargers.commands import ReadVariables, SetVariables
from onprem_csms.domain.chargers.readings import Readings
from onprem_csms.domain.chargers.variables import Variable
from onprem_csms.errors import AppError
from onprem_csms.services.chargers import sending
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)
ORIGIN = "readings"


async def settle(ctx: Context, charger_id: str) -> None:
    """Let a charger send the readings that tariffs and prepaid cards need; what it refuses is asked of it in part."""
    wanted = await ctx.read_for_charger(_wanted, charger_id)
    if wanted is None:
        return
    try:
        await _settle(ctx, charger_id, wanted)
    except AppError as error:
        log.info("%s: %s", charger_id, error)


async def _settle(ctx: Context, charger_id: str, wanted: Readings) -> None:
    names = tuple(variable for variable, _ in ctx.stations.reading_variables(charger_id, wanted))
    told = await sending.perform(ctx, charger_id, ReadVariables(names), origin=ORIGIN)
    if told.status != "answered":
        return  # who answers no question is not told what to do
    refused: frozenset[Variable] = frozenset()
    changed = False
    less: Readings | None = wanted
    while less is not None:
        wishes = ctx.stations.reading_variables(charger_id, less)
        if refused:
            wishes = tuple(one for one in wishes if one[0] in refused)
        refused = frozenset()
        for variable, value in await ctx.read_for_charger(differing, charger_id, wishes):
            result = await sending.perform(ctx, charger_id, SetVariables(((variable, value),)), origin=ORIGIN)
            await ctx.write(desired.mark, charger_id, variable, ORIGIN)
            changed = changed or result.accepted is True
            if result.accepted is False and "," in value:
                refused |= {variable}
        less = readings.fewer(less) if refused else None
    if changed:
        await sending.perform(ctx, charger_id, ReadVariables(names), origin=ORIGIN)


def _wanted(tx: Tx, charger_id: str) -> Readings | None:
    charger = charger_rows.get(tx, charger_id)
    if charger is None:
        return None
    wanted = readings.preset(charger.vendor, charger.model)
    every_s = tx.settings.prepaid.sample_interval_s
    return wanted._replace(every_s=min(every_s, wanted.every_s or every_s))


def differing(
    tx: Tx, charger_id: str, wishes: tuple[tuple[Variable, str], ...]
) -> list[tuple[Variable, str]]:
    """Return the wishes that a charger does not meet by its own word, as far as it offers them.

    What an operator wants of the same variable counts; what can't be changed is left alone.
    """
    known = {one.variable: one for one in rows.find(tx, charger_id) if one.attribute == "actual"}
    found = []
    for variable, value in wishes:
        setting = known.get(variable)
        if setting is not None:
            if setting.readonly or (setting.wanted and not desired.is_of(tx, charger_id, variable, ORIGIN)):
                continue
            wish = readings.offered(value, setting.values) if "," in value else value
            if readings.same(setting.value, wish):
                continue
            found.append((variable, wish))
        else:
            found.append((variable, value))
    return found
