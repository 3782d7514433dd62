"""``./dev bench --only kills``: kills and power cuts at work and in the first start.

Everything that was answered must be there, once; ``verify`` proves the books in the end. A power cut is played from
what the process wrote (see ``bench.cuts``); the folder it leaves is the one that the next start finds.
"""

# ruff: noqa: ASYNC110, ASYNC240 - the other process tells nothing when it is back, and nothing else waits here

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.cuts import Medium, records
from bench.servers import free_port
from bench.survivors import CHARGERS, Charger, Deeds, Site, check, forking, furnish, gone, top_ups
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.connection import open_raw
from onprem_csms.db.engine.keys import DataFolder


@dataclass(frozen=True)
class Numbers:
    """How often the program ends, and how."""

    kills: int = 600
    cuts: int = 200
    first_kills: int = 60
    first_cuts: int = 200


QUICK = Numbers(12, 12, 6, 40)


def csms(*arguments: str | Path) -> str:
    """Run a command of the product to its end and return what it printed."""
    command = [sys.executable, "-m", "onprem_csms", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def run(folder: Path, numbers: Numbers) -> None:
    """End the program as often as that, and print what came of it."""
    seed = random.randrange(10**6)
    print(f"seed {seed}", flush=True)
    first_cuts(folder, numbers.first_cuts, seed)
    print(f"{numbers.first_cuts} power cuts during init: each repeated or whole", flush=True)
    await first_kills(folder, numbers.first_kills, seed)
    print(f"{numbers.first_kills} kills during the first start: each repeated or whole", flush=True)
    for name, kills, cuts in (("kills", numbers.kills, 0), ("power cuts", 0, numbers.cuts)):
        if kills or cuts:
            deeds, said = await survive(folder / name.replace(" ", "-"), kills, cuts, seed)
            print(
                f"{kills or cuts} {name}: {deeds.rounds} sessions and {deeds.paid} paid in were answered, "
                f"all there once; verify: {said.strip().splitlines()[-1]}",
                flush=True,
            )


# ---------------------------------------------------------------------- during the first start


def first_cuts(folder: Path, cuts: int, seed: int) -> None:
    """Cut the power at random moments of ``init``; each time it can be repeated, or the folder is whole."""
    trace, made = folder / "init.trace", folder / "init"
    subprocess.run(
        [sys.executable, "-m", "bench.faulty", str(trace), "init", "--data-dir", str(made)],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    written, chance = list(records(trace)), random.Random(seed)
    for number in range(cuts):
        medium, left = Medium(), folder / f"init-{number}"
        # The interesting end is short: half of the cuts fall into the last records.
        late = chance.random() < 0.5
        medium.take(written[: len(written) - chance.randint(0, 30 if late else len(written))])
        medium.cut(chance, left)
        whole(DataFolder(left))
        shutil.rmtree(left)


def whole(folder: DataFolder) -> None:
    """Repeat ``init`` where it may be, then open; whatever was left must allow the one or the other."""
    if keys.is_new(folder):
        keys.create(folder)
    raw = open_raw(folder.database, keys.unlock(folder), read_only=False)
    assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    raw.close()


async def first_kills(folder: Path, kills: int, seed: int) -> None:
    """Kill first starts at random moments, and the start after it too, until one is let live."""
    chance = random.Random(seed)
    async with forking() as forks, aiohttp.ClientSession() as http:
        for number in range(0, kills, 3):
            site = Site(folder / f"first-{number}", free_port(), "", forks, seed)
            for _ in range(3):
                process = await site.start()
                await asyncio.sleep(chance.uniform(0, 0.4))
                os.kill(process, signal.SIGKILL)
                await gone(process)
            process = await site.start()
            await site.ready(http)
            os.kill(process, signal.SIGTERM)
            await gone(process)
            shutil.rmtree(site.folder)


# ---------------------------------------------------------------------- while it works


async def survive(folder: Path, kills: int, cuts: int, seed: int) -> tuple[Deeds, str]:
    """End the program again and again while it works; returns what was answered, and what ``verify`` says."""
    data = folder / "0"
    folder.mkdir()
    csms("init", "--data-dir", data)
    key = csms("api-key", "create", "--data-dir", data, "--name", "kills", "--role", "admin").strip()
    deeds = Deeds()
    async with forking() as forks, aiohttp.ClientSession() as http:
        site = Site(data, free_port(), key, forks, seed)
        process = await site.start()
        await site.ready(http)
        wallets = await furnish(site, http)
        os.kill(process, signal.SIGTERM)
        await gone(process)
        async with asyncio.TaskGroup() as clients:
            for number in range(CHARGERS):
                clients.create_task(Charger(site, number, deeds).run(http))
            clients.create_task(top_ups(site, wallets[0], deeds, http))
            await (_kill(site, http, deeds, kills) if kills else _cut(site, http, deeds, cuts))
            process = await site.start()
            await site.ready(http)
            site.over = True
        await check(site, http, deeds, wallets)
        os.kill(process, signal.SIGTERM)
        await gone(process)
    return deeds, csms("verify", "--data-dir", site.folder)


async def _work(site: Site, http: aiohttp.ClientSession, deeds: Deeds, chance: random.Random) -> None:
    """Let the program work until a random moment, mostly in the middle of it."""
    await site.ready(http)
    before, until_one_charged = deeds.rounds, chance.random() < 0.75
    await asyncio.sleep(chance.uniform(0, 0.15))
    while until_one_charged and deeds.rounds == before:
        await asyncio.sleep(0.005)


async def _kill(site: Site, http: aiohttp.ClientSession, deeds: Deeds, kills: int) -> None:
    chance = random.Random(site.seed)
    for _ in range(kills):
        process = await site.start()
        await _work(site, http, deeds, chance)
        os.kill(process, signal.SIGKILL)
        await gone(process)


async def _cut(site: Site, http: aiohttp.ClientSession, deeds: Deeds, cuts: int) -> None:
    chance = random.Random(site.seed)
    for number in range(cuts):
        trace = site.folder.parent / "trace"
        medium = Medium(site.folder)
        process = await site.start(trace)
        if chance.random() < 0.8:
            await _work(site, http, deeds, chance)
        else:
            # In the middle of a start, which looks for what the one before has left.
            await asyncio.sleep(chance.uniform(0, 0.3))
        os.kill(process, signal.SIGKILL)
        await gone(process)
        before, site.folder = site.folder, site.folder.with_name(str(number + 1))
        if trace.exists():
            medium.take(records(trace))
            trace.unlink()
        medium.cut(chance, site.folder)
        shutil.rmtree(before)
