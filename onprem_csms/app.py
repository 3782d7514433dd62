"""The composition root: the only file that sees every package. Start, serve, stop."""

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from onprem_csms.clock import Clock, SteadyClock, apart
from onprem_csms.config import Config
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.db.engine.lock import locked
from onprem_csms.domain.listeners import ListenerConfig
from onprem_csms.errors import Conflict, StoreError, Stuck, say_fault
from onprem_csms.events import Bus
from onprem_csms.listening import HEADERS_WITHIN_S, Listening
from onprem_csms.ocpp.endpoint import server as chargers
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.rfid.station import Readers
from onprem_csms.services.access import operators
from onprem_csms.services.charging import orders
from onprem_csms.services.charging.supervisor import Supervisor
from onprem_csms.services.core.context import Context
from onprem_csms.services.money.heads import HeadKeeper
from onprem_csms.services.site import clock_keeping
from onprem_csms.services.site.clock_keeping import ClockKeeper
from onprem_csms.services.site.housekeeping import Housekeeper
from onprem_csms.web import base, connections, intake
from onprem_csms.web.admin import routes as admin_routes
from onprem_csms.web.api import routes as api_routes
from onprem_csms.web.driver import routes as driver_routes
from onprem_csms.web.guards import CONTEXT

log = logging.getLogger(__name__)
PREDECESSOR_S = 2.0
WATCHDOG_S = 10.0
COLLECT_EVERY = 50_000
FILES = 16_384
STORE: web.AppKey[Database] = web.AppKey("store", Database)


@dataclass(slots=True)
class Program:
    """The running product: what its parts share, and where it listens."""

    ctx: Context
    port: int
    listening: Listening
    supervisor: Supervisor


async def healthz(request: web.Request) -> web.Response:
    """200 once the database has written durably and read, 503 when it does not within seconds."""
    try:
        await request.app[STORE].prove()
    except StoreError as error:
        return web.json_response({"status": "error", "detail": str(error)}, status=503)
    jump = apart(request.app[CONTEXT].clock)
    told = {"clock": clock_keeping.sentence(jump)} if jump else {}
    return web.json_response({"status": "ok", **told})


def compose(ctx: Context, options: Options) -> web.Application:
    """Mount the charger endpoint, the API and the sites on one application."""
    app = web.Application()
    app[STORE] = ctx.store
    base.setup(app, ctx)
    chargers.setup(app, ctx, options)
    app.router.add_get("/healthz", healthz)
    api_routes.add(app, ctx)
    admin_routes.add(app, ctx)
    driver_routes.add(app, ctx)
    return app


@contextlib.asynccontextmanager
async def running(config: Config, folder: DataFolder, clock: Clock | None = None) -> AsyncIterator[Program]:
    """Open the store, put the parts together and listen; stops in the opposite order. StoreError, OSError."""
    async with contextlib.AsyncExitStack() as stack:
        bus, clock, settings = Bus(), clock or SteadyClock(), config.settings()
        key = keys.unlock(folder)
        await _be_alone(stack, folder)
        await Database.upgrade(folder.database, key)
        store = await Database.open(folder.database, key, clock=clock, bus=bus, settings=settings)
        stack.push_async_callback(store.close)
        options = Options(
            max_message_bytes=config.ocpp.max_message_bytes,
            call_timeout_s=config.ocpp.call_timeout,
            handshakes_at_once=config.ocpp.max_handshakes,
            set_readings=config.ocpp.set_readings,
        )
        readers = Readers(config.readers, bus, clock)
        ctx = Context(store, bus, clock, settings, chargers.stations(options), readers)
        stack.push_async_callback(orders.finish_background)
        await _begin_time(ctx)
        await _recover(ctx)
        own = ListenerConfig(config.server.port, config.server.host)
        listening = Listening((own, *config.listeners))
        app = compose(ctx, options)
        await listening.open(app, stack, connections.maker(app[intake.SHARES], HEADERS_WITHIN_S))
        stack.callback(bus.close)
        await readers.start()
        stack.push_async_callback(readers.close)
        supervisor = Supervisor(ctx)
        await _look_after(stack, ctx, supervisor)
        yield Program(ctx, listening.ports[0], listening, supervisor)


