"""The loads: closed loops for the cost of a call, a storm of connections, an open loop for the latency."""

import asyncio
import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.speech import CALLS_BESIDE_READINGS, Speech, accepted
from bench.station import Refused, Station
from bench.wire import Identity

READINGS = 3
"""In each whole session."""
CALLS_PER_SESSION = CALLS_BESIDE_READINGS + READINGS
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a crowd of stations came in: seconds until the last boot was answered, and refusals on the way."""

    stations: list[Station]
    seconds: float
    refusals: int


async def arrive(
    identities: Sequence[Identity], port: int, speech: Callable[[Identity], Speech], *, at_once: int = 10_000
) -> Arrival:
    """Let stations connect, authenticate and boot; a station that is refused comes again in 0.2 s."""
    gate = asyncio.Semaphore(at_once)
    refusals = 0

    async def one(number: int, identity: Identity) -> Station:
        nonlocal refusals
        async with gate:
            for _ in range(ATTEMPTS):
                station = Station(identity, speech(identity))
                try:
                    await station.open(port, f"127.1.{number // 250}.{number % 250 + 1}")
                    answer = await station.call(station.speech.boot())
                except (Refused, OSError):
                    refusals += 1
                    await asyncio.sleep(0.2)
                    continue
                assert accepted(answer), answer
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
        self.speech = station.speech
        self._done = done
        self._left = 0

    def go(self, calls: int) -> None:
        """Begin."""
        self._left = calls
        self.station.on_answer = self.answered
        self.station.send(self.next_frame(b""))

    def answered(self, answer: bytes) -> None:
        """Send the next call, or report that all were answered."""
        self._left -= 1
        if self._left:
            self.station.send(self.next_frame(answer))
        else:
            self._done.one()

    async def prepare(self) -> None:
        """Do what comes before, and is not measured."""
        raise NotImplementedError

    async def finish(self) -> None:
        """Do what comes after, and is not measured."""

    def next_frame(self, answer: bytes) -> bytes:
        """Return the next call."""
        raise NotImplementedError


class Readings(Loop):
    """The readings of one running prepaid session without end."""

    async def prepare(self) -> None:
        """Begin the session."""
        answer = await self.station.call(self.speech.start(self.station.identity.prepaid))
        self.station.must_accept(answer)
        self.speech.started(answer)

    async def finish(self) -> None:
        """End the session."""
        await self.station.call(self.speech.stop())

    def next_frame(self, answer: bytes) -> bytes:
        """Return the next reading."""
        return self.speech.reading()


class PersonalSessions(Loop):
    """Whole sessions, one after the other, with the card of somebody who pays later."""

    period = CALLS_PER_SESSION

    async def prepare(self) -> None:
        """Nothing is needed."""
        self._steps = self._script(self.card())
        self._answer = b""

    def card(self) -> str:
        """The card of these sessions."""
        return self.station.identity.personal

    def next_frame(self, answer: bytes) -> bytes:
        """Return the next call of the day."""
        self._answer = answer
        return next(self._steps)

    def _script(self, card: str) -> Iterator[bytes]:
        say = self.speech
        while True:
            yield say.plugged()
            yield say.authorize(card)
            self.station.must_accept(self._answer)
            yield say.start(card)
            self.station.must_accept(self._answer)
            say.started(self._answer)
            yield say.charging()
            for _ in range(READINGS):
                yield say.reading()
            yield say.stop()
            yield say.freed()


class PrepaidSessions(PersonalSessions):
    """The same with the card of somebody who paid before: hold, running cost, forecast, bill, ledger."""

    def card(self) -> str:
        """The card of these sessions."""
        return self.station.identity.prepaid


KINDS: dict[str, type[Loop]] = {
    "readings": Readings,
    "personal": PersonalSessions,
    "prepaid": PrepaidSessions,
}


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
                said = next((refused for station in stations for refused in station.refused), b"nothing")
                message = f"the server closed a connection during the load, or refused: {said.decode()}"
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

    def __init__(self, loop: Readings, latencies: list[float]) -> None:
        self._loop = loop
        self._due: deque[float] = deque()
        self._latencies = latencies
        loop.station.on_answer = self._answered

    def send(self, due: float) -> None:
        """Send the next call, which was due at ``due``."""
        self._due.append(due)
        self._loop.station.send(self._loop.next_frame(b""))

    def _answered(self, answer: bytes) -> None:
        self._latencies.append(time.perf_counter() - self._due.popleft())


async def open_loop(loops: Sequence[Readings], per_second: int, seconds: float) -> list[float]:
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
    while len(latencies) < total:
        assert not any(loop.station.closed or loop.station.refused for loop in loops), (
            "a call was not answered"
        )
        await asyncio.sleep(0.05)
    gc.enable()
    return sorted(latencies)
