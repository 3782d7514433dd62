"""A day with a client that is not ours: the ``ocpp`` package's ChargePoint over ``websockets``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import (
    Action,
    AuthorizationStatus,
    AvailabilityStatus,
    ChargePointErrorCode,
    ChargePointStatus,
    ConfigurationStatus,
    RegistrationStatus,
    RemoteStartStopStatus,
    ReservationStatus,
)

from onprem_csms.domain.chargers import commands
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.variables import Variable
from onprem_csms.services.chargers import configuration, inventory
from onprem_csms.services.charging import reservations
from tests.ocpp.conftest import Site, basic

CARD = "04A1B2C3"
KEY = "correct-horse-battery"


def moment(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


class WallBox(ChargePoint):  # type: ignore[misc]
    """A charger that does what it is asked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.transaction = 0
        self.asked: list[str] = []

    @on(Action.remote_start_transaction)
    async def on_start(self, id_tag: str, **_: Any) -> call_result.RemoteStartTransaction:
        self.asked.append("start")
        self.after = asyncio.create_task(self.begin(id_tag))
        return call_result.RemoteStartTransaction(RemoteStartStopStatus.accepted)

    @on(Action.remote_stop_transaction)
    async def on_stop(self, transaction_id: int) -> call_result.RemoteStopTransaction:
        self.asked.append("stop")
        return call_result.RemoteStopTransaction(RemoteStartStopStatus.accepted)

    @on(Action.change_availability)
    async def on_availability(self, **_: Any) -> call_result.ChangeAvailability:
        return call_result.ChangeAvailability(AvailabilityStatus.scheduled)

    @on(Action.get_configuration)
    async def on_configuration(self, **_: Any) -> call_result.GetConfiguration:
        keys = [{"key": "HeartbeatInterval", "readonly": False, "value": "60"}]
        return call_result.GetConfiguration(configuration_key=keys, unknown_key=[])

    @on(Action.change_configuration)
    async def on_change(self, **_: Any) -> call_result.ChangeConfiguration:
        return call_result.ChangeConfiguration(ConfigurationStatus.accepted)

    @on(Action.reserve_now)
    async def on_reserve(self, **_: Any) -> call_result.ReserveNow:
        return call_result.ReserveNow(ReservationStatus.accepted)

    async def begin(self, card: str) -> None:
        answer = await self.call(call.StartTransaction(1, card, 1000, moment(-30)))
        self.transaction = answer.transaction_id

    async def status(self, status: ChargePointStatus) -> None:
        await self.call(
            call.StatusNotification(1, ChargePointErrorCode.no_error, status, timestamp=moment(-31))
        )


@asynccontextmanager
async def wall_box(site: Site, charger_id: str = "CP1") -> AsyncIterator[WallBox]:
    headers = basic(charger_id, KEY)
    async with websockets.connect(
        site.ws_url + charger_id, subprotocols=[websockets.Subprotocol("ocpp1.6")], additional_headers=headers
    ) as socket:
        box = WallBox(charger_id, socket)
        running = asyncio.create_task(box.start())
        yield box
        running.cancel()


async def test_a_day_of_a_foreign_charger(site: Site) -> None:
    async with wall_box(site) as box:
        boot = await box.call(call.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        assert (boot.status, boot.interval) == (RegistrationStatus.accepted, 300)
        await box.status(ChargePointStatus.available)
        await box.call(call.Heartbeat())
        judged = await box.call(call.Authorize(CARD))
        assert judged.id_tag_info["status"] == AuthorizationStatus.accepted
        started = await site.perform("CP1", commands.RemoteStart(CARD, Place(0, 1)), origin="test")
        assert started.accepted is True
        await site.until(lambda: box.transaction)
        await box.status(ChargePointStatus.charging)
        values = [
            {
                "timestamp": moment(-20),
                "sampledValue": [
                    {"value": "4.0", "unit": "kWh", "measurand": "Energy.Active.Import.Register"},
                    {"value": "7.2", "unit": "kW", "measurand": "Power.Active.Import"},
                ],
            }
        ]
        await box.call(call.MeterValues(1, values, transaction_id=box.transaction))
        (session,) = await site.sessions(state="active")
        assert (session.energy_wh, session.power_w) == (3000, 7200)
        stopped = await site.perform("CP1", commands.RemoteStop(str(box.transaction)), origin="test")
        assert (stopped.accepted, box.asked) == (True, ["start", "stop"])
        await box.call(call.StopTransaction(5000, moment(0), box.transaction, reason="Remote", id_tag=CARD))
        (session,) = await site.sessions(state="ended")
        assert (session.energy_wh, session.reason) == (4000, "remote")


async def test_a_foreign_charger_leaves_the_records_of_its_commands(site: Site) -> None:
    async with wall_box(site):
        assert (
            await site.perform("CP1", commands.ChangeAvailability(operative=False), origin="test")
        ).accepted
        await site.perform("CP1", commands.ReadVariables(), origin="test")
        await site.perform(
            "CP1", commands.SetVariables(((Variable("", "HeartbeatInterval"), "30"),)), origin="test"
        )
        until = datetime.now(UTC) + timedelta(hours=1)
        await site.perform("CP1", commands.Reserve(1, Place(0, 1), CARD, until), origin="test")
        refused = await site.perform("CP1", commands.Unlock(Place(0, 1)), origin="test")
        assert (refused.status, refused.accepted) == ("error", None)
    (setting,) = await site.see(configuration.find, "CP1")
    assert (setting.value, setting.wanted, setting.wanted_status) == ("60", "30", "accepted")
    assert [made.uid for made in await site.see(reservations.find)] == [CARD]


async def test_ten_foreign_chargers_talk_at_once(site: Site) -> None:
    for number in range(10):
        await site.add(f"BOX{number}")

    async def day(number: int) -> None:
        async with wall_box(site, f"BOX{number}") as box:
            await box.call(call.BootNotification(charge_point_model="M", charge_point_vendor="V"))
            await box.begin(CARD)
            for step in range(5):
                value = {"timestamp": moment(-20 + step), "sampledValue": [{"value": str(1000 + step * 100)}]}
                await box.call(call.MeterValues(1, [value], transaction_id=box.transaction))
            await box.call(call.StopTransaction(2000, moment(0), box.transaction))

    await asyncio.gather(*(day(number) for number in range(10)))
    assert [session.energy_wh for session in await site.sessions(state="ended")] == [1000] * 10
    assert len(await site.see(inventory.find)) == 11
