"""Strangers attack while chargers come in: what others wait for meanwhile, and how many guesses are looked at.

A charger's handshake and the operators' page must not wait for them, and health must stay green.
"""

import asyncio
import contextlib
import gzip
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench import servers, site, viewers
from bench.station import Station
from bench.v16 import V16
from bench.wire import Identity

FORM = "application/x-www-form-urlencoded"
SIGN_IN, DRIVER = "/admin/sign-in", "/driver/sign-in"
MARK_S = 0.5
CROWDS = (1, 20, 200)
_LOOKED_AT = 401
_EACH = 12
"""Guesses of one address: more than are looked at from any."""
_COMES_AGAIN_S = 5.0
_ATTACKER = "127.0.9.1"


@dataclass(frozen=True, slots=True)
class Numbers:
    """How large the attacks are, and how many chargers come in during each."""

    bomb_bytes: int = 300_000
    files: int = 12_000
    bodies: int = 1_000
    messages: int = 1_500_000
    handshakes: int = 40


QUICK = Numbers(messages=60_000, handshakes=10)


@dataclass
class Waits:
    """What others waited for during an attack, in seconds, the answers of /healthz, and how often it was made."""

    handshakes: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    health: list[int] = field(default_factory=list)
    rounds: int = 0


Attack = Callable[[int, Waits], Awaitable[None]]


async def run(folder: Path, numbers: Numbers) -> None:
    """Make a site, attack it in each way and print the table."""
    os.sched_setaffinity(0, {servers.core(servers.LOAD_CORE)})
    identities = await site.furnish(folder, numbers.handshakes + viewers.PAGES, 1, operator=True)
    async with site.opened(folder) as store:
        await viewers.fill(store, identities, numbers.messages)
    served = servers.start_ours(folder)
    try:
        for name, attack in attacks(numbers).items():
            _print(name, await during(served.port, identities[: numbers.handshakes], attack))
        seen = await viewers.look(served.port, identities, numbers.handshakes)
        searched = Waits(seen.handshakes, [], seen.health, seen.searches)
        _print(f"four viewers search {numbers.messages:,} messages", searched)
        for path in (SIGN_IN, DRIVER):
            for crowd in CROWDS:
                looked, tries = await guesses(served.port, path, crowd), crowd * _EACH
                print(f"{path}: {crowd} addresses guess, {looked} of {tries} tries looked at", flush=True)
    finally:
        served.stop()


def _print(name: str, waits: Waits) -> None:
    slowest, red = max(waits.handshakes), sum(status != 200 for status in waits.health)
    page = f", slowest page {max(waits.pages):.3f} s" if waits.pages else ""
    reached = slowest <= MARK_S and not red
    print(
        f"{name}: {waits.rounds} times, slowest handshake {slowest:.3f} s (mark {MARK_S} s){page},"
        f" health red {red} of {len(waits.health)} times: {'reached' if reached else 'MISSED'}",
        flush=True,
    )


# --- Attacks ------------------------------------------------------------------------------------------------


def attacks(numbers: Numbers) -> dict[str, Attack]:
    """The attacks by what the table calls them."""
    bomb = _request("gzip", FORM, _bomb(numbers.bomb_bytes))
    files = _request("identity", "multipart/form-data; boundary=x", _files(numbers.files))
    return {
        f"a compressed bomb of {numbers.bomb_bytes:,} bytes": _sending(bomb),
        f"a form of {numbers.files:,} files": _sending(files),
        f"{numbers.bodies:,} slow bodies": _slowly(numbers.bodies),
    }


def _bomb(length: int) -> bytes:
    # Zeros shrink to about a thousandth.
    return gzip.compress(bytes(length * 1000))[:length]


def _files(number: int) -> bytes:
    one = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n1\r\n'
    return one * number + b"--x--\r\n"


def _request(encoding: str, kind: str, body: bytes) -> bytes:
    head = (
        f"POST {SIGN_IN} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Encoding: {encoding}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _sending(request: bytes) -> Attack:
    async def attack(port: int, waits: Waits) -> None:
        while True:
            await ask(port, request, _ATTACKER)
            waits.rounds += 1

    return attack


def _slowly(number: int) -> Attack:
    """Open so many requests whose bodies trickle, and open again those that are closed."""

    async def one(port: int, waits: Waits) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(_ATTACKER, 0))
                try:
                    await _trickle(reader, writer)
                finally:
                    writer.close()
            waits.rounds += 1
            await asyncio.sleep(_COMES_AGAIN_S)

    async def attack(port: int, waits: Waits) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(one(port, waits))

    return attack


async def _trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_request("identity", FORM, b"n" * 1000)[:-1000])
    while not reader.at_eof() and not writer.is_closing():
        writer.write(b"n")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                if not await reader.read(4096):
                    return


async def ask(port: int, request: bytes, address: str) -> int:
    """Send a request from an address of the loopback; returns the status, 0 where the line was cut."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    except OSError:
        return 0
    writer.write(request)
    try:
        answer = await reader.readline()
        return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0
    except (ConnectionError, ValueError):
        return 0
    finally:
        writer.close()


# --- What others wait for -----------------------------------------------------------------------------------


async def during(port: int, identities: Sequence[Identity], attack: Attack) -> Waits:
    """Attack without end, and let chargers come in and somebody look meanwhile."""
    waits = Waits()
    beside = [asyncio.ensure_future(attack(port, waits)), asyncio.create_task(_look(port, waits))]
    await asyncio.sleep(0.5)
    for identity in identities:
        station, began = Station(identity, V16(identity)), time.perf_counter()
        await station.open(port)
        waits.handshakes.append(time.perf_counter() - began)
        await station.call(station.speech.boot())
        station.close()
        await asyncio.sleep(0.05)
    for task in beside:
        task.cancel()
    for outcome in await asyncio.gather(*beside, return_exceptions=True):
        assert isinstance(outcome, asyncio.CancelledError), f"ended before its time: {outcome!r}"
    return waits


async def _look(port: int, waits: Waits) -> None:
    """Ask for the page before the sign-in and for health, from elsewhere than the attacker."""
    while True:
        began = time.perf_counter()
        assert await ask(port, _get(SIGN_IN), "127.0.8.1") == 200
        waits.pages.append(time.perf_counter() - began)
        waits.health.append(await ask(port, _get("/healthz"), "127.0.8.1"))
        await asyncio.sleep(0.1)


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


# --- Guessing -----------------------------------------------------------------------------------------------


async def guesses(port: int, path: str, addresses: int) -> int:
    """Guess the secret of one name from so many networks in turn; returns how many guesses were looked at."""
    looked = 0
    for number in range(addresses * _EACH):
        if path == SIGN_IN:
            fields = {"name": f"somebody {addresses}", "password": f"a wrong password {number}"}
        else:
            fields = {"number": f"04{addresses:012X}", "pin": f"{number % 10_000:04d}"}
        network = f"127.{20 + addresses}.{number % addresses}.1"
        looked += await ask(port, _posted(path, urlencode(fields).encode()), network) == _LOOKED_AT
    return looked


def _posted(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
