"""Where the time goes: our server under cProfile, in every one of its threads."""

import os
import pstats
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from bench import loops, measure, servers, site
from bench.loops import KINDS
from bench.runs import Crowd, Plan
from bench.speech import Speech
from bench.wire import Identity

PACKAGES = ("ocpp", "services", "db", "domain", "web", "rfid")
LONGEST_LIST = 45


async def run(folder: Path, what: str, plan: Plan, speech: Callable[[Identity], Speech]) -> None:
    """Run one load against the profiled server and print the profile of each thread."""
    os.sched_setaffinity(0, {servers.core(servers.LOAD_CORE)})
    stations = plan.storm_stations if what == "storm" else plan.stations
    identities = await site.furnish(folder, stations, min(stations, plan.stations))
    load = partial(_load, what=what, plan=plan, identities=identities, speech=speech)
    await _threads(folder, load)
    profile = folder / "profile"
    profile.mkdir()
    server = servers.start_ours(folder, profile)
    calls = await load(server)
    server.stop()
    for file in sorted(profile.iterdir()):
        _print(file, calls)


async def _threads(folder: Path, load: Callable[[servers.Server], Awaitable[int]]) -> None:
    """Say first, without the profiler, how much of the CPU each thread takes."""
    server = servers.start_ours(folder)
    before = measure.cpu_by_thread(server.pid)
    calls = await load(server)
    after = measure.cpu_by_thread(server.pid)
    server.stop()
    print(
        "CPU a call of each thread (the first is the loop's, the second the writer's), connections included:"
    )
    for thread, used in after.items():
        cost = (used - before.get(thread, 0.0)) / calls * 1e6
        if cost > 0.05:
            print(f"    {cost:6.1f} us")


async def _load(
    server: servers.Server,
    what: str,
    plan: Plan,
    identities: list[Identity],
    speech: Callable[[Identity], Speech],
) -> int:
    if what == "storm":
        arrival = await loops.arrive(identities, server.port, speech)
        for station in arrival.stations:
            station.close()
        return len(identities)
    kind = KINDS[what]
    crowd = await Crowd.gather(server, identities[: plan.stations], speech)
    calls = plan.calls - plan.calls % kind.period
    for _ in range(plan.rounds):
        await crowd.round(kind, calls)
    crowd.leave()
    return calls * plan.stations * plan.rounds


def _print(file: Path, calls: int) -> None:
    stats = pstats.Stats(str(file))
    functions = stats.stats.items()  # type: ignore[attr-defined]
    own = sorted(
        ((row[2], row[0], row[3], name) for name, row in functions), reverse=True, key=lambda row: row[0]
    )
    total = sum(row[0] for row in own)
    print(f"\n{file.stem}: {total / calls * 1e6:.1f} us a call under the profiler")
    packages: dict[str, float] = {}
    for seconds, _, _, (path, _, _) in own:
        packages[_package(path)] = packages.get(_package(path), 0.0) + seconds
    for package, seconds in sorted(packages.items(), key=lambda item: -item[1]):
        print(f"    {package:14} {seconds / calls * 1e6:6.1f} us")
    print("    own us/call   with callees   times/call   function")
    for seconds, times, cumulative, (path, line, name) in own[:LONGEST_LIST]:
        where = f"{'/'.join(Path(path).parts[-2:])}:{line}" if line else ""
        print(
            f"    {seconds / calls * 1e6:11.2f}   {cumulative / calls * 1e6:12.2f}   {times / calls:10.2f}"
            f"   {name} {where}"
        )


def _package(path: str) -> str:
    parts = Path(path).parts
    if "onprem_csms" in parts:
        after = parts[parts.index("onprem_csms") + 1]
        return after if after in PACKAGES else "ours, other"
    for library in ("aiohttp", "aiosqlite", "asyncio", "uvloop"):
        if library in parts:
            return library
    return "C and builtins" if path == "~" else "other Python"
