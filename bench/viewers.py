"""Many look while chargers come in: four searches over raw messages, a report, fifty open pages, all without end.

A charger's handshake must not wait for them, and health must stay green.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, CookieJar

from bench import servers, site
from bench.site import NAME, PASSWORD
from bench.station import Station
from bench.v16 import V16
from bench.wire import Identity
from onprem_csms.db.chargers.message_log import MESSAGES, Message
from onprem_csms.db.engine.database import Database

MESSAGES_THERE = 1_500_000
PAGES, SEARCHES, HANDSHAKES = 50, 4, 100
MARK_HANDSHAKE_S = 0.5
_AT_ONCE = 20_000


@dataclass
class Seen:
    """What happened meanwhile: seconds of each handshake, searches and reports that ended, answers of /healthz."""

    handshakes: list[float] = field(default_factory=list)
    searches_within: list[int] = field(default_factory=list)
    searches: int = 0
    reports: int = 0
    health: list[int] = field(default_factory=list)


async def run(folder: Path, messages: int = MESSAGES_THERE) -> None:
    """Make the messages, look at them and let chargers come in; print the slowest handshake."""
    os.sched_setaffinity(0, {servers.core(servers.LOAD_CORE)})
    identities = await site.furnish(folder, HANDSHAKES + PAGES, 1, operator=True)
    async with site.opened(folder) as store:
        await fill(store, identities, messages)
    served = servers.start_ours(folder)
    try:
        seen = await look(served.port, identities, HANDSHAKES)
    finally:
        served.stop()
    slowest, red = max(seen.handshakes), sum(status != 200 for status in seen.health)
    print(
        f"{messages} messages, {seen.searches} searches and {seen.reports} reports ended, {PAGES} pages open"
    )
    reached = slowest <= MARK_HANDSHAKE_S and not red
    print(
        f"slowest of {len(seen.handshakes)} handshakes {slowest:.3f} s, mark {MARK_HANDSHAKE_S} s;"
        f" health red {red} of {len(seen.health)} times: {'reached' if reached else 'MISSED'}"
    )


async def fill(store: Database, identities: list[Identity], messages: int) -> None:
    """Put raw messages into the store, those of the last week, as chargers in turn say them."""
    began, step = datetime.now(UTC) - timedelta(days=7), timedelta(days=7) / messages
    for number in range(messages):
        at = began + number * step
        text = (
            f'[2,"{number}","MeterValues",{{"connectorId":1,"transactionId":{number % 997},"meterValue":[]}}]'
        )
        store.append(MESSAGES, Message(identities[number % 40].id, at, "in", text.encode()))
        if number % _AT_ONCE == 0:
            await store.write(lambda _: None)
    await store.write(lambda _: None)


async def look(port: int, identities: list[Identity], handshakes: int) -> Seen:
    """Search, report and keep pages open without end; let chargers come in one after the other meanwhile."""
    seen = Seen()
    async with _signed_in(port) as http, contextlib.AsyncExitStack() as stack:
        for _ in range(PAGES):
            await stack.enter_async_context(http.get("/admin/events?topics=session,charger"))
        endless = [
            *(_again(_search(http, identities[number].id, seen)) for number in range(SEARCHES)),
            _again(_report(http, seen)),
            _again(_health(http, seen)),
        ]
        looking = [asyncio.create_task(one) for one in endless]
        while seen.searches < 1 and not any(task.done() for task in looking):  # noqa: ASYNC110 - of several events
            await asyncio.sleep(0.01)
        for identity in identities[-handshakes:]:
            await _come_in(port, identity, seen)
        for task in looking:
            task.cancel()
        for outcome in await asyncio.gather(*looking, return_exceptions=True):
            assert isinstance(outcome, asyncio.CancelledError), f"a viewer gave up: {outcome!r}"
    return seen


@asynccontextmanager
async def _signed_in(port: int) -> AsyncIterator[ClientSession]:
    base = f"http://127.0.0.1:{port}"
    jar, patient = CookieJar(unsafe=True), ClientTimeout(total=None)
    async with ClientSession(base, cookie_jar=jar, headers={"Origin": base}, timeout=patient) as http:
        form = {"name": NAME, "password": PASSWORD}
        async with http.post("/admin/sign-in", data=form, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
        yield http


async def _again(once: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        await once()


def _search(http: ClientSession, charger_id: str, seen: Seen) -> Callable[[], Coroutine[Any, Any, None]]:
    async def once() -> None:
        # Nothing holds it, so every message of the charger has to be looked at.
        async with http.get(f"/admin/chargers/{charger_id}/messages?text=nobody-says-this") as answer:
            await answer.read()
        seen.searches += 1

    return once


def _report(http: ClientSession, seen: Seen) -> Callable[[], Coroutine[Any, Any, None]]:
    async def once() -> None:
        async with http.get("/admin/") as answer:
            assert answer.status == 200, answer.status
            await answer.read()
        seen.reports += 1

    return once


def _health(http: ClientSession, seen: Seen) -> Callable[[], Coroutine[Any, Any, None]]:
    async def once() -> None:
        async with http.get("/healthz") as answer:
            seen.health.append(answer.status)
        await asyncio.sleep(0.1)

    return once


async def _come_in(port: int, identity: Identity, seen: Seen) -> None:
    station, began, before = Station(identity, V16(identity)), time.perf_counter(), seen.searches
    await station.open(port)
    seen.handshakes.append(time.perf_counter() - began)
    seen.searches_within.append(seen.searches - before)
    await station.call(station.speech.boot())
    station.close()
