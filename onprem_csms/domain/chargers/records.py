"""What is on record about a charger, in no protocol's words; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from onprem_csms.domain.chargers.places import Place

Purpose = Literal["charger", "default", "session"]
"""A charging profile limits the whole charger, every session to come, or the session that runs."""


@dataclass(frozen=True, slots=True)
class RefusedAttempt:
    """A connection attempt that was refused; ``reason`` is a key of ``admission.REASONS``.

    ``keys_differ``: callers with different keys came under this name, and which one is the charger can't be told.
    """

    identity: str
    remote: str
    path: str
    subprotocols: str
    with_credentials: bool
    reason: str
    known: bool
    first_at: datetime
    last_at: datetime
    times: int
    keys_differ: bool = False


@dataclass(frozen=True, slots=True)
class Quirk:
    """How often a charger deviated in one way; the kinds are listed in docs/chargers.md."""

    kind: str
    times: int
    first_at: datetime
    last_at: datetime
    example: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a charger told of itself, in its own words."""

    id: int
    at: datetime
    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StatusSpan:
    """A connector was in one status; ``until`` None: it still is."""

    evse: int
    connector: int
    status: str
    error_code: str
    since: datetime
    until: datetime | None

    @property
    def place(self) -> Place:
        """Of which connector."""
        return Place(self.evse, self.connector)


@dataclass(frozen=True, slots=True)
class ConnectionSpan:
    """A charger was connected; ``until`` None: it still is."""

    protocol: str
    remote: str
    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A charging profile that the site keeps; its ``id`` is the one that goes out to chargers."""

    id: int
    description: str
    profile: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ProfileInForce:
    """A charging profile that a charger accepted; EVSE and connector 0 is the whole charger."""

    charger_id: str
    place: Place
    profile_id: int
    purpose: Purpose
    stack_level: int
    profile: Mapping[str, Any]
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """Which charging profiles a charger dropped; None fits every one."""

    profile_id: int | None = None
    place: Place | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None
