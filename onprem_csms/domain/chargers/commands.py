"""Neutral commands to a charger: what is wanted of it, in no protocol's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place
from onprem_csms.domain.chargers.variables import Variable

Topic = Literal["boot", "heartbeat", "meter", "status", "firmware", "diagnostics"]


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """Begin a session for this card; ``place`` None lets the charger choose.

    ``number`` is the one that its report will name where the protocol has such (``Report.ordered_by``); None: any.
    """

    uid: str
    place: Place | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteStop:
    """End the session of this transaction."""

    transaction_id: str


@dataclass(frozen=True, slots=True)
class StopByLimit:
    """Let the session of this transaction take no power: a limit of 0 A, under a number of ours."""

    place: Place
    transaction_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Restart the charger; a hard one pulls the plug on its sessions."""

    hard: bool = False


@dataclass(frozen=True, slots=True)
class Unlock:
    """Release the cable of a connector."""

    place: Place


@dataclass(frozen=True, slots=True)
class ChangeAvailability:
    """Put a connector, an EVSE or the whole charger into or out of service."""

    operative: bool
    place: Place = WHOLE_CHARGER


@dataclass(frozen=True, slots=True)
class ClearCache:
    """Let the charger forget the cards it remembers."""


@dataclass(frozen=True, slots=True)
class ReadVariables:
    """Read variables of the charger; none named means all of them."""

    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class SetVariables:
    """Set variables of the charger, each to its value."""

    wishes: tuple[tuple[Variable, str], ...]


@dataclass(frozen=True, slots=True)
class ShowCost:
    """Let the charger show what a running session has cost so far, in minor units of a currency."""

    transaction_id: str
    cost: int
    currency: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """Ask the charger to send a message now; ``place`` None is the whole charger."""

    topic: Topic
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Reserve:
    """Keep a connector (of the whole charger: any) for a card until a moment."""

    reservation_id: int
    place: Place
    uid: str
    until: datetime
    group: str | None = None


@dataclass(frozen=True, slots=True)
class CancelReservation:
    """Give a reserved connector free again."""

    reservation_id: int


@dataclass(frozen=True, slots=True)
class FollowProfile:
    """Let a connector (or the whole charger) follow a charging profile under a number.

    ``profile`` is in the words of the protocol it was written for; the charger's own protocol judges it.
    """

    place: Place
    profile_id: int
    profile: Mapping[str, Any]


Command = (
    RemoteStart
    | RemoteStop
    | StopByLimit
    | Reset
    | Unlock
    | ChangeAvailability
    | ClearCache
    | ReadVariables
    | SetVariables
    | ShowCost
    | Trigger
    | Reserve
    | CancelReservation
    | FollowProfile
)
