"""OCPP 2.0.1: what may be asked of a charger, and what is left on record of each answer (part 2, section 1)."""

from collections.abc import Mapping
from typing import Any

from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.records import ProfileFilter, ProfileInForce, Purpose
from onprem_csms.ocpp.link.outgoing import Answered, CommandKind
from onprem_csms.ocpp.rpc import moments
from onprem_csms.ocpp.v2 import variables
from onprem_csms.services.chargers import profiles
from onprem_csms.services.charging import reservations
from onprem_csms.services.core.context import Tx

_PURPOSES: dict[str, Purpose] = {
    "ChargingStationMaxProfile": "charger",
    "TxDefaultProfile": "default",
    "TxProfile": "session",
}
# What the charger sends when it is asked to, where the word is not the message's own name.
_TRIGGERED = {
    "SignChargingStationCertificate": "SignCertificate",
    "SignV2GCertificate": "SignCertificate",
    "SignCombinedCertificate": "SignCertificate",
}


def _reserved(tx: Tx, answered: Answered) -> None:
    if answered.status != "Accepted":
        return
    request = answered.request
    believed = moments.Window(moments.FIRST, moments.LAST, tx.now)
    reservations.made(
        tx,
        reservations.NewReservation(
            answered.charger_id,
            request["id"],
            Place(request.get("evseId", 0), 0),
            request["idToken"]["idToken"],
            moments.read(request["expiryDateTime"], believed)[0],
            request.get("groupIdToken", {}).get("idToken"),
        ),
    )


def _reservation_cancelled(tx: Tx, answered: Answered) -> None:
    if answered.status == "Accepted":
        reservations.cancelled(tx, answered.charger_id, answered.request["reservationId"])


def _profile_set(tx: Tx, answered: Answered) -> None:
    if answered.status == "Accepted":
        _in_force(tx, answered.charger_id, answered.request["evseId"], answered.request["chargingProfile"])


def _remote_started(tx: Tx, answered: Answered) -> None:
    profile = answered.request.get("chargingProfile")
    if answered.status == "Accepted" and profile is not None:
        _in_force(tx, answered.charger_id, answered.request.get("evseId", 0), profile)


def _in_force(tx: Tx, charger_id: str, evse: int, profile: Mapping[str, Any]) -> None:
    purpose = _PURPOSES.get(profile["chargingProfilePurpose"])
    if purpose is None:
        return  # what the grid limits is not ours to keep
    accepted = ProfileInForce(
        charger_id, Place(evse, 0), profile["id"], purpose, profile["stackLevel"], profile
    )
    profiles.put_in_force(tx, accepted)


def _profiles_cleared(tx: Tx, answered: Answered) -> None:
    # Unknown: the charger has none of these, so what the record says of them is wrong as well.
    if answered.status in ("Accepted", "Unknown"):
        which = answered.request.get("chargingProfileCriteria", {})
        purpose = which.get("chargingProfilePurpose")
        found = ProfileFilter(
            answered.request.get("chargingProfileId"),
            Place(which["evseId"], 0) if "evseId" in which else None,
            None if purpose is None else _PURPOSES.get(purpose),
            which.get("stackLevel"),
        )
        profiles.cleared(tx, answered.charger_id, found)


def _asks_for(request: Mapping[str, Any]) -> str:
    word = str(request["requestedMessage"])
    return _TRIGGERED.get(word, word)


_NO_WORD = CommandKind(accepted=frozenset())
_PLAIN = CommandKind()
_TAKEN_ON = CommandKind(accepted=frozenset(("Accepted", "AcceptedCanceled")))

COMMANDS: dict[str, CommandKind] = {
    "CancelReservation": CommandKind(record=_reservation_cancelled),
    "CertificateSigned": _PLAIN,
    "ChangeAvailability": CommandKind(accepted=frozenset(("Accepted", "Scheduled"))),
    "ClearCache": _PLAIN,
    "ClearChargingProfile": CommandKind(record=_profiles_cleared),
    "ClearDisplayMessage": _PLAIN,
    "ClearVariableMonitoring": _NO_WORD,
    "CostUpdated": _NO_WORD,
    "CustomerInformation": _PLAIN,
    "DataTransfer": _PLAIN,
    "DeleteCertificate": _PLAIN,
    "GetBaseReport": _PLAIN,
    "GetChargingProfiles": _PLAIN,
    "GetCompositeSchedule": _PLAIN,
    "GetDisplayMessages": _PLAIN,
    "GetInstalledCertificateIds": _PLAIN,
    "GetLocalListVersion": _NO_WORD,
    "GetLog": _TAKEN_ON,
    "GetMonitoringReport": _PLAIN,
    "GetReport": _PLAIN,
    "GetTransactionStatus": _NO_WORD,
    "GetVariables": CommandKind(
        accepted=frozenset(), record=variables.read, shown_answer=variables.without_told_password
    ),
    "InstallCertificate": _PLAIN,
    "PublishFirmware": _PLAIN,
    "RequestStartTransaction": CommandKind(record=_remote_started),
    "RequestStopTransaction": CommandKind(lane="stop"),
    "ReserveNow": CommandKind(record=_reserved),
    "Reset": CommandKind(accepted=frozenset(("Accepted", "Scheduled"))),
    "SendLocalList": _PLAIN,
    "SetChargingProfile": CommandKind(record=_profile_set, lane="limit"),
    "SetDisplayMessage": _PLAIN,
    "SetMonitoringBase": _PLAIN,
    "SetMonitoringLevel": _PLAIN,
    "SetNetworkProfile": _PLAIN,
    "SetVariableMonitoring": _NO_WORD,
    "SetVariables": CommandKind(
        prepare=variables.wants,
        record=variables.concluded,
        shown=variables.without_password,
        agreement=variables.agrees,
    ),
    "TriggerMessage": CommandKind(asks_for=_asks_for),
    "UnlockConnector": CommandKind(accepted=frozenset(("Unlocked",))),
    "UnpublishFirmware": CommandKind(accepted=frozenset(("Unpublished",))),
    "UpdateFirmware": _TAKEN_ON,
}
