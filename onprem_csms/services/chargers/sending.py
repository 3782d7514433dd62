"""Sending a command: stored as wanted, sent, its ending stored, whoever gave it; the charger decides."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from onprem_csms.domain.chargers.commands import Command, ReadVariables, SetVariables
from onprem_csms.errors import Conflict, Invalid, StoreError, say_fault
from onprem_csms.services.chargers import commanding, inventory
from onprem_csms.services.core.context import Context
from onprem_csms.services.core.ports import CommandResult, Order, Reply

log = logging.getLogger(__name__)
SHORTLY_S = 3.0


async def perform(ctx: Context, charger_id: str, command: Command, *, origin: str) -> CommandResult:
    """Send a neutral command in the charger's own words; returns how it ended, in parts: how the first bad one did.

    Conflict when it is offline; Invalid where its protocol can't say it.
    """
    parts = [command]
    if isinstance(command, ReadVariables | SetVariables):
        parts = await ctx.read_for_charger(ctx.stations.parts, charger_id, command)
    if not parts:
        raise Invalid("Nothing is asked for.")
    for part in parts[:-1]:
        result = await _say(ctx, charger_id, part, origin)
        if result.accepted is False or result.status != "answered":
            return result
    return await _say(ctx, charger_id, parts[-1], origin)


async def _say(ctx: Context, charger_id: str, command: Command, origin: str) -> CommandResult:
    return await ask(ctx, charger_id, *ctx.stations.translate(charger_id, command), origin=origin)


async def ask(
    ctx: Context, charger_id: str, action: str, request: Mapping[str, Any], *, origin: str
) -> CommandResult:
    """Send a request of the charger's own protocol and return how it ended.

    NotFound: no such command or charger; Invalid with the path of the fault; Conflict as ``send``.
    """
    return await send(ctx, ctx.stations.order(charger_id, action, request), origin=origin)


async def send(ctx: Context, order: Order, *, origin: str, wait: bool = True) -> CommandResult:
    """Send an order, and return how it ended, or with ``wait`` False that it is on its way.

    NotFound: no such charger; Conflict: it is offline, or too many commands wait. Nothing else is refused.
    """
    if not ctx.stations.online(order.charger_id):
        await ctx.read_for_charger(inventory.get, order.charger_id)
        raise Conflict("The charger is offline.")
    command_id = await ctx.write(commanding.order, order, origin)
    delivery = _Delivery(ctx, order, command_id)
    try:
        reply = ctx.stations.dispatch(order, delivery.sent)
    except Conflict:
        await ctx.write(commanding.end, command_id, order, Reply("error", {"code": "NotSent"}))
        raise
    ctx.stations.spawn(delivery.conclude(reply))
    if not wait:
        return CommandResult(command_id, "sent", order.request)
    return await asyncio.shield(delivery.result)


async def shortly(ctx: Context, charger_id: str, command: Command, *, origin: str) -> CommandResult:
    """Send a command whose answer is waited for shortly, so that no stop waits for its turn; as ``perform``."""
    order = ctx.stations.order(charger_id, *ctx.stations.translate(charger_id, command))
    return await send(ctx, replace(order, patience_s=SHORTLY_S), origin=origin)


async def limit(ctx: Context, order: Order) -> Reply:
    """Send a limit of which hundreds come in an hour: no row is kept, only what follows from it. Conflict."""
    reply = await ctx.stations.dispatch(order, _no_matter)
    await ctx.write(commanding.follow, order, reply)
    return reply


def _no_matter() -> None:
    """It has gone out, and nothing is stored of that."""


class _Delivery:
    """One order on its way; its ending is stored even when nobody waits for it any more."""

    def __init__(self, ctx: Context, order: Order, command_id: int) -> None:
        self._ctx = ctx
        self._order = order
        self._command_id = command_id
        self.result: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()

    def sent(self) -> None:
        """Store beside that it has gone out."""
        self._ctx.stations.spawn(self._store_sent())

    async def _store_sent(self) -> None:
        await self._ctx.write(commanding.sent, self._order.charger_id, self._command_id)

    async def conclude(self, coming: "asyncio.Future[Reply]") -> None:
        """Wait for the reply, store it, and only then tell who waits for it."""
        reply = await coming
        try:
            await self._store(reply)
        finally:
            if not self.result.done():
                self.result.set_result(_result(self._command_id, self._order, reply))

    async def _store(self, reply: Reply) -> None:
        place = f"{self._order.charger_id} {self._order.action}"
        try:
            await self._ctx.write(commanding.end, self._command_id, self._order, reply)
        except StoreError as error:
            say_fault(log, place, error)
        except Exception:
            # A record that can't be kept must not hide what the charger answered.
            log.exception(place)
            await self._ctx.write(commanding.end, self._command_id, self._order, reply, record=False)


def _result(command_id: int, order: Order, reply: Reply) -> CommandResult:
    answered = reply.ending in ("answered", "error")
    response = reply.response if answered else None
    return CommandResult(command_id, reply.ending, order.request, response, order.agrees(reply))
