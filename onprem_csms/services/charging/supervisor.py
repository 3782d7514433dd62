"""What happens by itself: stops that are due, orders whose time is over, sessions that fell silent.

Everything it acts upon stands in the database, so a restart forgets nothing.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any

from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.charging import reservations as reservation_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.commands import Trigger
from onprem_csms.errors import AppError, Invalid, StoreError, say_fault
from onprem_csms.services.chargers import asking, sending
from onprem_csms.services.charging import doubts, orders, prepaid, reservations, stopping
from onprem_csms.services.charging.prepaid import Ask
from onprem_csms.services.charging.stopping import Try
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)
TICK_S = 1.0
CARDS_S = 10.0


class Supervisor:
    """One per process; ``run`` until cancelled."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._stops: dict[int, asyncio.Task[None]] = {}
        self._asks: set[asyncio.Task[None]] = set()
        self._shown: set[int] = set()
        self._cards_at = 0.0

    async def run(self) -> None:
        """Look after the sessions once a second, and at once when a stop is wanted or a card has changed."""
        news = self._ctx.bus.subscribe({"stop", "token"})
        try:
            while True:
                await self._tick_safely()
                try:
                    async with asyncio.timeout(TICK_S):
                        event = await anext(news)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return
                if event.topic != "stop":
                    self._cards_at = 0.0
        finally:
            news.close()
            for task in (*self._stops.values(), *self._asks):
                task.cancel()

    async def _tick_safely(self) -> None:
        try:
            await self.tick()
        except StoreError as error:
            say_fault(log, "supervisor", error)
        except Exception:
            log.exception("supervisor")

    async def tick(self) -> None:
        """Do what is due now."""
        try:
            # Money first: a bad page among orders or reservations keeps no stop from being wanted.
            if await self._ctx.read_for_charger(rows.exhausted):
                self._ask_readings(await self._ctx.write(look_at_money))
            if await self._ctx.read_for_charger(is_due):
                self._ask_readings(await self._ctx.write(settle_due))
            await self._look_at_cards()
        finally:
            # What can't be settled, for a bad page or a full disk, keeps no stop from being sent.
            await self._send_stops()

    async def settled(self) -> None:
        """Wait until what was sent has been answered."""
        while waiting := [*self._stops.values(), *self._asks]:
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _look_at_cards(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._cards_at:
            return
        self._cards_at = now + CARDS_S
        if await self._ctx.read_for_charger(rows.of_ended_cards):
            await self._ctx.write(stopping.look_at_cards)

    def _ask_readings(self, asks: list[Ask]) -> None:
        for ask in asks:
            if self._ctx.stations.online(ask.charger_id):
                task = asyncio.create_task(self._safely(ask.session_id, self._ask_reading(ask)))
                self._asks.add(task)
                task.add_done_callback(self._asks.discard)

    async def _ask_reading(self, ask: Ask) -> None:
        place = None if ask.place.whole_charger else ask.place
        await self._ctx.write(prepaid.asked, ask.session_id)
        origin = f"session:{ask.session_id}"
        await sending.shortly(self._ctx, ask.charger_id, Trigger("meter", place), origin=origin)

    async def _send_stops(self) -> None:
        await self._show_overdue()
        for one in await self._ctx.read_for_charger(stopping.due):
            if one.session_id not in self._stops and self._ctx.stations.online(one.charger_id):
                task = asyncio.create_task(self._safely(one.session_id, self._stop(one)))
                self._stops[one.session_id] = task
                task.add_done_callback(partial(self._done, one.session_id))

    def _done(self, session_id: int, _: "asyncio.Task[None]") -> None:
        self._stops.pop(session_id, None)

    async def _show_overdue(self) -> None:
        """Put who does not stop within a minute onto the review list, once."""
        overdue = {one.id for one in await self._ctx.read_for_charger(stopping.overdue)}
        fresh = overdue - self._shown
        self._shown = overdue
        if fresh:
            await self._ctx.write(stopping.show_overdue, sorted(fresh))

    async def _stop(self, one: Try) -> None:
        await self._ctx.write(stopping.tried, one.session_id)
        answer = ""
        try:
            origin = f"session:{one.session_id}"
            result = await sending.perform(self._ctx, one.charger_id, one.command, origin=origin)
            if result.status == "answered" and result.accepted is not False:
                return
            answer = asking.words(result) if result.status == "answered" else result.status
        except Invalid as error:
            # Its protocol can't say it; the next means is tried in its turn.
            answer = str(error)
        await self._ctx.write(stopping.refused, one, answer)

    async def _safely(self, session_id: int, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StoreError as error:
            say_fault(log, f"session {session_id}", error)
        except AppError as error:
            log.info("session %d: nothing could be sent: %s", session_id, error)
        except Exception:
            log.exception("session %d", session_id)


def is_due(tx: Tx) -> bool:
    """Tell whether ``settle_due`` has anything to do."""
    return bool(
        order_rows.expired(tx, tx.now_text)
        or rows.exhausted(tx)
        or doubts.due(tx)
        or reservation_rows.due(tx)
    )


def settle_due(tx: Tx) -> list[Ask]:
    """Release expired orders, end reservations, want the stops that are due, close what fell silent.

    Returns the sessions of which a reading is to be asked for.
    """
    orders.expire(tx)
    reservations.expire(tx)
    asks = look_at_money(tx)
    doubts.settle_due(tx)
    return asks


def look_at_money(tx: Tx) -> list[Ask]:
    """Want the stops that are due; returns the sessions of which a reading is to be asked for."""
    looked = [prepaid.look(tx, rows.get(tx, one.id) or one) for one in rows.exhausted(tx)]
    return [ask for ask in looked if ask is not None]
