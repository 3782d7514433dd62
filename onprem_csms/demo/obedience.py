"""What a simulated charger answers when the server asks something of it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol

from onprem_csms.demo.outlet import Outlet

Payload = dict[str, Any]
_PROFILES = "Core,RemoteTrigger,Reservation,SmartCharging,LocalAuthListManagement"
_MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
_AC_VOLTS = 3 * 230.0
_ANSWER_FIRST_S = 0.3
"""What a request sets off begins after its answer has gone out."""


class Obedient(Protocol):
    """What a request of the server reaches of a charger."""

    outlets: list[Outlet]
    settings: dict[str, tuple[str, bool]]
    list_version: int

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside."""

    async def boot(self) -> None:
        """Send BootNotification until it is accepted."""

    async def say_surely(self, action: str, payload: Payload) -> Payload:
        """Send a request until it is answered."""

    async def start_for(self, outlet: Outlet, uid: str) -> None:
        """Begin a session that the server asked for."""

    async def restart(self, reason: str) -> None:
        """Stop what runs, drop the connection and boot again."""


def obey(charger: Obedient, action: str, payload: Payload) -> Payload | None:
    """Answer a request; None when the charger does not know the action."""
    answer = _ANSWERS.get(action)
    return None if answer is None else answer(charger, payload)


def factory_settings(connectors: int) -> dict[str, tuple[str, bool]]:
    """Return the settings of a new charger: key → (value, read-only)."""
    return {
        "NumberOfConnectors": (str(connectors), True),
        "SupportedFeatureProfiles": (_PROFILES, True),
        "GetConfigurationMaxKeys": ("50", True),
        "LocalAuthListEnabled": ("false", False),
        "SendLocalListMaxLength": ("100", True),
        "LocalAuthListMaxLength": ("1000", True),
        "ReserveConnectorZeroSupported": ("false", True),
        "ChargeProfileMaxStackLevel": ("8", True),
        "ChargingScheduleAllowedChargingRateUnit": ("Current,Power", True),
        "ChargingScheduleMaxPeriods": ("24", True),
        "MaxChargingProfilesInstalled": ("10", True),
        "HeartbeatInterval": ("300", False),
        "ConnectionTimeOut": ("60", False),
        "ResetRetries": ("1", False),
        "TransactionMessageAttempts": ("5", False),
        "TransactionMessageRetryInterval": ("10", False),
        "AuthorizeRemoteTxRequests": ("false", False),
        "LocalAuthorizeOffline": ("true", False),
        "LocalPreAuthorize": ("false", False),
        "StopTransactionOnEVSideDisconnect": ("true", False),
        "StopTransactionOnInvalidId": ("true", False),
        "UnlockConnectorOnEVSideDisconnect": ("true", False),
        "ClockAlignedDataInterval": ("0", False),
        "MeterValueSampleInterval": ("0", False),
        "MeterValuesSampledData": (_MEASURANDS, False),
        "MeterValuesAlignedData": ("", False),
        "StopTxnSampledData": ("", False),
        "StopTxnAlignedData": ("", False),
        "ConnectorPhaseRotation": ("NotApplicable", False),
        "WebSocketPingInterval": ("60", False),
    }


def _outlet(charger: Obedient, number: int | None) -> Outlet | None:
    return next((outlet for outlet in charger.outlets if outlet.number == number), None)


def _remote_start(charger: Obedient, payload: Payload) -> Payload:
    wanted = payload.get("connectorId")
    free = [outlet for outlet in charger.outlets if outlet.free and wanted in (None, outlet.number)]
    if not free or not _may_use(free[0], payload["idTag"]):
        return {"status": "Rejected"}
    free[0].busy = True
    charger.later(charger.start_for(free[0], payload["idTag"]))
    return {"status": "Accepted"}


def _may_use(outlet: Outlet, uid: str) -> bool:
    return outlet.reservation is None or outlet.reservation[1] == uid


def _remote_stop(charger: Obedient, payload: Payload) -> Payload:
    for outlet in charger.outlets:
        if outlet.transaction is not None and outlet.transaction == payload["transactionId"]:
            outlet.end("Remote")
            return {"status": "Accepted"}
    return {"status": "Rejected"}


def _reset(charger: Obedient, payload: Payload) -> Payload:
    charger.later(charger.restart("HardReset" if payload["type"] == "Hard" else "SoftReset"))
    return {"status": "Accepted"}


def _unlock(charger: Obedient, payload: Payload) -> Payload:
    outlet = _outlet(charger, payload["connectorId"])
    if outlet is None:
        return {"status": "NotSupported"}
    if outlet.transaction is not None:
        outlet.end("UnlockCommand")
    return {"status": "Unlocked"}


def _change_availability(charger: Obedient, payload: Payload) -> Payload:
    number, operative = payload["connectorId"], payload["type"] == "Operative"
    concerned = [outlet for outlet in charger.outlets if number in (0, outlet.number)]
    if not concerned:
        return {"status": "Rejected"}
    for outlet in concerned:
        outlet.operative = operative
        if not outlet.busy:
            charger.later(outlet.become("Available" if operative else "Unavailable"))
    return {"status": "Scheduled" if any(outlet.busy for outlet in concerned) else "Accepted"}


