"""Fifty starts on one balance, over ten chargers, at the same moment."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import aiohttp

from tests.program.conftest import Program, csms

UID = "04AABBCCDD1122"
CHARGERS, CONNECTORS = 10, 5


async def _connect(program: Program, number: int) -> aiohttp.ClientWebSocketResponse:
    return await program.http.ws_connect(
        f"ws://127.0.0.1:{program.port}/ocpp/PAR{number}", protocols=("ocpp1.6",)
    )


async def _start_all(socket: aiohttp.ClientWebSocketResponse, go: asyncio.Event) -> list[dict[str, Any]]:
    """Send the starts of every connector without waiting, then read the answers."""
    await go.wait()
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for connector in range(1, CONNECTORS + 1):
        start = {"connectorId": connector, "idTag": UID, "meterStart": 0, "timestamp": now}
        await socket.send_str(json.dumps([2, str(connector), "StartTransaction", start]))
    answers = [json.loads(await socket.receive_str()) for _ in range(CONNECTORS)]
    assert all(answer[0] == 3 for answer in answers), answers
    return [answer[2] for answer in answers]


async def test_of_fifty_starts_over_ten_chargers_one_wins_and_holds_stay_within_the_balance(
    program: Program,
) -> None:
    prices = {"name": "Standard", "currency": "HUF", "prices": {"per_kwh": "149"}, "default": True}
    await program.api("POST", "/tariffs", prices)
    card = await program.api("POST", "/tokens", {"token": UID, "type": "prepaid"})
    top_up = {"wallet": card["wallet"], "amount": 5000, "idempotency_key": "one"}
    await program.api("POST", "/topups", top_up)
    for number in range(CHARGERS):
        await program.api("POST", "/chargers", {"id": f"PAR{number}"})
    sockets = [await _connect(program, number) for number in range(CHARGERS)]
    go = asyncio.Event()
    tasks = [asyncio.create_task(_start_all(socket, go)) for socket in sockets]
    go.set()
    answers = [answer for answered in await asyncio.gather(*tasks) for answer in answered]
    statuses = [answer["idTagInfo"]["status"] for answer in answers]
    assert sorted(statuses) == ["Accepted"] + ["ConcurrentTx"] * (CHARGERS * CONNECTORS - 1)
    # The ids are random for each charger; two chargers may share one, a charger never.
    assert all(0 < answer["transactionId"] < 2**31 for answer in answers)
    wallet = await program.api("GET", f"/wallets/{card['wallet']}")
    assert (wallet["balance"], wallet["held"], wallet["available"]) == (5000, 5000, 0)
    for socket in sockets:
        await socket.close()
    assert csms("verify", "--data-dir", program.folder).endswith("no faults\n")
