"""The API over a real socket, on a real encrypted store, with keys of every role."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from onprem_csms import app
from onprem_csms.config import Config, Ocpp, Server
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.services.access import api_keys
from onprem_csms.services.core.context import Context
from tests.api.charger import PASSWORD, Charger, connected

ROLES = ("admin", "desk", "viewer")


@dataclass(frozen=True)
class Reply:
    """What came back: ``body`` is parsed JSON, None when there is none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def paths(self) -> list[str]:
        """Where a problem says the faults are."""
        return [fault["path"] for fault in self.body["errors"]]


@dataclass
class Api:
    """A client of the API; ``role`` says whose key goes along, None is nobody's."""

    client: ClientSession
    url: str
    secrets: dict[str, str]
    ctx: Context
    port: int

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        role: str | None = "admin",
        **more: Any,
    ) -> Reply:
        """Send a request; ``body`` bytes go as they are, anything else as JSON."""
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers.setdefault("Authorization", f"Bearer {self.secrets[role]}")
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        async with self.client.request(method, self.url + path, data=data, headers=headers, **more) as reply:
            text = await reply.text()
            parsed = json.loads(text) if text else None
            return Reply(reply.status, parsed, dict(reply.headers))

    async def get(self, path: str, **more: Any) -> Reply:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return await self.ask("POST", path, body, **more)

    async def patch(self, path: str, body: Any = None, **more: Any) -> Reply:
        return await self.ask("PATCH", path, body, **more)

    async def delete(self, path: str, **more: Any) -> Reply:
        return await self.ask("DELETE", path, **more)


@pytest.fixture
def call_timeout() -> int:
    """Seconds that a charger may take; a test of its silence sets fewer."""
    return 20


@pytest.fixture
async def api(tmp_path: Path, call_timeout: int) -> AsyncIterator[Api]:
    """The whole program on a free port, and a client with keys of every role."""
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    config = Config(server=Server(host="127.0.0.1", port=0), ocpp=Ocpp(call_timeout=call_timeout))
    async with app.running(config, folder) as program, ClientSession() as client:
        secrets = {role: (await program.ctx.write(api_keys.create, role, role)).secret for role in ROLES}
        yield Api(client, f"http://127.0.0.1:{program.port}/api/v1", secrets, program.ctx, program.port)


@pytest.fixture
async def charger(api: Api) -> AsyncIterator[Charger]:
    """A charger CP1 that is accepted and connected."""
    await api.post("/chargers", {"id": "CP1", "password": PASSWORD})
    async with connected(api.port, "CP1") as one:
        yield one
