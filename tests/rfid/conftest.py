"""Readers on pseudo-terminals: real serial lines without a cable. Every test runs on both event loops."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop

from onprem_csms.clock import ManualClock
from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.events import Bus
from onprem_csms.rfid.serial_port import Pace
from onprem_csms.rfid.station import Readers
from onprem_csms.services.core.ports import DeskTap, ReaderState

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def pytest_asyncio_loop_factories(config, item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The product runs on uvloop, and on asyncio's own where there is none: they tell a hang-up differently."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class PluggableReader:
    """A reader whose device path appears when it is plugged in and vanishes when it is unplugged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master: int | None = None

    def plug(self) -> None:
        """Put the device where the path leads."""
        self.master, slave = os.openpty()
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        """Hang the line up, as the kernel does when the plug is drawn."""
        self.path.unlink(missing_ok=True)
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def send(self, data: bytes) -> None:
        """Send what a reader sends."""
        assert self.master is not None
        os.write(self.master, data)


class ManualSeconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Desk:
    """The running readers and what a page does with them: listen, then look."""

    def __init__(self, *configs: ReaderConfig, pace: Pace | None = None) -> None:
        self.bus = Bus()
        self.seconds = ManualSeconds()
        quick = pace or Pace(look_s=0.01, longest_wait_s=0.05, monotonic=self.seconds)
        self.readers = Readers(configs, self.bus, ManualClock(NOW), quick)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for the events after which something is true."""
        news = self.bus.subscribe({"desk"})
        try:
            while not true():
                await anext(news)
        finally:
            news.close()

    async def until_state(self, state: str, station: str = "desk") -> ReaderState:
        """Wait until a reader is in a state."""
        await self.until(lambda: self.state(station).state == state)
        return self.state(station)

    async def tap(self, number: int = 1, station: str = "desk") -> DeskTap:
        """Wait until the station counts this many taps."""
        await self.until(lambda: (tap := self.readers.last_tap(station)) and tap.number >= number)
        tap = self.readers.last_tap(station)
        assert tap is not None
        return tap

    def state(self, station: str = "desk") -> ReaderState:
        """Return how a reader is now."""
        return next(state for state in self.readers.states() if state.id == station)


@asynccontextmanager
async def open_desk(*configs: ReaderConfig, pace: Pace | None = None):
    """Start readers and close them again."""
    desk = Desk(*configs, pace=pace)
    await desk.readers.start()
    try:
        yield desk
    finally:
        await desk.readers.close()


@pytest.fixture
def plug(tmp_path):
    """A reader that is not plugged in yet."""
    reader = PluggableReader(tmp_path / "usb-reader")
    yield reader
    reader.unplug()


@pytest.fixture
async def desk(plug):
    """A running desk whose one reader is not plugged in yet."""
    async with open_desk(ReaderConfig("desk", str(plug.path), name="Front desk")) as running:
        yield running


@pytest.fixture
def opened():
    """Start other desks than the usual one."""
    return open_desk
