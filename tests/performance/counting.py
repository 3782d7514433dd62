"""Counting what a call costs the store, exactly: statements by SQLite's trace, pages by the frames of the log."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from bench import site as furnishing
from bench.speech import Speech
from bench.station import Station
from bench.wire import Identity
from onprem_csms.db.engine.tx import Tx
from tests.ocpp.conftest import QUICK, Site, open_site

# Not the call's own: the group's BEGIN and COMMIT, and the raw messages, which are stored together.
_BESIDE = re.compile(r"BEGIN|COMMIT|SAVEPOINT|RELEASE|SELECT last_insert_rowid|--")
_MESSAGES = re.compile(r"\b(frames|frame_blocks|packs|message_\w+)\b")


class Cost(NamedTuple):
    """What one group of calls cost: statements a call (raw messages not counted), and pages of its COMMIT."""

    statements: float
    pages: int
    told: Counter[str]


@dataclass
class Crowd:
    """Stations at a site that send one call each, at the same moment."""

    site: Site
    stations: list[Station]
    heard: list[str] = field(default_factory=list)

    async def send(self, words: Callable[[Station], bytes]) -> list[bytes]:
        """Let every station send a call; returns the answers."""
        return await asyncio.gather(*(station.call(words(station)) for station in self.stations))

    async def _gathered(self, waiting: Callable[[], int]) -> None:
        """Wait until the call of every station waits for the store; some calls need no write, and none come then."""
        before, unchanged = -1, 0
        while (now := waiting()) < len(self.stations) and unchanged < 300:
            before, unchanged = now, unchanged + 1 if now == before else 0
            await asyncio.sleep(0.01)

    async def together(self, words: Callable[[Station], bytes]) -> tuple[Cost, list[bytes]]:
        """Let every station send a call and have all of them written as one group."""
        await self.site.messages_stored()
        store = self.site.ctx.store
        writer = store._writer
        held, go, log = threading.Event(), threading.Event(), Path(f"{store.path}-wal")

        def hold(tx: Tx) -> None:
            tx._raw.set_trace_callback(self.heard.append)
            held.set()
            go.wait()
            self.heard.clear()

        holding = asyncio.create_task(store.write(hold))
        await self.site.until(held.is_set)
        answering = asyncio.create_task(self.send(words))
        await self._gathered(lambda: len(writer._pending))
        before = Log.read(log)
        go.set()
        await holding
        answers = await answering
        await store.write(lambda tx: tx._raw.set_trace_callback(None))
        statements = [text for text in self.heard if not _BESIDE.match(text)]
        mine = [text for text in statements if not _MESSAGES.search(text)]
        told = Counter(_shape(text) for text in mine)
        return Cost(len(mine) / len(self.stations), max(Log.read(log).since(before)), told), answers


class Log(NamedTuple):
    """What a write-ahead log says of itself: its round, and the pages of each COMMIT in it.

    Only the heads of its frames are read, which are not encrypted (SQLite, "WAL File Format"): a frame that ends a
    transaction names the size of the database, and salts other than the log's own are of an older round.
    """

    salts: bytes
    commits: tuple[int, ...]

    @classmethod
    def read(cls, file: Path) -> "Log":
        """Read a log."""
        data = file.read_bytes()
        page, salts = int.from_bytes(data[8:12], "big"), data[16:24]
        commits, pages = [], 0
        for at in range(32, len(data) - page - 23, page + 24):
            if data[at + 8 : at + 16] != salts:
                break
            pages += 1
            if data[at + 4 : at + 8] != bytes(4):
                commits.append(pages)
                pages = 0
        return cls(salts, tuple(commits))

    def since(self, before: "Log") -> tuple[int, ...]:
        """The COMMITs after an earlier look; a log that began anew has only such."""
        return self.commits[len(before.commits) :] if self.salts == before.salts else self.commits


def _shape(statement: str) -> str:
    """A statement without the values that the trace put in."""
    bare = re.sub(r"'(?:[^']|'')*'|\b\d+\b", "?", statement)
    return re.sub(r"\s+", " ", bare).strip()[:160]


@asynccontextmanager
async def crowd(folder: Path, count: int, speech: Callable[[Identity], Speech]) -> AsyncIterator[Crowd]:
    """A site with chargers, cards and money, and stations that came in and booted."""
    identities: Sequence[Identity] = await furnishing.furnish(folder, count, count)
    # Nothing is asked of the chargers meanwhile.
    async with open_site(folder / "data", replace(QUICK, settle_s=3600)) as site:
        await _truncate(site)
        stations = [Station(one, speech(one)) for one in identities]
        for station in stations:
            await station.open(site.port)
            station.must_accept(await station.call(station.speech.boot()))
        yield Crowd(site, stations)
        for station in stations:
            station.close()


async def _truncate(site: Site) -> None:
    await site.messages_stored()
    await site.ctx.store.checkpoint()


def texts(cost: Cost) -> str:
    """The statements of a group, for the message of a test that fails."""
    lines: list[Any] = [f"{times:5} {text}" for text, times in cost.told.most_common()]
    return "\n".join(lines)
