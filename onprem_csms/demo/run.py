"""``onprem-csms demo``: a furnished site, its simulated chargers, and the addresses to look at it."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator

from onprem_csms import app
from onprem_csms.clock import SteadyClock
from onprem_csms.config import Config
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.demo.scenery import (
    AWAY,
    GUEST_CARD,
    GUEST_CHARGER,
    GUEST_PIN,
    HOLDERS,
    NEWCOMER,
    OPERATOR,
    OPERATOR_PASSWORD,
    PLACES,
    STRANGE_CARDS,
)
from onprem_csms.demo.simulator import Cast, simulate
from onprem_csms.demo.site import furnish
from onprem_csms.demo.till import keep_the_till
from onprem_csms.errors import Conflict
from onprem_csms.events import Bus
from onprem_csms.ocpp.endpoint import server as charger_endpoint
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.rfid.station import Readers
from onprem_csms.services.chargers import inventory
from onprem_csms.services.core.context import Context

MARK = "this-is-a-demo"


async def run_demo(config: Config, folder: DataFolder) -> None:
    """Furnish the folder where it is new, then play until SIGTERM or SIGINT.

    Conflict when the folder holds a real site: a demo never touches one.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await prepare(config, folder)
    async with app.running(config, folder) as program:
        await app.announce(program, config)
        await _say_how_to_try(program, config)
        async with _playing(f"ws://127.0.0.1:{program.port}/ocpp", program.ctx):
            await stop.wait()


async def prepare(config: Config, folder: DataFolder) -> None:
    """Make the demo's site in a new folder; one that was left half furnished is made anew."""
    mark = folder.folder / MARK
    if folder.database.exists() and not mark.exists():
        raise Conflict(
            "The folder {folder} holds a real site. Give the demo another one.", folder=folder.folder
        )
    if mark.exists() and mark.read_text(encoding="ascii") == "furnished":
        return
    if mark.exists():
        shutil.rmtree(folder.folder)
    app.say_now("Furnishing the demo: people, cards and a month of history …")
    folder.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark.write_text("begun", encoding="ascii")
    keys.create(folder)
    await _furnish(config, folder)
    mark.write_text("furnished", encoding="ascii")


async def _furnish(config: Config, folder: DataFolder) -> None:
    """Write the history before anything else looks after the sessions in it."""
    bus, clock, settings = Bus(), SteadyClock(), config.settings()
    store = await Database.open(folder.database, keys.unlock(folder), clock=clock, bus=bus, settings=settings)
    try:
        nobody = charger_endpoint.stations(Options())
        await furnish(Context(store, bus, clock, settings, nobody, Readers((), bus, clock)))
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def _playing(base_url: str, ctx: Context) -> AsyncIterator[None]:
    makes = [place.make for place in PLACES if place.make.id != AWAY] + [NEWCOMER]
    cards = [uid for holder in HOLDERS for uid, _, _ in holder.cards if uid != GUEST_CARD]
    plays = [
        asyncio.create_task(simulate(base_url, Cast(makes, cards, STRANGE_CARDS)), name="simulation"),
        asyncio.create_task(keep_the_till(ctx, cards), name="desk"),
    ]
    try:
        yield
    finally:
        for play in plays:
            play.cancel()
        await asyncio.gather(*plays, return_exceptions=True)


async def _say_how_to_try(program: app.Program, config: Config) -> None:
    site = config.server.public_url.rstrip("/") or f"http://{app.lan_address()}:{program.port}"
    guest = await program.ctx.read(inventory.get, GUEST_CHARGER)
    slug = next((connector.slug for connector in guest.connectors if connector.number == 1), "")
    app.say_now("")
    app.say_now(f"Sign in as:      {OPERATOR} / {OPERATOR_PASSWORD}")
    app.say_now(f"Charge by phone: {site}/c/{slug}   card {GUEST_CARD}, PIN {GUEST_PIN}")
    app.say_now(f"Waiting to be accepted: charger {NEWCOMER.id}, under Chargers")
