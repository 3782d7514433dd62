"""The neutral commands as requests of OCPP 2.0.1, their members in the order of the specification; pure."""

import secrets
from collections.abc import Callable
from typing import Any

from onprem_csms.domain.chargers import commands
from onprem_csms.domain.chargers.places import Place
from onprem_csms.errors import Invalid
from onprem_csms.ocpp.rpc import moments
from onprem_csms.ocpp.v2 import variables, words

Request = dict[str, Any]
LIMITS_FROM = 1_000_000_000
"""Numbers of profiles from here on are limits that stop a session."""

_TOPICS: dict[commands.Topic, str] = {
    "boot": "BootNotification",
    "heartbeat": "Heartbeat",
    "meter": "MeterValues",
    "status": "StatusNotification",
    "firmware": "FirmwareStatusNotification",
    "diagnostics": "LogStatusNotification",
}


def translate(command: commands.Command) -> tuple[str, Request]:
    """Return the action and the request of a neutral command; Invalid where 2.0.1 can't say it."""
    return _TRANSLATIONS[type(command)](command)


def _start(command: commands.RemoteStart) -> tuple[str, Request]:
    # F01, F02. Always with the EVSE where one is meant: chargers that may choose choose wrongly.
    where = {} if command.place is None else {"evseId": words.evse_id(command.place)}
    number = _any_number() if command.number is None else command.number
    return "RequestStartTransaction", {**where, "idToken": _token(command.uid), "remoteStartId": number}


def _stop(command: commands.RemoteStop) -> tuple[str, Request]:
    return "RequestStopTransaction", {"transactionId": command.transaction_id}


def _stop_by_limit(command: commands.StopByLimit) -> tuple[str, Request]:
    period = {"startPeriod": 0, "limit": 0}
    return "SetChargingProfile", {
        "evseId": words.evse_id(command.place),
        "chargingProfile": {
            "id": LIMITS_FROM + command.number % LIMITS_FROM,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "transactionId": command.transaction_id,
            "chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}],
        },
    }


def _reset(command: commands.Reset) -> tuple[str, Request]:
    return "Reset", {"type": "Immediate" if command.hard else "OnIdle"}


def _unlock(command: commands.Unlock) -> tuple[str, Request]:
    return "UnlockConnector", {
        "evseId": words.evse_id(command.place),
        "connectorId": _connector(command.place),
    }


def _change_availability(command: commands.ChangeAvailability) -> tuple[str, Request]:
    word = "Operative" if command.operative else "Inoperative"
    return "ChangeAvailability", {"operationalStatus": word, **_evse(command.place)}


def _clear_cache(command: commands.ClearCache) -> tuple[str, Request]:
    return "ClearCache", {}


def _read_variables(command: commands.ReadVariables) -> tuple[str, Request]:
    if not command.variables:
        return "GetBaseReport", {"requestId": _any_number(), "reportBase": "FullInventory"}
    wanted = [_named(variable) for variable in command.variables]
    return "GetVariables", {"getVariableData": wanted}


def _set_variables(command: commands.SetVariables) -> tuple[str, Request]:
    wanted = [{"attributeValue": value, **_named(variable)} for variable, value in command.wishes]
    return "SetVariables", {"setVariableData": wanted}


def _show_cost(command: commands.ShowCost) -> tuple[str, Request]:
    return "CostUpdated", {
        "totalCost": words.cost(command.cost, command.currency),
        "transactionId": command.transaction_id,
    }


def _trigger(command: commands.Trigger) -> tuple[str, Request]:
    where = {} if command.place is None else _evse(command.place)
    if command.topic == "status" and where:
        # A status is a connector's (F06.FR.13).
        where["evse"]["connectorId"] = _connector(command.place or Place(0, 1))
    return "TriggerMessage", {**where, "requestedMessage": _TOPICS[command.topic]}


def _reserve(command: commands.Reserve) -> tuple[str, Request]:
    where = {} if command.place.whole_charger else {"evseId": words.evse_id(command.place)}
    group = {"groupIdToken": _group(command.group)} if command.group else {}
    return "ReserveNow", {
        "id": command.reservation_id,
        "expiryDateTime": moments.wire(command.until),
        "idToken": _token(command.uid),
        **where,
        **group,
    }


def _cancel_reservation(command: commands.CancelReservation) -> tuple[str, Request]:
    return "CancelReservation", {"reservationId": command.reservation_id}


def _follow_profile(command: commands.FollowProfile) -> tuple[str, Request]:
    numbered = {"id": 0, **command.profile} | {"id": command.profile_id}
    return "SetChargingProfile", {"evseId": words.evse_id(command.place), "chargingProfile": numbered}


_TRANSLATIONS: dict[type, Callable[[Any], tuple[str, Request]]] = {
    commands.RemoteStart: _start,
    commands.RemoteStop: _stop,
    commands.StopByLimit: _stop_by_limit,
    commands.Reset: _reset,
    commands.Unlock: _unlock,
    commands.ChangeAvailability: _change_availability,
    commands.ClearCache: _clear_cache,
    commands.ReadVariables: _read_variables,
    commands.SetVariables: _set_variables,
    commands.ShowCost: _show_cost,
    commands.Trigger: _trigger,
    commands.Reserve: _reserve,
    commands.CancelReservation: _cancel_reservation,
    commands.FollowProfile: _follow_profile,
}


def _named(variable: Any) -> Request:
    if not variable.component:
        raise Invalid("This charger's variables have a component: write Component.Variable.", path="key")
    return variables.named(variable)


def _evse(place: Place) -> Request:
    return {} if place.whole_charger else {"evse": words.evse(place)}


def _connector(place: Place) -> int:
    """Return the number of a place's connector; of one that nobody named, the first."""
    return place.connector if place.evse and place.connector else 1


def _token(uid: str) -> Request:
    if len(uid) > words.LONGEST_TOKEN:
        raise Invalid("The card number is too long for this charger.", path="uid")
    return words.id_token(uid)


def _group(name: str) -> Request:
    return {"idToken": name[: words.LONGEST_TOKEN], "type": "Central"}


def _any_number() -> int:
    return 1 + secrets.randbelow(words.LARGEST_NUMBER)
