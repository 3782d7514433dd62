"""Charging profiles: those the site keeps under a description, and those in force at chargers.

A profile is kept in the words of the protocol it was written for; here it is only carried.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from onprem_csms.clock import from_text, to_text
from onprem_csms.db.chargers import profiles as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import Invalid, NotFound
from onprem_csms.events import Event

Purpose = Literal["charger", "default", "session"]
"""A profile limits the whole charger, every session to come, or the session that runs."""

LONGEST_DESCRIPTION = 200
LARGEST_PROFILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile that the site keeps; its ``id`` is the one that goes out to chargers."""

    id: int
    description: str
    profile: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ProfileInForce:
    """A profile that a charger accepted; connector 0 is the whole charger."""

    charger_id: str
    connector: int
    profile_id: int
    purpose: Purpose
    stack_level: int
    profile: Mapping[str, Any]
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """Which profiles a charger dropped; None fits every one."""

    profile_id: int | None = None
    connector: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None


def create(tx: Tx, description: str, profile: Mapping[str, Any]) -> StoredProfile:
    """Keep a profile; Invalid with the path."""
    text = _checked(description, profile)
    return get(tx, rows.insert(tx, description, text))


def update(tx: Tx, profile_id: int, description: str, profile: Mapping[str, Any]) -> StoredProfile:
    """Change a profile; what is in force stays as it is. NotFound, Invalid with the path."""
    if not rows.update(tx, profile_id, description, _checked(description, profile)):
        raise _unknown(profile_id)
    return get(tx, profile_id)


def delete(tx: Tx, profile_id: int) -> None:
    """Forget a profile; what is in force stays. NotFound."""
    if not rows.delete(tx, profile_id):
        raise _unknown(profile_id)


def get(tx: Tx, profile_id: int) -> StoredProfile:
    """Return one profile; NotFound."""
    row = rows.get(tx, profile_id)
    if row is None:
        raise _unknown(profile_id)
    return _stored(row)


def find(tx: Tx) -> list[StoredProfile]:
    """Return every profile that the site keeps."""
    return [_stored(row) for row in rows.find(tx)]


def put_in_force(tx: Tx, accepted: ProfileInForce) -> None:
    """Note that a charger follows a profile; it replaces one of the same place, purpose and level."""
    rows.put_in_force(
        tx,
        {
            "charger_id": accepted.charger_id,
            "connector": accepted.connector,
            "profile_id": accepted.profile_id,
            "purpose": accepted.purpose,
            "stack_level": accepted.stack_level,
            "profile": json.dumps(accepted.profile, ensure_ascii=False),
        },
    )
    tx.emit(Event("charger", accepted.charger_id))


def cleared(tx: Tx, charger_id: str, which: ProfileFilter) -> int:
    """Note that a charger dropped profiles; returns how many were on record."""
    dropped = rows.clear(
        tx,
        {
            "charger_id": charger_id,
            "profile_id": which.profile_id,
            "connector": which.connector,
            "purpose": which.purpose,
            "stack_level": which.stack_level,
        },
    )
    if dropped:
        tx.emit(Event("charger", charger_id))
    return dropped


def in_force(tx: Tx, charger_id: str) -> list[ProfileInForce]:
    """Return the profiles that a charger follows, by connector and purpose, the highest level first.

    One for a session holds as long as the session, or until it should have begun (OCPP 1.6, section 3.13.1).
    """
    soon = to_text(tx.now - timedelta(seconds=tx.settings.prepaid.start_timeout_s))
    return [
        ProfileInForce(
            row["charger_id"],
            row["connector"],
            row["profile_id"],
            row["purpose"],
            row["stack_level"],
            json.loads(row["profile"]),
            from_text(row["set_at"]),
        )
        for row in rows.in_force(tx, charger_id, soon)
    ]


def _checked(description: str, profile: Mapping[str, Any]) -> str:
    if len(description) > LONGEST_DESCRIPTION:
        raise Invalid(
            "The description must have at most {limit} characters.",
            path="description",
            limit=LONGEST_DESCRIPTION,
        )
    text = json.dumps(profile, ensure_ascii=False)
    if not profile or len(text) > LARGEST_PROFILE:
        raise Invalid("The profile is empty or too large.", path="profile")
    return text


def _unknown(profile_id: int) -> NotFound:
    return NotFound("There is no charging profile {id}.", id=profile_id)


def _stored(row: Row) -> StoredProfile:
    return StoredProfile(
        row["id"],
        row["description"],
        json.loads(row["profile"]),
        from_text(row["created_at"]),
        from_text(row["updated_at"]),
    )
