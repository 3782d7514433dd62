"""Looks after all connections with one timer: calls that wait too long, silence, counters, changed settings."""

import asyncio
import logging

from onprem_csms.domain.chargers.chargers import QuirkCount
from onprem_csms.domain.chargers.commands import Trigger
from onprem_csms.errors import AppError, NotFound, StoreError, say_fault
from onprem_csms.ocpp.endpoint.throttle import Throttle
from onprem_csms.ocpp.link.connection import Connection
from onprem_csms.ocpp.link.registry import Registry
from onprem_csms.services.chargers import admission, inventory, sending
from onprem_csms.services.charging import presence
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)

TICK_S = 0.25
QUIRKS_EVERY = 8
SILENCE_EVERY = 20
PONG_WAIT_S = 30.0
HEARTBEATS_MISSED = 3


class Caretaker:
    """Two tasks for all chargers together, not one for each charger."""

    def __init__(self, registry: Registry, ctx: Context, throttle: Throttle) -> None:
        self._registry = registry
        self._ctx = ctx
        self._throttle = throttle

    async def look_after(self) -> None:
        """Look around four times a second, until cancelled."""
        tick = 0
        while True:
            await asyncio.sleep(TICK_S)
            tick += 1
            now = asyncio.get_running_loop().time()
            self._end_overdue(now)
            if tick % QUIRKS_EVERY == 0:
                await self._store_quirks()
            if tick % SILENCE_EVERY == 0:
                await self._look_for_silence(now)

    def _end_overdue(self, now: float) -> None:
        for connection in list(self._registry.calling):
            connection.end_overdue(now)
            if not connection.calling:
                self._registry.calling.discard(connection)

    async def _store_quirks(self) -> None:
        deviating, self._registry.deviating = self._registry.deviating, set()
        for connection in deviating:
            counts = connection.take_quirks()
            if counts:
                self._registry.spawn(self._count(connection.charger_id, counts))

    async def _count(self, charger_id: str, counts: list[QuirkCount]) -> None:
        await self._ctx.write(presence.count_quirks, charger_id, counts)

    async def _look_for_silence(self, now: float) -> None:
        """Ping who is silent for three heartbeats, let go who does not stir then, ping all if so configured."""
        patience = max(
            HEARTBEATS_MISSED * self._ctx.settings.heartbeat_interval_s,
            self._registry.options.shortest_idle_s,
        )
        every = self._registry.options.ping_interval_s
        for connection in filter(_is_ready, self._registry.all()):
            silent = now - connection.heard
            if connection.stuck(now):
                connection.end("not_reading", text="Nothing was read for too long.")
            elif silent > patience and connection.pinged > connection.heard:
                if now - connection.pinged > PONG_WAIT_S:
                    connection.end("silent", 1001, "Nothing was heard for too long.")
            elif silent > patience or (every and silent > every and now - connection.pinged > every):
                connection.pinged = now
                self._registry.spawn(connection.ping())

    async def hear_of_changes(self) -> None:
        """Act on what the operator changes of a charger that is connected."""
        news = self._ctx.bus.subscribe((inventory.SETTINGS_CHANGED, inventory.KEY_CHANGED))
        async for event in news:
            # Without a key the news came too fast to be told apart: it may concern everybody.
            self._throttle.forgive(event.key)
            concerned = [self._registry.get(event.key)] if event.key else self._registry.all()
            for connection in concerned:
                if connection is not None:
                    if event.topic != inventory.SETTINGS_CHANGED:
                        await self._check_key(connection)
                    await self._apply_change(connection)

    async def _check_key(self, connection: Connection) -> None:
        """End what came in with a key that is no longer one: whoever took it goes out with it."""
        try:
            holds = await self._ctx.read_for_charger(admission.holds, connection.charger_id, connection.key)
        except StoreError as error:
            say_fault(log, connection.charger_id, error)
            return
        if not holds:
            connection.end("new_key", 1008, "The charger has a new password.")

    async def _apply_change(self, connection: Connection) -> None:
        try:
            charger = await self._ctx.read_for_charger(inventory.get, connection.charger_id)
        except NotFound:
            connection.end("archived", 1000, "This charger was taken out of use.")
            return
        except StoreError as error:
            say_fault(log, connection.charger_id, error)
            return
        if connection.registration != charger.registration:
            # A charger that waits is asked to boot again, so that it learns of it at once (OCPP 1.6, 4.2).
            connection.registration = charger.registration
            if charger.registration == "accepted":
                self._registry.spawn(self._ask_to_boot(connection))

    async def _ask_to_boot(self, connection: Connection) -> None:
        try:
            await sending.perform(self._ctx, connection.charger_id, Trigger("boot"), origin="registration")
        except AppError as error:
            log.info("%s: %s", connection.charger_id, error)


def _is_ready(connection: Connection) -> bool:
    return connection.ready
