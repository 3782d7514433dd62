"""The life of connections: two of one name, half-open ones, silence, comings and goings in a breath."""

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from onprem_csms.domain.settings import SiteSettings
from onprem_csms.ocpp.link import caretaker
from onprem_csms.services.chargers import inventory
from tests.ocpp.conftest import IMPATIENT, PASSWORD, QUICK, Site, basic, impatient, open_site

CARD = "04A1B2C3"
START = {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": "2026-11-22T07:00:00Z"}


async def deaf(site: Site, charger_id: str = "CP1") -> asyncio.StreamWriter:
    """Connect over plain TCP and never answer anything again, as a charger behind a dead link."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    key = base64.b64encode(b"0123456789abcdef").decode()
    lines = [
        f"GET /ocpp/{charger_id} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ocpp1.6",
        f"Sec-WebSocket-Key: {key}",
        f"Authorization: {basic(charger_id, PASSWORD)['Authorization']}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    assert b"101" in await reader.readline()
    await site.until(lambda: site.stations.online(charger_id))
    return writer


async def test_while_the_first_connection_answers_a_second_one_is_refused_and_seen(site: Site) -> None:
    first = await site.connect()
    await first.boot()
    reading = asyncio.create_task(first.ws.receive())  # a client answers pings only while it reads
    assert await site.refused() == 409
    assert (await site.see(inventory.refused_attempt_of, "CP1")).reason == "already_connected"
    await first.say([2, "x", "Heartbeat", {}])
    assert (await reading).type is aiohttp.WSMsgType.TEXT


@impatient
async def test_a_half_open_first_connection_gives_way_to_the_second(site: Site) -> None:
    writer = await deaf(site)
    second = await site.connect()
    await second.boot()
    assert site.stations.online("CP1")
    writer.close()
    await asyncio.sleep(0.05)
    assert (await second.call("Heartbeat"))[0] == 3, "the late end of the first does not end the second"
    assert site.stations.online("CP1")


@impatient
@pytest.mark.parametrize("headers", [{}, basic("CP1", "wrong")])
async def test_without_the_key_nobody_touches_the_first_connection(
    site: Site, headers: dict[str, str]
) -> None:
    writer = await deaf(site)
    assert await site.refused(headers=headers) == 401
    await asyncio.sleep(IMPATIENT.second_connection_wait_s + 0.1)
    assert site.stations.online("CP1")
    writer.close()


@impatient
async def test_of_many_that_come_at_once_under_one_name_one_stays(site: Site) -> None:
    async def come() -> aiohttp.ClientWebSocketResponse | None:
        try:
            return (await site.connect()).ws
        except aiohttp.WSServerHandshakeError:
            return None

    async def answered(ws: aiohttp.ClientWebSocketResponse) -> bool:
        try:
            await ws.send_str('[2,"x","Heartbeat",{}]')
            return (await ws.receive()).type is aiohttp.WSMsgType.TEXT
        except aiohttp.ClientConnectionResetError:
            return False

    sockets = [ws for ws in await asyncio.gather(*(come() for _ in range(10))) if ws is not None]
    await asyncio.sleep(0.3)
    assert [await answered(ws) for ws in sockets].count(True) == 1


async def test_a_charger_that_comes_back_milliseconds_after_a_reset_keeps_its_stop(site: Site) -> None:
    charger = await site.connect()
    id = (await charger.result("StartTransaction", START))["transactionId"]
    resetting = asyncio.create_task(site.send("CP1", "Reset", {"type": "Hard"}, origin="test"))
    await charger.hear()
    stop = {"transactionId": id, "meterStop": 700, "timestamp": "2026-11-22T08:00:00Z", "reason": "HardReset"}
    await charger.say([2, "stop", "StopTransaction", stop])
    await asyncio.sleep(0.003)
    charger.cut()
    await asyncio.sleep(0.003)
    charger = await site.connect()
    assert (await charger.boot())["status"] == "Accepted"
    assert (await resetting).status == "lost"
    (session,) = await site.until(lambda: site.sessions(state="ended"))
    assert (session.energy_wh, session.reason) == (700, "hard_reset")
    assert site.stations.online("CP1")


async def test_a_reconnect_needs_no_boot_and_a_lost_socket_is_no_stop(site: Site) -> None:
    charger = await site.connect()
    id = (await charger.result("StartTransaction", START))["transactionId"]
    charger.cut()
    await site.until(lambda: not site.stations.online("CP1"))
    charger = await site.connect()
    stop = {"transactionId": id, "meterStop": 700, "timestamp": "2026-11-22T08:00:00Z"}
    assert await charger.result("StopTransaction", stop) == {}
    (session,) = await site.sessions()
    assert session.energy_wh == 700


async def test_a_charger_that_pings_gets_its_pongs_and_counts_as_alive(site: Site) -> None:
    charger = await site.connect()
    before = site.connection().heard
    await charger.ws.ping(b"x")
    await site.until(lambda: site.connection().heard > before)


async def test_who_is_silent_for_three_heartbeats_is_pinged_and_then_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caretaker, "TICK_S", 0.02)
    monkeypatch.setattr(caretaker, "SILENCE_EVERY", 1)
    monkeypatch.setattr(caretaker, "PONG_WAIT_S", 3)
    options = replace(QUICK, shortest_idle_s=0.1)
    settings = replace(SiteSettings(), heartbeat_interval_s=0)
    async with open_site(tmp_path / "data", options, settings) as site:
        await site.add("CP1")
        await site.add("CP2")
        writer = await deaf(site, "CP1")
        reads = await site.connect("CP2")
        listening = asyncio.create_task(reads.ws.receive())
        await site.until(lambda: not site.stations.online("CP1"))
        assert site.stations.online("CP2"), "it answers the pings"
        writer.close()
        listening.cancel()


async def test_a_stop_of_the_program_ends_every_connection_and_writes_it_down(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        await site.add()
        charger = await site.connect()
        await charger.boot()
        asking = asyncio.create_task(site.send("CP1", "ClearCache", {}, origin="test"))
        await charger.hear()
        closed = asyncio.create_task(charger.closed())
        await site.stations.close()
        assert await closed == 1001
        assert (await asking).status == "lost"
        assert (await site.see(inventory.get, "CP1")).disconnected_at is not None


async def test_connections_that_a_killed_process_left_open_are_ended_at_the_next_start(
    tmp_path: Path,
) -> None:
    from onprem_csms.services.charging import presence

    async with open_site(tmp_path / "data") as site:
        await site.add()
        await site.do(presence.connected, "CP1", "ocpp1.6", "10.0.0.1")
        assert (await site.see(inventory.get, "CP1")).disconnected_at is None
    async with open_site(tmp_path / "data") as site:
        assert (await site.see(inventory.get, "CP1")).disconnected_at is not None


async def test_nothing_of_a_connection_is_left_when_it_has_ended(site: Site) -> None:
    for _ in range(5):
        charger = await site.connect()
        await charger.result("Heartbeat", {"odd": 1})
        asking = asyncio.create_task(site.send("CP1", "ClearCache", {}, origin="test"))
        await charger.answer({"status": "Accepted"})
        await asking
        await charger.ws.close()
        await site.until(lambda: site.stations.count() == 0)
    await site.until(lambda: len(site.stations._tasks) == 2)
    assert site.stations.calling == set()
    assert site.stations.deviating == set()


async def test_calls_that_do_not_wait_for_their_answers_are_answered_in_their_order(site: Site) -> None:
    charger = await site.connect()
    await charger.boot()
    calls: list[tuple[str, dict[str, object]]] = [
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}),
        ("Heartbeat", {}),
        ("Authorize", {"idTag": CARD}),
        ("DataTransfer", {"vendorId": "nobody"}),
        ("StartTransaction", START),
        ("NoSuchAction", {}),
        ("Heartbeat", {}),
    ]
    for number, (action, payload) in enumerate(calls * 3):
        await charger.say([2, str(number), action, payload])
    heard = [(await charger.hear())[1] for _ in calls * 3]
    assert heard == [str(number) for number in range(len(heard))]
    assert len(await site.sessions()) == 1
