"""The demo's site in the real program, on a port of its own."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onprem_csms import app
from onprem_csms.clock import Clock, SystemClock
from onprem_csms.config import Config
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.demo.site import furnish
from onprem_csms.events import Bus
from onprem_csms.ocpp.endpoint import server
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.rfid.station import Readers
from onprem_csms.services.core.context import Context

CONFIG = replace(Config(), server=replace(Config().server, host="127.0.0.1", port=0))


@contextlib.asynccontextmanager
async def opened(folder: Path, clock: Clock | None = None) -> AsyncIterator[Context]:
    """Open a new database without anything that listens."""
    data = DataFolder(folder)
    keys.create(data)
    bus, clock, settings = Bus(), clock or SystemClock(), CONFIG.settings()
    store = await Database.open(data.database, keys.unlock(data), clock=clock, bus=bus, settings=settings)
    try:
        yield Context(store, bus, clock, settings, server.stations(Options()), Readers((), bus, clock))
    finally:
        await store.close()


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[app.Program]:
    """The program, serving a demo of two days."""
    async with opened(tmp_path / "data") as ctx:
        await furnish(ctx, days=2)
    async with app.running(CONFIG, DataFolder(tmp_path / "data")) as running:
        yield running
