"""What happens by itself: stops that are due, orders whose time is over, sessions that fell silent.

Everything it acts upon stands in the database, so a restart forgets nothing.
"""

import asyncio
import logging

from onprem_csms.clock import to_millis
from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.charging import reservations as reservation_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.commands import RemoteStop, Trigger
from onprem_csms.errors import AppError, StoreError, say_fault
from onprem_csms.services.chargers import sending
from onprem_csms.services.charging import doubts, orders, prepaid, reservations
from onprem_csms.services.charging.prepaid import Ask
from onprem_csms.services.core.context import Context

log = logging.getLogger(__name__)
TICK_S = 1.0
ASK_AGAIN_S = 30
ASK_SELDOM_S = 300
PATIENCE_TRIES = 10


class Supervisor:
    """One per process; ``run`` until cancelled."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._stops: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look after the sessions once a second, and at once when a stop is wanted."""
        news = self._ctx.bus.subscribe({"stop"})
        try:
            while True:
                await self._tick_safely()
                try:
                    await asyncio.wait_for(anext(news), TICK_S)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return
        finally:
            news.close()
            for task in self._stops.values():
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
        finally:
            # What can't be settled, for a bad page or a full disk, keeps no stop from being sent.
            await self._send_stops()

    def _ask_readings(self, asks: list[Ask]) -> None:
        for ask in asks:
            if self._ctx.stations.online(ask.charger_id):
                self._ctx.stations.spawn(self._ask_reading(ask))

    async def _ask_reading(self, ask: Ask) -> None:
        place = None if ask.place.whole_charger else ask.place
        try:
            await self._ctx.write(prepaid.asked, ask.session_id)
            origin = f"session:{ask.session_id}"
            await sending.shortly(self._ctx, ask.charger_id, Trigger("meter", place), origin=origin)
        except StoreError as error:
            say_fault(log, f"session {ask.session_id}: reading", error)
        except AppError as error:
            log.info("session %d: no reading could be asked for: %s", ask.session_id, error)

    async def _send_stops(self) -> None:
        for session_id, charger_id, transaction_id in await self._ctx.read_for_charger(_to_stop):
            if session_id not in self._stops and self._ctx.stations.online(charger_id):
                self._ask(session_id, charger_id, transaction_id)

    def _ask(self, session_id: int, charger_id: str, transaction_id: str) -> None:
        task = asyncio.create_task(self._stop(session_id, charger_id, transaction_id))
        self._stops[session_id] = task
        task.add_done_callback(lambda _: self._stops.pop(session_id, None))

    async def _stop(self, session_id: int, charger_id: str, transaction_id: str) -> None:
        try:
            await self._ctx.write(_tried, session_id)
            command = RemoteStop(transaction_id)
            await sending.perform(self._ctx, charger_id, command, origin=f"session:{session_id}")
        except StoreError as error:
            say_fault(log, f"session {session_id}: stop", error)
        except AppError as error:
            log.info("session %d: the stop could not be sent: %s", session_id, error)
        except Exception:
            log.exception("session %d: stop", session_id)


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


def _to_stop(tx: Tx) -> list[tuple[int, str, str]]:
    now = to_millis(tx.now)
    seldom = now - ASK_SELDOM_S * 1000
    return [
        (session.id, session.charger_id, rows.number(tx, session))
        for session in rows.to_stop(tx, now - ASK_AGAIN_S * 1000)
        if session.stop_tries < PATIENCE_TRIES or (session.stop_tried_at or 0) < seldom
    ]


def _tried(tx: Tx, session_id: int) -> None:
    session = rows.get(tx, session_id)
    if session is not None:
        rows.update(tx, session, stop_tried_at=to_millis(tx.now), stop_tries=session.stop_tries + 1)
