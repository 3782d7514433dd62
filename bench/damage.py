"""``./dev bench --only damage``: the running product on a file with one bad page, and on a disk that fails for a while.

It prints a table: what went on working, what came back by itself, and what needs a person.
"""

# ruff: noqa: ASYNC110 - the other process tells nothing when it is back, and nothing else waits here

import asyncio
import contextlib
import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.kills import csms
from bench.servers import free_port
from bench.survivors import CHARGERS, Charger, Deeds, Site, forking, furnish
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.connection import open_raw
from onprem_csms.db.engine.keys import DataFolder

PAGE = 4096
LOOKS = ("start a site", "health", "a sale by a charger", "a top-up", "pages", "the list of sessions")
SALE_S = 4.0
PASSING = {"reads": "read errors", "writes": "write errors", "full": "a full disk"}


@dataclass(frozen=True)
class Numbers:
    """How much is damaged, and for how long the disk fails."""

    pages: int = 100
    read_error_s: float = 5.0
    full_s: float = 60.0
    roots: int = 1_000


QUICK = Numbers(pages=4, read_error_s=2.0, full_s=3.0, roots=4)


@dataclass
class Found:
    """What worked, with one page bad."""

    what: str
    works: dict[str, bool] = field(default_factory=dict)
    said: str = ""

    @property
    def failed(self) -> str:
        """What did not."""
        return ", ".join(name for name, works in self.works.items() if not works)

    @property
    def all(self) -> bool:
        """Whether all of it did."""
        return all(self.works.values())


class Faulty:
    """The product on a disk that fails when told."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.patience_s = SALE_S
        self.key = key
        self.log = folder.with_suffix(".log")
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, http: aiohttp.ClientSession, within_s: float = 30.0) -> bool:
        """Start it; returns whether it answers."""
        command = [
            "-m",
            "bench.faulty",
            "-",
            "serve",
            "--data-dir",
            str(self.folder),
            "--port",
            str(self.port),
        ]
        pipe = asyncio.subprocess.PIPE
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *command, stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=log
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.process.returncode is None:
                    if await self.status(http, "/healthz") is not None:
                        return True
                    await asyncio.sleep(0.05)
        return False

    async def fail(self, *what: str) -> None:
        """Let reads or writes fail, or the disk be full; nothing: it works again."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write((" ".join(what) + "\n").encode())
        await self.process.stdin.drain()

    async def stop(self) -> None:
        """End it."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        try:
            async with asyncio.timeout(15):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    async def status(self, http: aiohttp.ClientSession, path: str, body: object = None) -> int | None:
        """Return the status of an answer, None without one."""
        headers = {"Authorization": f"Bearer {self.key}"}
        method = "GET" if body is None else "POST"
        try:
            async with http.request(
                method,
                f"http://127.0.0.1:{self.port}{path}",
                json=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(self.patience_s),
            ) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None

    async def look(self, http: aiohttp.ClientSession, seed: int) -> dict[str, bool]:
        """Try what a site does in an hour."""
        top_up = {"wallet": 1, "amount": 1000, "idempotency_key": f"look-{seed}"}
        return {
            "health": await self.status(http, "/healthz") == 200,
            "a sale by a charger": await self.sale(http, seed),
            "a top-up": await self.status(http, "/api/v1/topups", top_up) in {200, 201},
            "pages": await self.status(http, "/admin/") == 200,
            "the list of sessions": await self.status(http, "/api/v1/sessions") == 200,
        }

    async def sale(self, http: aiohttp.ClientSession, seed: int) -> bool:
        """Let a charger sell once; returns whether it was answered to the end in time."""
        deeds = Deeds()
        # Its first session is enough: it is told that the site is over when that is sold.
        site = Site(self.folder, self.port, self.key, None, seed)  # type: ignore[arg-type]
        charger = asyncio.create_task(Charger(site, seed % CHARGERS, deeds).run(http))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience_s):
                while not deeds.rounds and not charger.done():
                    await asyncio.sleep(0.02)
        charger.cancel()
        await asyncio.gather(charger, return_exceptions=True)
        return bool(deeds.rounds)


async def run(folder: Path, numbers: Numbers) -> None:
    """Damage, look, print."""
    seed = random.randrange(10**6)
    print(f"seed {seed}", flush=True)
    good = folder / "good"
    key = await furnished(good)
    async with aiohttp.ClientSession() as http:
        for fail, seconds in (
            ("reads", numbers.read_error_s),
            ("writes", numbers.read_error_s),
            ("full", numbers.full_s),
        ):
            await passing(good, key, http, fail, seconds)
        roots, others = pages_of(good, seed)
        found = [
            await damaged(good, key, http, (what, page), seed + page)
            for what, page in (*roots[: numbers.roots], *others[: numbers.pages])
        ]
    tell(found)


async def furnished(good: Path) -> str:
    """Make a site with some history; returns an API key."""
    csms("init", "--data-dir", good)
    key = csms("api-key", "create", "--data-dir", good, "--name", "damage", "--role", "admin").strip()
    async with running(good, key) as (site, http):
        async with forking() as forks:
            await furnish(Site(good, site.port, key, forks, 0), http)
        for seed in range(6):
            assert await site.sale(http, seed)
    return key


@asynccontextmanager
async def running(folder: Path, key: str) -> AsyncIterator[tuple[Faulty, aiohttp.ClientSession]]:
    """Run the product."""
    site = Faulty(folder, key)
    async with aiohttp.ClientSession() as http:
        assert await site.start(http), site.log.read_text()
        try:
            yield site, http
        finally:
            await site.stop()


# ---------------------------------------------------------------------- a disk that fails for a while


async def passing(good: Path, key: str, http: aiohttp.ClientSession, fail: str, seconds: float) -> None:
    """Let the disk fail for a while under the running product, and print what was seen."""
    folder = good.with_name(f"passing-{fail}")
    shutil.copytree(good, folder)
    site = Faulty(folder, key)
    assert await site.start(http), site.log.read_text()
    await site.fail(fail)
    during: Counter[str] = Counter()
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        # A key of its own each time: one that is known is answered without writing.
        top_up = {"wallet": 1, "amount": 500, "idempotency_key": f"while-{during.total()}"}
        during[f"health {await site.status(http, '/healthz')}"] += 1
        during[f"top-up {await site.status(http, '/api/v1/topups', top_up)}"] += 1
        during[f"sessions {await site.status(http, '/api/v1/sessions')}"] += 1
        await asyncio.sleep(0.2)
    await site.fail()
    begin = asyncio.get_running_loop().time()
    while await site.status(http, "/healthz") != 200:
        await asyncio.sleep(0.05)
    back = asyncio.get_running_loop().time() - begin
    works = await site.look(http, 1)
    alive = site.process is not None and site.process.returncode is None
    await site.stop()
    lines, traces = site.log.read_text().count("\n"), site.log.read_text().count("Traceback")
    print(f"{PASSING[fail]} for {seconds:g} s: {dict(sorted(during.items()))}")
    print(
        f"    the same process goes on: {alive}; healthy {back:.2f} s after; works again: {works}; "
        f"{lines} lines in the log, {traces} tracebacks; {csms('verify', '--data-dir', folder).strip()}",
        flush=True,
    )
    shutil.rmtree(folder)


# ---------------------------------------------------------------------- one bad page


def pages_of(good: Path, seed: int) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return the roots of all tables and indexes, and other pages in a random order."""
    folder = DataFolder(good)
    raw = open_raw(folder.database, keys.unlock(folder), read_only=False)
    found = raw.execute("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0 ORDER BY rootpage")
    roots = [("page 1", 1), *((f"root of {row['name']}", row["rootpage"]) for row in found)]
    count = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.close()
    taken = {page for _, page in roots}
    others = [(f"page {page}", page) for page in range(1, count + 1) if page not in taken]
    random.Random(seed).shuffle(others)
    return roots, others