def _trigger(charger: Obedient, payload: Payload) -> Payload:
    message, number = payload["requestedMessage"], payload.get("connectorId")
    concerned = [outlet for outlet in charger.outlets if number in (None, 0, outlet.number)]
    if not concerned:
        return {"status": "Rejected"}
    if message not in ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"):
        return {"status": "NotImplemented"}
    charger.later(_triggered(charger, message, concerned))
    return {"status": "Accepted"}


async def _triggered(charger: Obedient, message: str, concerned: list[Outlet]) -> None:
    await asyncio.sleep(_ANSWER_FIRST_S)
    if message == "BootNotification":
        await charger.boot()
    elif message == "Heartbeat":
        await charger.say_surely("Heartbeat", {})
    for outlet in concerned:
        if message == "StatusNotification":
            await outlet.report()
        elif message == "MeterValues":
            await outlet.meter_values("Trigger")


def _get_configuration(charger: Obedient, payload: Payload) -> Payload:
    wanted = payload.get("key") or list(charger.settings)
    known = [
        {"key": key, "readonly": charger.settings[key][1], "value": charger.settings[key][0]}
        for key in wanted
        if key in charger.settings
    ]
    answer: Payload = {"configurationKey": known}
    unknown = [key for key in wanted if key not in charger.settings]
    if unknown:
        answer["unknownKey"] = unknown
    return answer


def _change_configuration(charger: Obedient, payload: Payload) -> Payload:
    key, value = payload["key"], payload["value"]
    if key not in charger.settings:
        return {"status": "NotSupported"}
    if charger.settings[key][1]:
        return {"status": "Rejected"}
    if key == "MeterValueSampleInterval":
        if not value.isdigit():
            return {"status": "Rejected"}
        for outlet in charger.outlets:
            outlet.sample_s = float(value) or None
    charger.settings[key] = (value, False)
    return {"status": "Accepted"}


def _reserve(charger: Obedient, payload: Payload) -> Payload:
    outlet = _outlet(charger, payload["connectorId"])
    if outlet is None:
        return {"status": "Rejected"}
    if not outlet.operative:
        return {"status": "Unavailable"}
    if outlet.status == "Faulted":
        return {"status": "Faulted"}
    if outlet.busy or outlet.reservation is not None:
        return {"status": "Occupied"}
    outlet.reservation = (payload["reservationId"], payload["idTag"])
    charger.later(_keep(outlet, payload))
    return {"status": "Accepted"}


async def _keep(outlet: Outlet, payload: Payload) -> None:
    """Hold a connector until the reservation expires, is used or cancelled."""
    await asyncio.sleep(_ANSWER_FIRST_S)
    await outlet.become("Reserved")
    until = datetime.fromisoformat(payload["expiryDate"])
    await asyncio.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))
    if outlet.reservation is not None and outlet.reservation[0] == payload["reservationId"]:
        outlet.reservation = None
        await outlet.become("Available")


def _cancel_reservation(charger: Obedient, payload: Payload) -> Payload:
    for outlet in charger.outlets:
        if outlet.reservation is not None and outlet.reservation[0] == payload["reservationId"]:
            outlet.reservation = None
            charger.later(outlet.become("Available"))
            return {"status": "Accepted"}
    return {"status": "Rejected"}


def _set_profile(charger: Obedient, payload: Payload) -> Payload:
    schedule = payload["csChargingProfiles"]["chargingSchedule"]
    limit = float(schedule["chargingSchedulePeriod"][0]["limit"])
    watts = limit * _AC_VOLTS if schedule["chargingRateUnit"] == "A" else limit
    for outlet in charger.outlets:
        if payload["connectorId"] in (0, outlet.number):
            outlet.limit_w = watts
    return {"status": "Accepted"}


def _clear_profile(charger: Obedient, payload: Payload) -> Payload:
    limited = [outlet for outlet in charger.outlets if outlet.limit_w is not None]
    for outlet in limited:
        outlet.limit_w = None
    return {"status": "Accepted" if limited else "Unknown"}


def _send_local_list(charger: Obedient, payload: Payload) -> Payload:
    charger.list_version = payload["listVersion"]
    return {"status": "Accepted"}


def _list_version(charger: Obedient, payload: Payload) -> Payload:
    return {"listVersion": charger.list_version}


def _unknown_vendor(charger: Obedient, payload: Payload) -> Payload:
    return {"status": "UnknownVendorId"}


def _accepted(charger: Obedient, payload: Payload) -> Payload:
    return {"status": "Accepted"}


_ANSWERS: dict[str, Callable[[Obedient, Payload], Payload]] = {
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "Reset": _reset,
    "UnlockConnector": _unlock,
    "ChangeAvailability": _change_availability,
    "ClearCache": _accepted,
    "TriggerMessage": _trigger,
    "GetConfiguration": _get_configuration,
    "ChangeConfiguration": _change_configuration,
    "ReserveNow": _reserve,
    "CancelReservation": _cancel_reservation,
    "SetChargingProfile": _set_profile,
    "ClearChargingProfile": _clear_profile,
    "GetLocalListVersion": _list_version,
    "SendLocalList": _send_local_list,
    "DataTransfer": _unknown_vendor,
}
