"""Chargers and their connectors, in no protocol's words; pure."""

import re
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal

from onprem_csms.domain.chargers.places import Place
from onprem_csms.errors import Invalid

Registration = Literal["accepted", "pending", "rejected"]
ConnectorStatus = Literal[
    "available",
    "preparing",
    "charging",
    "suspended_charger",
    "suspended_vehicle",
    "finishing",
    "reserved",
    "occupied",
    "unavailable",
    "faulted",
    "unknown",
]
UnknownChargers = Literal["ask", "accept", "refuse"]
PasswordForm = Literal["", "text", "bytes"]

REGISTRATIONS: tuple[Registration, ...] = ("accepted", "pending", "rejected")
FREE_FOR_A_CAR: frozenset[str] = frozenset(("available", "preparing", "reserved", "finishing"))
MOST_CONNECTORS = 100
LONGEST_IDENTITY = 128
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 72

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]")
_HEX_KEY = re.compile(rb"(?:[0-9a-fA-F]{2}){16,20}")


@dataclass(frozen=True, slots=True)
class Connector:
    """A socket or cable of a charger; EVSE 0, number 0 is the charger as a whole and has no slug."""

    evse: int
    number: int
    name: str
    status: str
    error_code: str
    info: str
    status_at: datetime | None
    slug: str | None
    tariff_id: int | None

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.evse, self.number)

    @property
    def label(self) -> str:
        """Its short name: the number, after that of its EVSE where the charger has such."""
        return self.place.label


@dataclass(frozen=True, slots=True)
class Charger:
    """A charger as its site knows it. Its password is never here, only whether there is one."""

    id: str
    name: str
    registration: Registration
    security_profile: int
    has_password: bool
    allow_missing_subprotocol: bool
    token_transform: str
    tariff_id: int | None
    max_power_w: int | None
    pinned_protocol: str
    protocol: str
    vendor: str
    model: str
    serial: str
    firmware: str
    boot_info: dict[str, Any]
    booted_at: datetime | None
    connected_at: datetime | None
    disconnected_at: datetime | None
    created_at: datetime
    connectors: tuple[Connector, ...] = ()


@dataclass(frozen=True, slots=True)
class NewCharger:
    """What makes a charger; without a password one of profile 1 or 2 can't connect yet."""

    id: str
    name: str = ""
    registration: Registration = "accepted"
    security_profile: int = 1
    password: str | None = None
    allow_missing_subprotocol: bool = False
    token_transform: str = "none"  # noqa: S105 - how it writes card numbers
    pinned_protocol: str = ""
    tariff_id: int | None = None
    max_power_w: int | None = None


class Kept(Enum):
    """A field of a change that is not changed, where None is a value of its own."""

    KEPT = "kept"


KEPT: Final = Kept.KEPT


@dataclass(frozen=True, slots=True)
class ChargerChange:
    """What changes of a charger; ``password`` None takes it away."""

    name: str | Kept = KEPT
    registration: Registration | Kept = KEPT
    security_profile: int | Kept = KEPT
    password: str | Kept | None = KEPT
    allow_missing_subprotocol: bool | Kept = KEPT
    token_transform: str | Kept = KEPT
    pinned_protocol: str | Kept = KEPT
    tariff_id: int | Kept | None = KEPT
    max_power_w: int | Kept | None = KEPT


@dataclass(frozen=True, slots=True)
class ConnectorChange:
    """What changes of a connector; without a tariff of its own the charger's holds."""

    name: str | Kept = KEPT
    tariff_id: int | Kept | None = KEPT


def changed(change: ChargerChange | ConnectorChange) -> dict[str, Any]:
    """Return the fields that a change names."""
    values = {field.name: getattr(change, field.name) for field in fields(change)}
    return {name: value for name, value in values.items() if value is not KEPT}


@dataclass(frozen=True, slots=True)
class ConnectionAttempt:
    """A connection attempt: who it says it is, from where, with what; ``password`` as the raw bytes it sent."""

    candidates: tuple[str, ...]
    user: str | None
    password: bytes | None
    remote: str
    path: str
    subprotocols: tuple[str, ...]
    encrypted: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Boot:
    """What a charger says of itself when it starts; ``info`` is all of it in the charger's own words."""

    charger_id: str
    vendor: str
    model: str
    serial: str
    firmware: str
    info: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A connector says how it is; ``at`` is plausible, ``error_code`` empty without an error.

    None is what the charger did not say: it is as before.
    """

    charger_id: str
    place: Place
    status: ConnectorStatus | None
    at: datetime
    error_code: str | None = ""
    info: str = ""


@dataclass(frozen=True, slots=True)
class QuirkCount:
    """How often a charger deviated in one way since the last count, with an example."""

    kind: str
    times: int
    example: str = ""


def check_identity(identity: str) -> None:
    """Refuse an identity that no charger could use: Invalid with the path ``id``.

    A colon would end the user name of Basic authentication (RFC 7617, section 2).
    """
    if not identity or identity != identity.strip():
        raise Invalid("The identity must not be empty nor begin or end with a space.", path="id")
    if len(identity) > LONGEST_IDENTITY:
        raise Invalid("The identity must have at most {limit} characters.", path="id", limit=LONGEST_IDENTITY)
    if _CONTROL.search(identity) or ":" in identity:
        raise Invalid("The identity must not hold a colon or a control character.", path="id")
    if identity in (".", ".."):
        raise Invalid("An identity of dots alone can't stand in an address.", path="id")


def check_password(password: str) -> None:
    """Refuse a password that is too short or can't be typed: Invalid with the path ``password``."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(
            "The password must have from {least} to {most} characters.",
            path="password",
            least=SHORTEST_PASSWORD,
            most=LONGEST_PASSWORD,
        )
    if _CONTROL.search(password):
        raise Invalid("The password must not hold a control character.", path="password")


def password_forms(sent: bytes) -> tuple[tuple[PasswordForm, bytes], ...]:
    """List what a received password may stand for, as (form, canonical bytes).

    A key of 16 to 20 bytes is written as hexadecimal digits; chargers send either the digits, in
    either case, or the bytes they stand for (OCPP-J 1.6 section 6.2.2; the white paper's A00).
    """
    return (("text", canonical_password(sent)), ("bytes", sent.hex().encode()))


def canonical_password(password: bytes) -> bytes:
    """Return what is hashed: hexadecimal keys in lower case, anything else as it is."""
    return password.lower() if _HEX_KEY.fullmatch(password) else password