async def _begin_time(ctx: Context) -> None:
    """Go on after the last moment that the process before wrote down, also where the clock was set back since."""
    try:
        alive = await ctx.read(clock_keeping.last_alive)
    except StoreError as error:
        say_fault(log, "time of before", error)
        return
    if alive is not None and isinstance(ctx.clock, SteadyClock):
        ctx.clock.begin_after(alive)


async def _recover(ctx: Context) -> None:
    """Give back what the process before left; a page of it that can't be read must not keep the site from starting."""
    try:
        await ctx.write(orders.recover)
    except StoreError as error:
        say_fault(log, "orders of before", error)


async def _be_alone(stack: contextlib.AsyncExitStack, folder: DataFolder) -> None:
    """Keep a second program off the folder: each remembers what only it writes. Conflict; a kill frees the folder.

    The one before may still be on its way out, so the folder is asked for again for a moment.
    """
    give_up = asyncio.get_running_loop().time() + PREDECESSOR_S
    while True:
        try:
            stack.enter_context(locked(folder.folder))
        except Conflict:
            if asyncio.get_running_loop().time() > give_up:
                raise
            await asyncio.sleep(0.02)
        else:
            return


async def _look_after(stack: contextlib.AsyncExitStack, ctx: Context, supervisor: Supervisor) -> None:
    tasks = (
        asyncio.create_task(supervisor.run(), name="supervisor"),
        asyncio.create_task(Housekeeper(ctx).run(), name="housekeeper"),
        asyncio.create_task(HeadKeeper(ctx).run(), name="head keeper"),
        asyncio.create_task(ClockKeeper(ctx).run(), name="clock keeper"),
    )

    async def end() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    stack.push_async_callback(end)


async def serve(config: Config, folder: DataFolder) -> None:
    """Run until SIGTERM or SIGINT; says where it is, feeds systemd's watchdog while the database writes and reads.

    StoreError when the writer ends by itself: what can't be stored must not be answered.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    allow_files()
    async with running(config, folder) as program:
        loop.add_signal_handler(signal.SIGHUP, program.listening.reload)
        await announce(program, config)
        calm_collector()
        notify("READY=1")
        watchdog = asyncio.create_task(_feed_watchdog(program.ctx), name="watchdog")
        try:
            await _first(stop.wait(), program.ctx.store.ended())
        finally:
            notify("STOPPING=1")
            watchdog.cancel()


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of these; raises what it raises."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


def allow_files() -> None:
    """Let this process open as many sockets as the unit file allows a service, where the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(FILES, hard)), hard))


def calm_collector() -> None:
    """Let Python look for reference cycles seldom: messages make none, and looking cost an eighth of the CPU.

    What is loaded by now stays for good and is not looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 20)


def say_now(line: str) -> None:
    """Print a line that a log which reads our output sees at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def announce(program: Program, config: Config, say: Callable[[str], None] = say_now) -> None:
    """Say the admin's address (with a one-time link at the first start), the chargers' and the drivers'."""
    host = f"{lan_address()}:{program.port}"
    site = config.server.public_url.rstrip("/") or f"http://{host}"
    link = None
    try:
        link = await program.ctx.write(operators.setup_link)
    except StoreError as error:
        say_fault(log, "first set-up", error)
    say(f"Admin site:      {site}/admin/")
    if link is not None:
        say(f"First set-up:    {site}/setup/{link}   (works once)")
    say(f"Chargers:        ws{site.removeprefix('http')}/ocpp/   followed by the charger's id")
    say(f"Drivers:         {site}/")
    say(f"HTTP API:        {site}/api/v1/openapi.json")


def lan_address() -> str:
    """Return this machine's address in the LAN, 127.0.0.1 without one. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Choosing a route for a datagram that is never sent: the documentation network of RFC 5737.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
    return address


def notify(state: str) -> None:
    """Tell systemd, where it is listening (sd_notify)."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, contextlib.suppress(OSError):
        channel.sendto(state.encode(), address)


async def _feed_watchdog(ctx: Context) -> None:
    while True:
        await asyncio.sleep(WATCHDOG_S)
        try:
            await ctx.store.prove()
        except Stuck as error:
            log.error("the database does not answer: %s", error)  # noqa: TRY400 - the sentence says it all
            continue
        except StoreError as error:
            # A full disk or a bad page is none the better for a restart, and the chargers would lose their line.
            say_fault(log, "health", error)
        notify("WATCHDOG=1")
