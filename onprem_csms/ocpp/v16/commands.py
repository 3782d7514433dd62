"""OCPP 1.6: what the csms may ask of a charger (OCPP 1.6 edition 2, section 5; the security white paper).

``COMMANDS`` names every command and what is left on record of it; ``translate`` makes the neutral
commands of the services into requests, their members in the order of the specification.
"""

from collections.abc import Callable, Mapping
from typing import Any

from onprem_csms.domain.chargers import commands
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.records import ProfileFilter, ProfileInForce, Purpose
from onprem_csms.domain.chargers.variables import Told, Variable, WishStatus
from onprem_csms.errors import Invalid
from onprem_csms.ocpp.link.outgoing import Answered, CommandKind
from onprem_csms.ocpp.rpc import moments
from onprem_csms.services.chargers import configuration, inventory, profiles
from onprem_csms.services.charging import reservations
from onprem_csms.services.core.context import Tx

Request = dict[str, Any]

KEY_OF_PASSWORD = "AuthorizationKey"  # noqa: S105 - the name of a setting
LONGEST_TOKEN = 20
LONGEST_KEY = 200
LIMITS_FROM = 1_000_000_000
"""Numbers of profiles from here on are limits that stop a session."""
_HIDDEN = "***"
_WISHES: dict[str, WishStatus] = {
    "Accepted": "accepted",
    "RebootRequired": "reboot_required",
    "Rejected": "rejected",
    "NotSupported": "not_supported",
}
_PURPOSES: dict[str, Purpose] = {
    "ChargePointMaxProfile": "charger",
    "TxDefaultProfile": "default",
    "TxProfile": "session",
}
_TOPICS: dict[commands.Topic, str] = {
    "boot": "BootNotification",
    "heartbeat": "Heartbeat",
    "meter": "MeterValues",
    "status": "StatusNotification",
    "firmware": "FirmwareStatusNotification",
    "diagnostics": "DiagnosticsStatusNotification",
}


def translate(command: commands.Command) -> tuple[str, Request]:
    """Return the action and the request of a neutral command; Invalid where 1.6 can't say it."""
    return _TRANSLATIONS[type(command)](command)


def _remote_start(command: commands.RemoteStart) -> tuple[str, Request]:
    return "RemoteStartTransaction", {**_maybe_place(command.place), "idTag": _token(command.uid)}


def _remote_stop(command: commands.RemoteStop) -> tuple[str, Request]:
    return "RemoteStopTransaction", {"transactionId": _number(command.transaction_id)}


def _stop_by_limit(command: commands.StopByLimit) -> tuple[str, Request]:
    return "SetChargingProfile", {
        "connectorId": _connector(command.place),
        "csChargingProfiles": {
            "chargingProfileId": LIMITS_FROM + command.number % LIMITS_FROM,
            "transactionId": _number(command.transaction_id),
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}],
            },
        },
    }


def _reset(command: commands.Reset) -> tuple[str, Request]:
    return "Reset", {"type": "Hard" if command.hard else "Soft"}


def _unlock(command: commands.Unlock) -> tuple[str, Request]:
    return "UnlockConnector", {"connectorId": _connector(command.place)}


def _change_availability(command: commands.ChangeAvailability) -> tuple[str, Request]:
    word = "Operative" if command.operative else "Inoperative"
    return "ChangeAvailability", {"connectorId": _connector(command.place), "type": word}


def _clear_cache(command: commands.ClearCache) -> tuple[str, Request]:
    return "ClearCache", {}


def _read_variables(command: commands.ReadVariables) -> tuple[str, Request]:
    keys = [variable.key for variable in command.variables]
    return "GetConfiguration", {"key": keys} if keys else {}


def _set_variables(command: commands.SetVariables) -> tuple[str, Request]:
    # One to a message; ``parts`` has seen to it.
    ((variable, value),) = command.wishes
    return "ChangeConfiguration", {"key": variable.key, "value": value}


def _show_cost(command: commands.ShowCost) -> tuple[str, Request]:
    raise Invalid("This charger's protocol can't show a running cost.")


def parts(tx: Tx, charger_id: str, command: commands.Command) -> list[commands.Command]:
    """Cut a command into such as fit one message each: 1.6 sets one key at a time (5.3)."""
    if isinstance(command, commands.SetVariables):
        return [commands.SetVariables((wish,)) for wish in command.wishes]
    return [command]


