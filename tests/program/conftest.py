"""The real program: its command line in a process of its own, a data folder, a port, and an API key."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

PORT = re.compile(r"Admin site:\s+http://[^/]+:(\d+)/")


def csms(*arguments: str | Path, stdin: str = "") -> str:
    """Run a command of the product to its end and return what it printed."""
    command = [sys.executable, "-m", "onprem_csms", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Program:
    """A running program and short words for its HTTP API."""

    folder: Path
    port: int
    key: str
    http: aiohttp.ClientSession
    said: str = ""

    @property
    def base(self) -> str:
        """The address of the site."""
        return f"http://127.0.0.1:{self.port}"

    async def api(self, method: str, path: str, body: Any = None, *, expect: int | None = None) -> Any:
        """Call the API; fails the test when the status is not a good one (or the expected one)."""
        headers = {"Authorization": f"Bearer {self.key}"}
        async with self.http.request(
            method, f"{self.base}/api/v1{path}", json=body, headers=headers
        ) as response:
            text = await response.text()
            good = response.status == expect if expect else response.status < 300
            assert good, f"{method} {path}: {response.status} {text}"
            return await response.json() if text else None


@contextlib.asynccontextmanager
async def started(tmp_path: Path, config: str = "") -> AsyncIterator[Program]:
    """Set a data folder up, start the program on a free port, and stop it as systemd would."""
    folder = tmp_path / "data"
    csms("init", "--data-dir", folder)
    key = csms("api-key", "create", "--data-dir", folder, "--name", "test", "--role", "admin").strip()
    command = [sys.executable, "-m", "onprem_csms", "serve", "--data-dir", str(folder), "--port", "0"]
    if config:
        file = tmp_path / "config.toml"
        file.write_text(config, encoding="utf-8")
        command += ["--config", str(file)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    said = (await process.stdout.readuntil(b"openapi.json\n")).decode()
    match = PORT.search(said)
    assert match is not None, said
    async with aiohttp.ClientSession() as http:
        try:
            yield Program(folder, int(match[1]), key, http, said)
        finally:
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    """The program on its defaults."""
    async with started(tmp_path) as running:
        yield running