async def damaged(
    good: Path, key: str, http: aiohttp.ClientSession, which: tuple[str, int], seed: int
) -> Found:
    """Damage one page under the running product, look; then start it on the damaged file and look again."""
    what, page = which
    folder = good.with_name(f"page-{page}")
    shutil.copytree(good, folder)
    site = Faulty(folder, key)
    assert await site.start(http), site.log.read_text()
    spoil(folder / "csms.db", page)
    # Another connection reads it from the disk: what is in the caches of these hides it.
    found = Found(what, await site.look(http, seed))
    found.works["the process"] = site.process is not None and site.process.returncode is None
    await site.stop()
    found.works["start a site"] = await site.start(http, 10)
    if not found.works["start a site"]:
        found.said = site.log.read_text().strip().rsplit("\n", 1)[-1]
    if found.works["start a site"]:
        again = await site.look(http, seed + 1)
        found.works = {name: works and again.get(name, True) for name, works in found.works.items()}
    await site.stop()
    if "Traceback" in site.log.read_text():
        found.works["no traceback"] = False
    shutil.rmtree(folder)
    return found


def spoil(file: Path, page: int) -> None:
    """Flip a bit in the middle of a page."""
    with file.open("r+b") as opened:
        at = (page - 1) * PAGE + PAGE // 2
        opened.seek(at)
        byte = opened.read(1)
        opened.seek(at)
        opened.write(bytes([byte[0] ^ 1]))
        opened.flush()
        os.fsync(opened.fileno())


def tell(found: list[Found]) -> None:
    """Print the table."""
    print(f"{len(found)} single bad pages; with {sum(one.all for one in found)} of them all goes on")
    for one in found:
        if not one.all:
            print(f"    {one.what:45} fails: {one.failed} {one.said}")
    count: Callable[[str], int] = lambda name: sum(one.works.get(name, True) for one in found)  # noqa: E731
    for name in ("the process", *LOOKS, "no traceback"):
        print(f"    {name:25} went on with {count(name)} of {len(found)}")
