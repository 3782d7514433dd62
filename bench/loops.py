"""The loads: closed loops for the cost of a call, a storm of connections, an open loop for the latency."""

import asyncio
import gc
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import messages
from bench.messages import CLOCK, Identity, Meter
from bench.station import Refused, Station, transaction_of

METER_READINGS = 3
"""MeterValues in each whole session."""
CALLS_PER_SESSION = 6 + METER_READINGS
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a crowd of stations came in: seconds until the last boot was answered, and refusals on the way."""

    stations: list[Station]
    seconds: float
    refusals: int


async def arrive(identities: Sequence[Identity], port: int, *, at_once: int = 10_000) -> Arrival:
    """Let stations connect, authenticate and boot; a station that is refused comes again in 0.2 s."""
    gate = asyncio.Semaphore(at_once)
    refusals = 0

    async def one(number: int, identity: Identity) -> Station:
        nonlocal refusals
        async with gate:
            for _ in range(ATTEMPTS):
                station = Station(identity)
                try:
                    await station.open(port, f"127.1.{number // 250}.{number % 250 + 1}")
                    answer = await station.call(messages.boot(identity))
                except (Refused, OSError):
                    refusals += 1
                    await asyncio.sleep(0.2)
                    continue
                assert b'"Accepted"' in answer, answer
                return station
        message = f"{identity.id} was not admitted"
        raise SystemExit(message)

    began = time.perf_counter()
    stations = await asyncio.gather(*(one(number, identity) for number, identity in enumerate(identities)))
    return Arrival(list(stations), time.perf_counter() - began, refusals)


# ---------------------------------------------------------------------- closed loops


class Loop:
    """A station that sends its next call when the last one was answered, ``calls`` times.

    It may stop after every ``period`` calls.
    """

    period = 1

    def __init__(self, station: Station, done: "Countdown") -> None:
        self.station = station
        self.meter = Meter()
        self._done = done
        self._left = 0
        self._number = 0

    def go(self, calls: int) -> None:
        """Begin."""
        self._left = calls
        self.station.on_answer = self.answered
        self.station.send(self.next_frame(self._number, b""))

    def answered(self, answer: bytes) -> None:
        """Send the next call, or report that all were answered."""
        self._left -= 1
        self._number += 1
        if self._left:
            self.station.send(self.next_frame(self._number, answer))
        else:
            self._done.one()

    async def prepare(self) -> None:
        """Do what comes before, and is not measured."""
        raise NotImplementedError

    async def finish(self) -> None:
        """Do what comes after, and is not measured."""

    def next_frame(self, number: int, answer: bytes) -> bytes:
        """Return the next call."""
        raise NotImplementedError


class MeterLoop(Loop):
    """MeterValues of one running transaction without end."""

    async def prepare(self) -> None:
        """Begin the transaction."""
        frame = messages.start(0, self.station.identity, self.meter.read())
        self._transaction = transaction_of(await self.station.call(frame))
        self._template = messages.meter_template(self._transaction)

    async def finish(self) -> None:
        """End the transaction."""
        identity, register = self.station.identity, self.meter.read()
        await self.station.call(messages.stop(0, identity, self._transaction, register))

    def next_frame(self, number: int, answer: bytes) -> bytes:
        """Return the next MeterValues."""
        return self._template % (number, CLOCK.text(), self.meter.read())


class SessionLoop(Loop):
    """Whole sessions, one after the other."""

    period = CALLS_PER_SESSION

    async def prepare(self) -> None:
        """Nothing is needed."""
        self._steps = self._script()
        self._answer = b""

    def next_frame(self, number: int, answer: bytes) -> bytes:
        """Return the next call of the day."""
        self._answer = answer
        self._at = number
        return next(self._steps)

    def _script(self) -> Iterator[bytes]:
        identity = self.station.identity
        while True:
            yield messages.status(self._at, b"Preparing")
            yield messages.authorize(self._at, identity)
            yield messages.start(self._at, identity, self.meter.register)
            assert b'"Accepted"' in self._answer, self._answer
            transaction = transaction_of(self._answer)
            yield messages.status(self._at, b"Charging")
            template = messages.meter_template(transaction)
            for _ in range(METER_READINGS):
                yield template % (self._at, CLOCK.text(), self.meter.read())
            yield messages.stop(self._at, identity, transaction, self.meter.read())
            yield messages.status(self._at, b"Available")


class Countdown:
    """Waits until so many have reported."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._reached = asyncio.get_running_loop().create_future()

    def one(self) -> None:
        """Report."""
        self._left -= 1
        if not self._left:
            self._reached.set_result(None)

    async def wait(self, stations: Sequence[Station]) -> None:
        """Wait; gives up where a station was thrown out, because that would never end."""
        while not self._reached.done():
            await asyncio.wait([self._reached], timeout=1)
            if any(station.closed for station in stations):
                message = "the server closed a connection during the load"
                raise SystemExit(message)


async def closed_loop(loops: Sequence[Loop], done: Countdown, calls: int) -> float:
    """Run every loop for ``calls`` calls; returns the seconds it took."""
    gc.disable()
    began = time.perf_counter()
    for loop in loops:
        loop.go(calls)
    await done.wait([loop.station for loop in loops])
    gc.enable()
    return time.perf_counter() - began


# ---------------------------------------------------------------------- the open loop


class Pace:
    """A station that sends by the clock, whether it was answered or not; latency counts from when it was due."""

    def __init__(self, loop: MeterLoop, latencies: list[float]) -> None:
        self._loop = loop
        self._due: deque[float] = deque()
        self._latencies = latencies
        self._number = 0
        loop.station.on_answer = self._answered

    def send(self, due: float) -> None:
        """Send the next call, which was due at ``due``."""
        self._number += 1
        self._due.append(due)
        self._loop.station.send(self._loop.next_frame(self._number, b""))

    def _answered(self, answer: bytes) -> None:
        self._latencies.append(time.perf_counter() - self._due.popleft())


async def open_loop(loops: Sequence[MeterLoop], per_second: int, seconds: float) -> list[float]:
    """Send ``per_second`` calls, spread evenly over the stations; returns the sorted latencies in seconds."""
    latencies: list[float] = []
    paces = [Pace(loop, latencies) for loop in loops]
    total = int(per_second * seconds)
    gc.disable()
    began = time.perf_counter()
    for number in range(total):
        due = began + number / per_second
        while (wait := due - time.perf_counter()) > 0:  # noqa: ASYNC110 - for the clock, not an event
            await asyncio.sleep(max(wait, 0.0005))
        paces[number % len(paces)].send(due)
        if number % 64 == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(1)
    gc.enable()
    assert len(latencies) == total, f"{total - len(latencies)} calls were not answered"
    return sorted(latencies)