def _trigger(command: commands.Trigger) -> tuple[str, Request]:
    return "TriggerMessage", {"requestedMessage": _TOPICS[command.topic], **_maybe_place(command.place)}


def _reserve(command: commands.Reserve) -> tuple[str, Request]:
    group = {"parentIdTag": command.group[:LONGEST_TOKEN]} if command.group else {}
    return "ReserveNow", {
        "connectorId": _connector(command.place),
        "expiryDate": moments.wire(command.until),
        "idTag": _token(command.uid),
        **group,
        "reservationId": command.reservation_id,
    }


def _cancel_reservation(command: commands.CancelReservation) -> tuple[str, Request]:
    return "CancelReservation", {"reservationId": command.reservation_id}


def _follow_profile(command: commands.FollowProfile) -> tuple[str, Request]:
    # Its own number, if it has one, gives way in its place; the member comes first (7.8).
    numbered = {"chargingProfileId": 0, **command.profile} | {"chargingProfileId": command.profile_id}
    return "SetChargingProfile", {"connectorId": _connector(command.place), "csChargingProfiles": numbered}


_TRANSLATIONS: dict[type, Callable[[Any], tuple[str, Request]]] = {
    commands.RemoteStart: _remote_start,
    commands.RemoteStop: _remote_stop,
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


def _maybe_place(place: Place | None) -> Request:
    return {} if place is None else {"connectorId": _connector(place)}


def _connector(place: Place) -> int:
    """Return the number of a place: of an EVSE that a newer protocol told of, 1.6 knows the number only."""
    return place.connector if place.evse == 0 else place.evse


def _token(uid: str) -> str:
    if len(uid) > LONGEST_TOKEN:
        raise Invalid("The card number is too long for this charger.", path="uid")
    return uid


def _number(transaction_id: str) -> int:
    try:
        return int(transaction_id)
    except ValueError:
        raise Invalid("This charger's transactions are numbers.", path="transaction_id") from None


def _reserved(tx: Tx, answered: Answered) -> None:
    if answered.status != "Accepted":
        return
    request = answered.request
    believed = moments.Window(moments.FIRST, moments.LAST, tx.now)
    reservations.made(
        tx,
        reservations.NewReservation(
            answered.charger_id,
            request["reservationId"],
            Place(0, request["connectorId"]),
            request["idTag"],
            moments.read(request["expiryDate"], believed)[0],
            request.get("parentIdTag"),
        ),
    )


def _reservation_cancelled(tx: Tx, answered: Answered) -> None:
    if answered.status == "Accepted":
        reservations.cancelled(tx, answered.charger_id, answered.request["reservationId"])


def _profile_set(tx: Tx, answered: Answered) -> None:
    if answered.status == "Accepted":
        _in_force(
            tx, answered.charger_id, answered.request["connectorId"], answered.request["csChargingProfiles"]
        )


def _remote_started(tx: Tx, answered: Answered) -> None:
    profile = answered.request.get("chargingProfile")
    if answered.status == "Accepted" and profile is not None:
        _in_force(tx, answered.charger_id, answered.request.get("connectorId", 0), profile)


def _in_force(tx: Tx, charger_id: str, connector: int, profile: Mapping[str, Any]) -> None:
    accepted = ProfileInForce(
        charger_id,
        Place(0, connector),
        profile["chargingProfileId"],
        _PURPOSES[profile["chargingProfilePurpose"]],
        profile["stackLevel"],
        profile,
    )
    profiles.put_in_force(tx, accepted)


def _profiles_cleared(tx: Tx, answered: Answered) -> None:
    # Unknown: the charger has none of these, so what the record says of them is wrong as well.
    if answered.status in ("Accepted", "Unknown"):
        request = answered.request
        purpose = request.get("chargingProfilePurpose")
        which = ProfileFilter(
            request.get("id"),
            Place(0, request["connectorId"]) if "connectorId" in request else None,
            None if purpose is None else _PURPOSES[purpose],
            request.get("stackLevel"),
        )
        profiles.cleared(tx, answered.charger_id, which)


def _configuration_told(tx: Tx, answered: Answered) -> None:
    if answered.outcome != "answered":
        return
    told = answered.response.get("configurationKey") or ()
    configuration.report(
        tx,
        answered.charger_id,
        [
            Told(
                Variable("", str(entry["key"])[:LONGEST_KEY]),
                _maybe_text(entry.get("value")),
                mutability="read_only" if entry.get("readonly") else "read_write",
            )
            for entry in told
            if isinstance(entry, dict) and entry.get("key") and not _is_password(entry["key"])
        ],
    )


def _maybe_text(value: object) -> str | None:
    return None if value is None else str(value)


def _wants_configuration(tx: Tx, charger_id: str, request: Mapping[str, Any]) -> None:
    if _is_password(request["key"]):
        inventory.offer_password(tx, charger_id, str(request["value"]).encode())
    else:
        configuration.want(tx, charger_id, Variable("", request["key"]), request["value"])


def _configuration_answered(tx: Tx, answered: Answered) -> None:
    key = answered.request["key"]
    wish = _WISHES.get(answered.status)
    if answered.outcome == "error":
        wish = "rejected"
    if wish is None:
        return  # no answer: asked again when the charger comes back, and both passwords stay valid
    if _is_password(key):
        inventory.settle_password(tx, answered.charger_id, accepted=wish in ("accepted", "reboot_required"))
    else:
        configuration.want(tx, answered.charger_id, Variable("", key), answered.request["value"], wish)


def _is_password(key: object) -> bool:
    """Tell whether a key is the password's, however it is written: keys are compared without case (OCPP 1.6, 9.1)."""
    return isinstance(key, str) and key.strip().casefold() == KEY_OF_PASSWORD.casefold()


def _without_password(request: Mapping[str, Any]) -> Request:
    shown = dict(request)
    if _is_password(shown.get("key")):
        shown["value"] = _HIDDEN
    return shown


def _without_told_password(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Hide a password that a charger tells although it must not (OCPP-J 1.6 errata 3.10)."""
    told = response.get("configurationKey")
    if not isinstance(told, list):
        return response
    return {**response, "configurationKey": [_hidden(entry) for entry in told]}


def _hidden(entry: Any) -> Any:
    told = isinstance(entry, dict) and _is_password(entry.get("key"))
    return {**entry, "value": _HIDDEN} if told else entry


def _profile_place(request: Mapping[str, Any]) -> tuple[Any, ...]:
    """Name what a charging profile sets: a later one of the same place, purpose and level replaces it (3.13.2)."""
    profile = request["csChargingProfiles"]
    session = profile.get("transactionId")
    return request["connectorId"], profile["chargingProfilePurpose"], profile["stackLevel"], session


def _requested_message(request: Mapping[str, Any]) -> str:
    return str(request.get("requestedMessage", ""))


_NO_WORD = CommandKind(accepted=frozenset())
_PLAIN = CommandKind()

COMMANDS: dict[str, CommandKind] = {
    "CancelReservation": CommandKind(record=_reservation_cancelled),
    "CertificateSigned": _PLAIN,
    "ChangeAvailability": CommandKind(accepted=frozenset(("Accepted", "Scheduled"))),
    "ChangeConfiguration": CommandKind(
        accepted=frozenset(("Accepted", "RebootRequired")),
        prepare=_wants_configuration,
        record=_configuration_answered,
        shown=_without_password,
    ),
    "ClearCache": _PLAIN,
    "ClearChargingProfile": CommandKind(record=_profiles_cleared, lane="limit"),
    "DataTransfer": _PLAIN,
    "DeleteCertificate": _PLAIN,
    "ExtendedTriggerMessage": CommandKind(asks_for=_requested_message),
    "GetCompositeSchedule": _PLAIN,
    "GetConfiguration": CommandKind(
        accepted=frozenset(), record=_configuration_told, shown_answer=_without_told_password
    ),
    "GetDiagnostics": _NO_WORD,
    "GetInstalledCertificateIds": _PLAIN,
    "GetLocalListVersion": _NO_WORD,
    "GetLog": CommandKind(accepted=frozenset(("Accepted", "AcceptedCanceled"))),
    "InstallCertificate": _PLAIN,
    "RemoteStartTransaction": CommandKind(record=_remote_started),
    "RemoteStopTransaction": CommandKind(lane="stop"),
    "ReserveNow": CommandKind(record=_reserved),
    "Reset": _PLAIN,
    "SendLocalList": _PLAIN,
    "SetChargingProfile": CommandKind(record=_profile_set, lane="limit", replaces=_profile_place),
    "SignedUpdateFirmware": CommandKind(accepted=frozenset(("Accepted", "AcceptedCanceled"))),
    "TriggerMessage": CommandKind(asks_for=_requested_message),
    "UnlockConnector": CommandKind(accepted=frozenset(("Unlocked",))),
    "UpdateFirmware": _NO_WORD,
}
