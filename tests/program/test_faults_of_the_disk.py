"""A disk that is full or fails for a while, and a bad page where there is no money: the site goes on or comes back."""

# ruff: noqa: ASYNC110 - the other process tells nothing when it is back, and nothing else waits here

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex

import aiohttp
import pytest

from bench import damage
from bench.damage import Faulty
from bench.kills import csms
from bench.survivors import PASSWORD, Site, forking, furnish
from onprem_csms.db.engine import keys, writer
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.errors import StoreError


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture
async def site(tmp_path: Path, http: aiohttp.ClientSession) -> AsyncIterator[Faulty]:
    """The running product on a disk that fails when told, with chargers and cards."""
    data = tmp_path / "data"
    csms("init", "--data-dir", data)
    key = csms("api-key", "create", "--data-dir", data, "--name", "disk", "--role", "admin").strip()
    running = Faulty(data, key)
    running.patience_s = 120
    assert await running.start(http, 120), running.log.read_text()
    async with forking() as forks:
        await furnish(Site(data, running.port, key, forks, 0), http)
    yield running
    await running.stop()


def charger(site: Faulty, http: aiohttp.ClientSession) -> "aiohttp.client._WSRequestContextManager":
    return http.ws_connect(
        f"ws://127.0.0.1:{site.port}/ocpp/KILL0",
        protocols=("ocpp1.6",),
        headers={"Authorization": "Basic " + b64encode(f"KILL0:{PASSWORD}".encode()).decode()},
    )


async def top_up(site: Faulty, http: aiohttp.ClientSession) -> int | None:
    """Pay in with a new key: one that is known would be answered without writing."""
    body = {"wallet": 1, "amount": 1000, "idempotency_key": token_hex(8)}
    return await site.status(http, "/api/v1/topups", body)


@pytest.mark.timeout(300)
async def test_a_full_disk_answers_503_and_nothing_to_chargers_and_comes_back_by_itself(
    site: Faulty, http: aiohttp.ClientSession
) -> None:
    start = {"connectorId": 1, "idTag": "0400000000", "meterStart": 7, "timestamp": "2026-11-25T10:00:00Z"}
    status = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
    begin = asyncio.get_running_loop().time()
    async with charger(site, http) as socket:
        await site.fail("full")
        while await top_up(site, http) != 503:
            await asyncio.sleep(0.05)
        assert await site.status(http, "/api/v1/wallets") == 200
        await socket.send_str(json.dumps([2, "a", "StatusNotification", status]))
        await socket.send_str(json.dumps([2, "b", "StartTransaction", start]))
        # Not a word; the sale is cut off, so that the charger keeps it.
        end = await socket.receive()
        assert end.type is aiohttp.WSMsgType.CLOSE, (end, site.log.read_text())
        for _ in range(20):
            assert await top_up(site, http) == 503
    await site.fail()
    while await top_up(site, http) not in {200, 201}:
        await asyncio.sleep(0.05)
    assert await site.sale(http, 0)
    await site.stop()
    said = site.log.read_text()
    assert "Traceback" not in said
    minutes = (asyncio.get_running_loop().time() - begin) / 60
    assert 1 <= said.count("The disk is full") <= 1 + minutes, said
    assert csms("verify", "--data-dir", site.folder).endswith("no faults\n")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["reads", "writes"])
async def test_a_disk_that_fails_for_a_while_ends_nothing(
    site: Faulty, http: aiohttp.ClientSession, fault: str
) -> None:
    await site.fail(fault)
    while await top_up(site, http) != 503:
        await asyncio.sleep(0.05)
    await site.fail()
    while await top_up(site, http) not in {200, 201}:
        await asyncio.sleep(0.05)
    assert all((await site.look(http, 3)).values())
    assert "Traceback" not in site.log.read_text()


def nothing(tx: Tx) -> None:
    tx.execute("UPDATE meta SET value = value")


@pytest.mark.parametrize("part", ["packs", "charger_packs"])
async def test_damaged_raw_messages_are_set_aside_while_the_site_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(writer, "DAMAGE_PASSES_S", 0.2)
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    store = await Database.open(folder.database, keys.unlock(folder))
    for _ in range(20):
        store.log_message("CP1", "in", b"x" * 500)
        await store.write(nothing)
    root = await store.read(lambda tx: tx.value("SELECT rootpage FROM sqlite_schema WHERE name = ?", (part,)))
    await store.close()
    damage.spoil(folder.database, root)
    store = await Database.open(folder.database, keys.unlock(folder))
    if part == "charger_packs":
        with pytest.raises(StoreError, match="damaged"):
            await store.write(lambda tx: tx.execute("DELETE FROM charger_packs"))
        store.renew_messages()
    while await _bad(store):
        store.log_message("CP1", "in", b"new")
        await store.write(nothing)
        await asyncio.sleep(0.05)
    store.log_message("CP1", "in", b"new")
    await store.write(nothing)
    assert await store.read(lambda tx: tx.value("SELECT count(*) FROM packs")) >= 1
    assert await store.check() == []
    await store.close()
    again = await Database.open(folder.database, keys.unlock(folder))
    assert await again.check() == []
    await again.close()


async def _bad(store: Database) -> bool:
    try:
        await store.read(lambda tx: [tx.all("SELECT id FROM packs"), tx.all("SELECT id FROM charger_packs")])
    except StoreError:
        return True
    return False
