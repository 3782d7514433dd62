"""The servers under test: programs of their own, on a core of their own."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVER_CORE, LOAD_CORE = 0, 1
START_TIMEOUT_S = 30


@dataclass(slots=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(arguments: list[str], port: int, log: Path) -> Server:
    """Start a Python program as a server on one core and wait until it is healthy."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    # Before it makes threads, so that they inherit it.
    os.sched_setaffinity(process.pid, {core(SERVER_CORE)})
    server = Server(process, port, log)
    _wait_until_healthy(server)
    return server


def start_bound(folder: Path) -> Server:
    """Start the bare server."""
    port = free_port()
    return start(["-m", "bench.bound", "--port", str(port)], port, folder / "bound.log")


def start_ours(folder: Path, profile: Path | None = None) -> Server:
    """Start the product on the site in ``folder``; with ``profile``: under the profiler, which writes there."""
    port = free_port()
    module = ["-m", "onprem_csms"] if profile is None else ["-m", "bench.profiled", str(profile)]
    arguments = ["serve", "--data-dir", str(folder / "data"), "--port", str(port)]
    return start([*module, *arguments, "--config", str(folder / "config.toml")], port, folder / "ours.log")


def free_port() -> int:
    """A port that nobody listens on now, below those that the system gives to clients.

    A client that calls a port of theirs while nobody listens may be given this very port, and then talks to itself.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def core(number: int) -> int:
    """A core of this machine; where there is only one, that one."""
    cores = sorted(_CORES)
    return cores[number % len(cores)]


_CORES = os.sched_getaffinity(0)


def _wait_until_healthy(server: Server) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    server.stop()
    message = f"the server did not start:\n{server.log.read_text()[-4000:]}"
    raise SystemExit(message)
