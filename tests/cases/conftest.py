"""Every case has a site of its own: the whole program, with the case's settings, tariff and cards."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession

from onprem_csms import app
from onprem_csms.config import Config
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.services.access import api_keys
from onprem_csms.services.charging import supervisor
from tests.api.conftest import Api
from tests.cases import player
from tests.cases.player import Marks, MovedClock, Played, Ticks

Play = Callable[..., contextlib.AbstractAsyncContextManager[Played]]


@contextlib.asynccontextmanager
async def site(folder: Path, settings: dict[str, Any], clock: MovedClock) -> AsyncIterator[Api]:
    """Run the program on a free port with a key of the admin's."""
    data = DataFolder(folder)
    keys.create(data)
    server = {"host": "127.0.0.1", "port": 0}
    config = msgspec.convert({"server": server, **settings}, Config)
    async with app.running(config, data, clock) as program, ClientSession() as client:
        secrets = {"admin": (await program.ctx.write(api_keys.create, "cases", "admin")).secret}
        yield Api(client, f"http://127.0.0.1:{program.port}/api/v1", secrets, program.ctx, program.port)


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    """The supervisor looks twenty times a second, and is counted."""
    counted = Ticks()
    tick = supervisor.Supervisor.tick

    async def and_count(self: supervisor.Supervisor) -> None:
        await tick(self)
        await counted.another()

    monkeypatch.setattr(supervisor, "TICK_S", 0.05)
    monkeypatch.setattr(supervisor.Supervisor, "tick", and_count)
    return counted


@pytest.fixture
def play(tmp_path: Path, ticks: Ticks) -> Play:
    """Play a case by its name; ``change`` may make a variation of it before it is played."""

    @contextlib.asynccontextmanager
    async def run(
        name: str,
        marks: Marks | None = None,
        change: Callable[[dict[str, Any]], None] | None = None,
        **settings: Any,
    ) -> AsyncIterator[Played]:
        case, clock = player.load(name), MovedClock()
        if change is not None:
            change(case)
        async with site(tmp_path / "data", {**case.get("settings", {}), **settings}, clock) as api:
            await player.furnish(api, case)
            played = Played(api, datetime.now(UTC), clock, ticks=ticks)
            try:
                await played.play(case["frames"], marks)
                yield played
            finally:
                await played.close()

    return run
