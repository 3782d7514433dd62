"""A charger of OCPP 2.0.1 that is not ours: the ``ocpp`` package's ChargePoint over ``websockets``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result
from ocpp.v201.datatypes import EVSEType, IdTokenType, TransactionType

from tests.ocpp.conftest import PASSWORD, Site, basic

CARD = "04A1B2C3"
LIMITS = {"GetVariables": "2", "SetVariables": "1"}


def moment(minutes: float = 0) -> str:
    """Return a time that lies some minutes from now."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def card(uid: str = CARD, kind: str = "ISO14443") -> IdTokenType:
    """Return a card's number as a token."""
    return IdTokenType(id_token=uid, type=kind)


class WallBox(ChargePoint):  # type: ignore[misc]
    """A charger of two EVSEs with one connector each that does what it is asked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.values = {"TxUpdatedInterval": "0"}
        self.sequence = 0

    def note(self, action: str, said: dict[str, Any]) -> None:
        """Remember what was asked."""
        self.asked.append((action, said))

    def names(self) -> list[str]:
        """List what was asked."""
        return [action for action, _ in self.asked]

    @on("RequestStartTransaction")
    def on_start(self, **said: Any) -> Any:
        self.note("start", said)
        return call_result.RequestStartTransaction(status="Accepted")

    @on("RequestStopTransaction")
    def on_stop(self, **said: Any) -> Any:
        self.note("stop", said)
        return call_result.RequestStopTransaction(status="Accepted")

    @on("Reset")
    def on_reset(self, **said: Any) -> Any:
        self.note("reset", said)
        return call_result.Reset(status="Scheduled")

    @on("ChangeAvailability")
    def on_availability(self, **said: Any) -> Any:
        self.note("availability", said)
        return call_result.ChangeAvailability(status="Scheduled")

    @on("UnlockConnector")
    def on_unlock(self, **said: Any) -> Any:
        self.note("unlock", said)
        return call_result.UnlockConnector(status="OngoingAuthorizedTransaction")

    @on("TriggerMessage")
    def on_trigger(self, **said: Any) -> Any:
        self.note("trigger", said)
        return call_result.TriggerMessage(status="Accepted")

    @on("ClearCache")
    def on_clear_cache(self) -> Any:
        self.note("clear cache", {})
        return call_result.ClearCache(status="Accepted")

    @on("CostUpdated")
    def on_cost(self, **said: Any) -> Any:
        self.note("cost", said)
        return call_result.CostUpdated()

    @on("GetVariables")
    def on_get(self, get_variable_data: list[dict[str, Any]]) -> Any:
        self.note("get", {"number": len(get_variable_data)})
        results = [self._got(one) for one in get_variable_data]
        return call_result.GetVariables(get_variable_result=results)

    def _got(self, one: dict[str, Any]) -> dict[str, Any]:
        value = self.values.get(one["variable"]["name"])
        named = {"component": one["component"], "variable": one["variable"]}
        if value is None:
            return {"attribute_status": "UnknownVariable", **named}
        return {"attribute_status": "Accepted", "attribute_value": value, **named}

    @on("SetVariables")
    def on_set(self, set_variable_data: list[dict[str, Any]]) -> Any:
        self.note("set", {"number": len(set_variable_data)})
        results = []
        for one in set_variable_data:
            known = one["variable"]["name"] in self.values or one["variable"]["name"] == "BasicAuthPassword"
            if known:
                self.values[one["variable"]["name"]] = one["attribute_value"]
            status = "Accepted" if known else "UnknownVariable"
            named = {"component": one["component"], "variable": one["variable"]}
            results.append({"attribute_status": status, **named})
        return call_result.SetVariables(set_variable_result=results)

    @on("GetBaseReport")
    def on_report(self, **said: Any) -> Any:
        self.note("report", said)
        self.after = asyncio.create_task(self.report(said["request_id"]))
        return call_result.GetBaseReport(status="Accepted")

    async def report(self, request_id: int) -> None:
        """Tell the device model in two parts, the second one first."""
        limits = [
            {
                "component": {"name": "DeviceDataCtrlr"},
                "variable": {"name": "ItemsPerMessage", "instance": action},
                "variable_attribute": [{"value": value, "mutability": "ReadOnly"}],
                "variable_characteristics": {"data_type": "integer", "supports_monitoring": False},
            }
            for action, value in LIMITS.items()
        ]
        connectors = [
            {
                "component": {"name": "Connector", "evse": {"id": evse, "connector_id": 1}},
                "variable": {"name": "Available"},
                "variable_attribute": [{"value": "true", "mutability": "ReadOnly"}],
            }
            for evse in (1, 2)
        ]
        for number, (data, more) in enumerate(((limits, False), (connectors, True))):
            await self.call(
                call.NotifyReport(
                    request_id=request_id,
                    generated_at=moment(),
                    seq_no=1 - number,
                    tbc=more,
                    report_data=data,
                )
            )

    async def boot(self) -> Any:
        """Boot."""
        station = {"model": "Box", "vendor_name": "Maker", "serial_number": "S1", "firmware_version": "2.1"}
        return await self.call(call.BootNotification(charging_station=station, reason="PowerUp"))

    async def status(self, status: str, evse: int = 1) -> None:
        """Report a connector's state."""
        await self.call(
            call.StatusNotification(timestamp=moment(), connector_status=status, evse_id=evse, connector_id=1)
        )

    async def event(self, kind: str, transaction: str, reason: str, **more: Any) -> Any:
        """Report a step of a transaction."""
        info = {"charging_state": more.pop("state", None), "stopped_reason": more.pop("stopped", None)}
        info["remote_start_id"] = more.pop("remote_start_id", None)
        told = TransactionType(transaction_id=transaction, **info)
        event = call.TransactionEvent(
            event_type=kind,
            timestamp=more.pop("timestamp", None) or moment(),
            trigger_reason=reason,
            seq_no=self.sequence,
            transaction_info=told,
            **more,
        )
        self.sequence += 1
        return await self.call(event)

    @staticmethod
    def reading(wh: float, at: str | None = None, context: str = "Sample.Periodic") -> list[dict[str, Any]]:
        """Return what the meter shows, in kWh as a power of ten."""
        unit = {"unit": "Wh", "multiplier": 3}
        register = {"value": wh / 1000, "context": context, "unit_of_measure": unit}
        power = {"value": 7.2, "measurand": "Power.Active.Import", "unit_of_measure": {"unit": "kW"}}
        return [{"timestamp": at or moment(), "sampled_value": [register, power]}]


def at(evse: int = 1, connector: int | None = 1) -> EVSEType:
    """Return a place."""
    return EVSEType(id=evse, connector_id=connector)


@asynccontextmanager
async def wall_box(
    site: Site, charger_id: str = "CP1", *, compression: str | None = "deflate"
) -> AsyncIterator[WallBox]:
    """Connect a charger that offers both versions."""
    offered = [websockets.Subprotocol("ocpp1.6"), websockets.Subprotocol("ocpp2.0.1")]
    async with websockets.connect(
        site.ws_url + charger_id,
        subprotocols=offered,
        additional_headers=basic(charger_id, PASSWORD),
        compression=compression,
    ) as socket:
        assert socket.subprotocol == "ocpp2.0.1"
        box = WallBox(charger_id, socket)
        running = asyncio.create_task(box.start())
        try:
            yield box
        finally:
            running.cancel()
