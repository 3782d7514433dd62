"""Neutral commands to a charger: what is wanted of it, in no protocol's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Topic = Literal["boot", "heartbeat", "meter", "status", "firmware", "diagnostics"]


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """Begin a session for this card; ``connector`` None lets the charger choose."""

    uid: str
    connector: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteStop:
    """End the session of this transaction."""

    transaction_id: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Restart the charger; a hard one pulls the plug on its sessions."""

    hard: bool = False


@dataclass(frozen=True, slots=True)
class Unlock:
    """Release the cable of a connector."""

    connector: int


@dataclass(frozen=True, slots=True)
class ChangeAvailability:
    """Put a connector (0: the whole charger) into or out of service."""

    operative: bool
    connector: int = 0


@dataclass(frozen=True, slots=True)
class ClearCache:
    """Let the charger forget the cards it remembers."""


@dataclass(frozen=True, slots=True)
class GetConfiguration:
    """Read settings of the charger; no key means all of them."""

    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeConfiguration:
    """Set one setting of the charger."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """Ask the charger to send a message now; ``connector`` None is the whole charger."""

    topic: Topic
    connector: int | None = None


@dataclass(frozen=True, slots=True)
class Reserve:
    """Keep a connector (0: any) for a card until a moment."""

    reservation_id: int
    connector: int
    uid: str
    until: datetime
    group: str | None = None


@dataclass(frozen=True, slots=True)
class CancelReservation:
    """Give a reserved connector free again."""

    reservation_id: int


@dataclass(frozen=True, slots=True)
class FollowProfile:
    """Let a connector (0: the whole charger) follow a charging profile under a number.

    ``profile`` is in the words of the protocol it was written for; the charger's own protocol judges it.
    """

    connector: int
    profile_id: int
    profile: Mapping[str, Any]


Command = (
    RemoteStart
    | RemoteStop
    | Reset
    | Unlock
    | ChangeAvailability
    | ClearCache
    | GetConfiguration
    | ChangeConfiguration
    | Trigger
    | Reserve
    | CancelReservation
    | FollowProfile
)
