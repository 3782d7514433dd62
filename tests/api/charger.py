"""A charger that is not ours: the `ocpp` package's ChargePoint over `websockets`."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.typing import Subprotocol

PASSWORD = "a password of CP1"


def ago(minutes: int) -> str:
    """A moment so many minutes ago, as chargers write it: energy needs time to flow."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


class Charger(ChargePoint):  # type: ignore[misc]
    """Answers every command with ``answer``; remembers what it was asked."""

    def __init__(self, charger_id: str, connection: Any) -> None:
        super().__init__(charger_id, connection)
        self.answer = "Accepted"
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.was_asked = asyncio.Event()
        self.silent = False

    async def take(self, action: str, given: dict[str, Any]) -> None:
        """Remember a command; a silent charger never answers it."""
        self.asked.append((action, given))
        self.was_asked.set()
        if self.silent:
            await asyncio.Event().wait()

    @on("Reset")
    async def on_reset(self, **given: Any) -> call_result.Reset:
        await self.take("Reset", given)
        return call_result.Reset(self.answer)

    @on("ReserveNow")
    async def on_reserve(self, **given: Any) -> call_result.ReserveNow:
        await self.take("ReserveNow", given)
        return call_result.ReserveNow(self.answer)

    @on("CancelReservation")
    async def on_cancel(self, **given: Any) -> call_result.CancelReservation:
        await self.take("CancelReservation", given)
        return call_result.CancelReservation(self.answer)

    @on("SetChargingProfile")
    async def on_profile(self, **given: Any) -> call_result.SetChargingProfile:
        await self.take("SetChargingProfile", given)
        return call_result.SetChargingProfile(self.answer)

    @on("GetConfiguration")
    async def on_configuration(self, **given: Any) -> call_result.GetConfiguration:
        await self.take("GetConfiguration", given)
        known = [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]
        return call_result.GetConfiguration(configuration_key=known)

    @on("RemoteStopTransaction")
    async def on_stop(self, **given: Any) -> call_result.RemoteStopTransaction:
        await self.take("RemoteStopTransaction", given)
        return call_result.RemoteStopTransaction(self.answer)

    async def boot(self) -> None:
        """Say who it is, and that connector 1 is free."""
        await self.call(call.BootNotification("Model X", "Maker"))
        await self.call(call.StatusNotification(1, "NoError", "Available"))

    async def begin(self, token: str, meter: int = 0) -> tuple[int, dict[str, Any]]:
        """Report a session that began ten minutes ago; returns the transaction and what was said of the card."""
        answer = await self.call(call.StartTransaction(1, token, meter, ago(10)))
        return answer.transaction_id, answer.id_tag_info

    async def meter(self, transaction: int, register: int) -> None:
        """Send a meter value in Wh, of five minutes ago."""
        sample = {"timestamp": ago(5), "sampledValue": [{"value": str(register)}]}
        await self.call(call.MeterValues(1, [sample], transaction))

    async def stop(self, transaction: int, register: int) -> None:
        """End a session now."""
        await self.call(call.StopTransaction(register, ago(0), transaction))


@contextlib.asynccontextmanager
async def connected(port: int, charger_id: str, password: str = PASSWORD) -> AsyncIterator[Charger]:
    """Connect a charger and let it listen."""
    secret = base64.b64encode(f"{charger_id}:{password}".encode()).decode()
    address = f"ws://127.0.0.1:{port}/ocpp/{charger_id}"
    headers = {"Authorization": f"Basic {secret}"}
    async with websockets.connect(
        address, subprotocols=[Subprotocol("ocpp1.6")], additional_headers=headers
    ) as socket:
        charger = Charger(charger_id, socket)
        listening = asyncio.create_task(ChargePoint.start(charger))
        try:
            yield charger
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
