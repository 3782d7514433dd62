"""The words of OCPP 2.0.1 for the neutral ones, and its small parts that several messages have; pure.

Part 2, section 3 has the enumerations, section 2 the types.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onprem_csms.domain.cards.tokens import Token, TokenType
from onprem_csms.domain.chargers.chargers import ConnectorStatus
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import Activity, StopReason, Verdict, VerdictStatus
from onprem_csms.domain.money.currencies import CURRENCIES
from onprem_csms.ocpp.rpc import moments

Payload = dict[str, Any]

LONGEST_TOKEN = 36
LARGEST_NUMBER = 2**31 - 1
NO_TOKEN = Token("", "none")
"""A button was pressed: charging without a token (C02)."""

STATUSES: dict[str, ConnectorStatus] = {
    "Available": "available",
    "Occupied": "occupied",
    "Reserved": "reserved",
    "Unavailable": "unavailable",
    "Faulted": "faulted",
}
TOKEN_TYPES: dict[str, TokenType] = {
    "Central": "central",
    "eMAID": "contract",
    "ISO14443": "card",
    "ISO15693": "card_15693",
    "KeyCode": "key_code",
    "Local": "local",
    "MacAddress": "mac_address",
    "NoAuthorization": "none",
}
ACTIVITIES: dict[str, Activity] = {"Charging": "charging", "SuspendedEV": "idle", "SuspendedEVSE": "paused"}
SHOWN: dict[str, ConnectorStatus] = {
    "Charging": "charging",
    "SuspendedEV": "suspended_vehicle",
    "SuspendedEVSE": "suspended_charger",
    "EVConnected": "preparing",
}
"""What a connector shows by the charging state of its transaction."""
REASONS: dict[str, StopReason] = {
    "DeAuthorized": "deauthorized",
    "EmergencyStop": "emergency",
    "EVDisconnected": "ev_disconnected",
    "ImmediateReset": "hard_reset",
    "Local": "local",
    "LocalOutOfCredit": "balance_used_up",
    "MasterPass": "deauthorized",
    "PowerLoss": "power_loss",
    "Reboot": "reboot",
    "Remote": "remote",
    "StoppedByEV": "local",
}
VERDICTS: dict[VerdictStatus, str] = {
    "accepted": "Accepted",
    "blocked": "Blocked",
    "expired": "Expired",
    "invalid": "Unknown",
    "concurrent": "ConcurrentTx",
    "no_credit": "NoCredit",
}
REGISTRATIONS = {"accepted": "Accepted", "pending": "Pending", "rejected": "Rejected"}
_HEXADECIMAL = frozenset("0123456789ABCDEFabcdef")
_CARD_LENGTHS = (8, 14, 20)


def token(told: object) -> Token | None:
    """Read an IdToken (2.28); None where there is none. An empty one is a start without a token."""
    if not isinstance(told, Mapping):
        return None
    value = str(told.get("idToken") or "").strip()
    kind = TOKEN_TYPES.get(str(told.get("type")), "other")
    return Token(value, kind) if value and kind != "none" else NO_TOKEN


def id_token(uid: str) -> Payload:
    """Write a card's number as an IdToken: a number as cards have it is a card, anything else is ours.

    The type matters: a charger holds two tokens to be one only where value and type are the same (C01.FR.25).
    """
    card = len(uid) in _CARD_LENGTHS and _HEXADECIMAL.issuperset(uid)
    return {"idToken": uid[:LONGEST_TOKEN], "type": "ISO14443" if card else "Central"}


def token_info(verdict: Verdict, now: str) -> Payload:
    """Write a verdict as an IdTokenInfo (2.29); ``now`` is the time of the answer.

    A card whose money is counted here must not be remembered by the charger: it expires there at once.
    """
    info: Payload = {"status": VERDICTS[verdict.status]}
    if verdict.ask_again:
        info["cacheExpiryDateTime"] = now
    elif verdict.expires_at is not None:
        info["cacheExpiryDateTime"] = moments.wire(verdict.expires_at)
    if verdict.group:
        info["groupIdToken"] = {"idToken": verdict.group[:LONGEST_TOKEN], "type": "Central"}
    return info


def place(told: object) -> Place | None:
    """Read an EVSE (2.24); its connector is 0 where none is named. None where no EVSE is named."""
    if not isinstance(told, Mapping):
        return None
    evse, connector = number(told.get("id")), number(told.get("connectorId"))
    return None if evse is None else Place(evse, connector or 0)


def evse(where: Place) -> Payload:
    """Write a place as an EVSE."""
    named = {"id": evse_id(where)}
    if where.evse and where.connector:
        named["connectorId"] = where.connector
    return named


def evse_id(where: Place) -> int:
    """Return the number of a place's EVSE; of one that was told in 1.6's way, the connector's number is the EVSE's."""
    return where.evse or where.connector


def number(told: object) -> int | None:
    """Read a number that names something; None for what can't be one."""
    if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= LARGEST_NUMBER:
        return told
    return None


def cost(minor: int, currency: str) -> float:
    """Write an amount in units of its currency, as the protocol has it (I02, I03)."""
    known = CURRENCIES.get(currency)
    return float(Decimal(minor).scaleb(-(known.decimals if known else 2)))


def text(told: object, longest: int) -> str:
    """Read a text that can be shown; empty where there is none."""
    if told is None:
        return ""
    return "".join(character for character in str(told) if character.isprintable())[:longest].strip()
