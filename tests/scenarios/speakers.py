"""What a charger tells of its day in each version of OCPP, for scripts that run over all of them.

Everything goes over a real socket; a speaker only writes the same fact in its version's words.
"""

from datetime import datetime, timedelta
from typing import Any, Protocol

from tests.ocpp.conftest import Charger


def wire(at: datetime) -> str:
    """Write a time."""
    return at.isoformat(timespec="milliseconds")


class Speaker(Protocol):
    """A charger with one connector. Energy is the meter's register in Wh, power in W."""

    charger: Charger

    async def boot(self) -> str:
        """Boot; returns the registration."""

    async def may(self, uid: str) -> str:
        """Ask for a card; returns ``yes`` or ``no``."""

    async def begin(self, uid: str, wh: int, at: datetime) -> str:
        """Begin a session; returns ``yes`` or ``no``."""

    async def meter(self, wh: int, power: int, at: datetime) -> None:
        """Tell what the meter shows."""

    async def becomes(self, state: str, at: datetime) -> None:
        """Tell that the car ``charges`` or ``sleeps``."""

    async def end(self, uid: str, wh: int, at: datetime) -> None:
        """End the session at the charger."""

    async def again(self) -> None:
        """Say the last thing once more, as after a lost answer."""


class V16:
    """OCPP 1.6J."""

    protocol = "ocpp1.6"

    def __init__(self, charger: Charger) -> None:
        self.charger = charger
        self.transaction = 0
        self.last: tuple[str, dict[str, Any]] = ("", {})

    async def _say(self, action: str, payload: dict[str, Any]) -> Any:
        self.last = (action, payload)
        return await self.charger.result(action, payload)

    async def boot(self) -> str:
        told = await self._say("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        return str(told["status"])

    async def may(self, uid: str) -> str:
        told = await self._say("Authorize", {"idTag": uid})
        return "yes" if told["idTagInfo"]["status"] == "Accepted" else "no"

    async def begin(self, uid: str, wh: int, at: datetime) -> str:
        start = {"connectorId": 1, "idTag": uid, "meterStart": wh, "timestamp": wire(at)}
        told = await self._say("StartTransaction", start)
        self.transaction = told["transactionId"]
        return "yes" if told["idTagInfo"]["status"] == "Accepted" else "no"

    async def meter(self, wh: int, power: int, at: datetime) -> None:
        values = [
            {"value": str(wh)},
            {"value": str(power), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        value = {"timestamp": wire(at), "sampledValue": values}
        await self._say(
            "MeterValues", {"connectorId": 1, "transactionId": self.transaction, "meterValue": [value]}
        )

    async def becomes(self, state: str, at: datetime) -> None:
        word = {"charges": "Charging", "sleeps": "SuspendedEV"}[state]
        status = {"connectorId": 1, "errorCode": "NoError", "status": word, "timestamp": wire(at)}
        await self._say("StatusNotification", status)

    async def end(self, uid: str, wh: int, at: datetime) -> None:
        stop = {"transactionId": self.transaction, "idTag": uid, "meterStop": wh, "timestamp": wire(at)}
        await self._say("StopTransaction", {**stop, "reason": "Local"})

    async def again(self) -> None:
        await self._say(*self.last)


class V201:
    """OCPP 2.0.1."""

    protocol = "ocpp2.0.1"

    def __init__(self, charger: Charger) -> None:
        self.charger = charger
        self.transaction = ""
        self.sequence = 0
        self.number = 0
        self.calls = 0
        self.last: tuple[str, dict[str, Any]] = ("", {})

    async def _say(self, action: str, payload: dict[str, Any]) -> Any:
        """Call; whatever is asked meanwhile (its device model) this charger does not support."""
        self.last = (action, payload)
        self.calls += 1
        await self.charger.say([2, f"m{self.calls}", action, payload])
        while True:
            frame = await self.charger.hear()
            if frame[0] == 3:
                return frame[2]
            assert frame[0] == 2, frame
            await self.charger.say([4, frame[1], "NotSupported", "", {}])

    async def _event(self, kind: str, reason: str, at: datetime, **more: Any) -> Any:
        info = {"transactionId": self.transaction, **more.pop("info", {})}
        event = {
            "eventType": kind,
            "timestamp": wire(at),
            "triggerReason": reason,
            "seqNo": self.sequence,
            "transactionInfo": info,
            **more,
        }
        self.sequence += 1
        return await self._say("TransactionEvent", event)

    @staticmethod
    def _values(wh: int, power: int | None, at: datetime, context: str) -> list[dict[str, Any]]:
        values: list[dict[str, Any]] = [
            {"value": wh / 1000, "context": context, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}
        ]
        if power is not None:
            unit = {"unit": "W", "multiplier": -1}
            values.append({"value": power * 10, "measurand": "Power.Active.Import", "unitOfMeasure": unit})
        return [{"timestamp": wire(at), "sampledValue": values}]

    async def boot(self) -> str:
        station = {"model": "M", "vendorName": "V"}
        told = await self._say("BootNotification", {"chargingStation": station, "reason": "PowerUp"})
        return str(told["status"])

    async def may(self, uid: str) -> str:
        told = await self._say("Authorize", {"idToken": {"idToken": uid, "type": "ISO14443"}})
        return "yes" if told["idTokenInfo"]["status"] == "Accepted" else "no"

    async def begin(self, uid: str, wh: int, at: datetime) -> str:
        self.number += 1
        self.transaction, self.sequence = f"transaction-{self.number}", 0
        told = await self._event(
            "Started",
            "Authorized",
            at,
            evse={"id": 1, "connectorId": 1},
            idToken={"idToken": uid, "type": "ISO14443"},
            meterValue=self._values(wh, None, at, "Transaction.Begin"),
        )
        return "yes" if told["idTokenInfo"]["status"] == "Accepted" else "no"

    async def meter(self, wh: int, power: int, at: datetime) -> None:
        values = self._values(wh, power, at, "Sample.Periodic")
        await self._event("Updated", "MeterValuePeriodic", at, meterValue=values)

    async def becomes(self, state: str, at: datetime) -> None:
        word = {"charges": "Charging", "sleeps": "SuspendedEV"}[state]
        await self._event("Updated", "ChargingStateChanged", at, info={"chargingState": word})

    async def end(self, uid: str, wh: int, at: datetime) -> None:
        await self._event(
            "Ended",
            "StopAuthorized",
            at,
            info={"stoppedReason": "Local"},
            idToken={"idToken": uid, "type": "ISO14443"},
            meterValue=self._values(wh, None, at, "Transaction.End"),
        )

    async def again(self) -> None:
        await self._say(*self.last)


def later(at: datetime, minutes: float) -> datetime:
    """Return a moment some minutes later."""
    return at + timedelta(minutes=minutes)
