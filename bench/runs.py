"""The measurements: what a call costs, a storm of connections, memory, latency."""

import asyncio
import gc
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import loops, measure, servers
from bench.loops import Countdown, Loop, Readings
from bench.servers import Server
from bench.speech import Speech
from bench.station import Station
from bench.v16 import V16
from bench.wire import Identity

SETTLE_S = 1.5
"""After the last answer, so that what a server puts off (checkpoints, old rows) counts too."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure."""

    rounds: int = 7
    stations: int = 200
    calls: int = 450
    storm_stations: int = 5_000
    latency_stations: int = 2_000
    latency_rate: int = 5_000
    latency_s: float = 20.0


QUICK = Plan(rounds=3, calls=90, storm_stations=1_000, latency_s=5.0)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a closed loop: seconds of CPU of the server and of the generator, and of wall clock, per call."""

    server_s: float
    load_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost in alternate rounds; the ratio compares the two rounds of each pair."""

    bound: Sequence[Round]
    ours: Sequence[Round]

    @property
    def ratio(self) -> float:
        """Calls per CPU second of ours against the bound's: the median of the pairs."""
        pairs = zip(self.bound, self.ours, strict=True)
        return statistics.median(bound.server_s / ours.server_s for bound, ours in pairs)


def middle(rounds: Sequence[Round]) -> Round:
    """The median of every figure."""
    return Round(
        statistics.median(one.server_s for one in rounds),
        statistics.median(one.load_s for one in rounds),
        statistics.median(one.wall_s for one in rounds),
    )


class Crowd:
    """Stations connected to one server."""

    def __init__(self, server: Server, stations: list[Station]) -> None:
        self.server = server
        self._stations = stations

    @classmethod
    async def gather(
        cls, server: Server, identities: Sequence[Identity], speech: Callable[[Identity], Speech]
    ) -> "Crowd":
        """Connect and boot."""
        arrival = await loops.arrive(identities, server.port, speech)
        return cls(server, arrival.stations)

    async def round(self, kind: type[Loop], calls: int) -> Round:
        """Run one closed loop on every station."""
        done = Countdown(len(self._stations))
        running = [kind(station, done) for station in self._stations]
        for loop in running:
            await loop.prepare()
        await asyncio.sleep(SETTLE_S)
        server, load = measure.cpu_s(self.server.pid), _own_cpu()
        wall = await loops.closed_loop(running, done, calls)
        load = _own_cpu() - load
        await asyncio.sleep(SETTLE_S)
        server = measure.cpu_s(self.server.pid) - server
        for loop in running:
            await loop.finish()
        refused = [answer for station in self._stations for answer in station.refused]
        assert not refused, f"{len(refused)} calls were refused: {refused[0].decode()}"
        total = calls * len(running)
        return Round(server / total, load / total, wall / total)

    def leave(self) -> None:
        """Drop every connection."""
        for station in self._stations:
            station.close()


async def cost(bound: Crowd, ours: Crowd, kind: type[Loop], plan: Plan) -> Cost:
    """Measure both servers in alternate rounds; one round before is thrown away."""
    calls = plan.calls - plan.calls % kind.period
    rounds: tuple[list[Round], list[Round]] = ([], [])
    for number in range(plan.rounds + 1):
        for crowd, kept in zip((bound, ours), rounds, strict=True):
            one = await crowd.round(kind, calls)
            if number:
                kept.append(one)
    return Cost(*rounds)


@dataclass(frozen=True, slots=True)
class Storm:
    """How the stations of a site came back: seconds, refusals on the way, bytes of memory per idle station."""

    seconds: float
    refusals: int
    bytes_per_station: float
    cpu_s: float


async def storm(folder: Path, identities: Sequence[Identity]) -> Storm:
    """Let every station connect, authenticate and boot at once against a server that was just started."""
    server = servers.start_ours(folder)
    try:
        # The first station warms up what every process needs once.
        first = await loops.arrive(identities[:1], server.port, V16)
        await asyncio.sleep(SETTLE_S)
        before, cpu = measure.rss_bytes(server.pid), measure.cpu_s(server.pid)
        gc.disable()
        arrival = await loops.arrive(identities[1:], server.port, V16)
        gc.enable()
        await asyncio.sleep(2 * SETTLE_S)
        cpu = measure.cpu_s(server.pid) - cpu
        grown = measure.rss_bytes(server.pid) - before
        assert not any(station.closed for station in arrival.stations), "idle stations were thrown out"
        for station in first.stations + arrival.stations:
            station.close()
        return Storm(arrival.seconds, arrival.refusals, grown / len(arrival.stations), cpu)
    finally:
        server.stop()


@dataclass(frozen=True, slots=True)
class Latency:
    """Sorted latencies in seconds, and the part of a core that the server used meanwhile."""

    sorted_s: Sequence[float]
    server_load: float


async def latency(folder: Path, identities: Sequence[Identity], plan: Plan) -> Latency:
    """Send readings by the clock, spread evenly over many stations."""
    server = servers.start_ours(folder)
    try:
        stations = (await loops.arrive(identities[: plan.latency_stations], server.port, V16)).stations
        running = [Readings(station, Countdown(1)) for station in stations]
        for loop in running:
            await loop.prepare()
        await asyncio.sleep(SETTLE_S)
        await loops.open_loop(running, plan.latency_rate, 1.0)
        cpu = measure.cpu_s(server.pid)
        found = await loops.open_loop(running, plan.latency_rate, plan.latency_s)
        cpu = measure.cpu_s(server.pid) - cpu
        return Latency(found, cpu / plan.latency_s)
    finally:
        server.stop()


def _own_cpu() -> float:
    times = os.times()
    return times.user + times.system
