"""Charging profiles: those the site keeps under a description, and those in force at chargers.

A profile is kept in the words of the protocol it was written for; here it is only carried.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from onprem_csms.db.chargers import profiles as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.records import ProfileFilter, ProfileInForce, StoredProfile
from onprem_csms.errors import Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.chargers import inventory
from onprem_csms.services.core import audit

LONGEST_DESCRIPTION = 200
LARGEST_PROFILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """What changes of a profile; None: it stays."""

    description: str | None = None
    profile: Mapping[str, Any] | None = None


def create(tx: Tx, description: str, profile: Mapping[str, Any]) -> StoredProfile:
    """Keep a profile; Invalid with the path."""
    text = _checked(description, profile)
    profile_id = rows.insert(tx, description, text)
    audit.note(tx, "profile.added", profile_id, description=description)
    return get(tx, profile_id)


def change(tx: Tx, profile_id: int, changed: Change) -> StoredProfile:
    """Change a profile; what is in force stays as it is. NotFound, Invalid with the path."""
    before = get(tx, profile_id)
    description = before.description if changed.description is None else changed.description
    profile = before.profile if changed.profile is None else changed.profile
    rows.update(tx, profile_id, description, _checked(description, profile))
    audit.note(tx, "profile.changed", profile_id, **audit.differences(before, {"description": description}))
    return get(tx, profile_id)


def delete(tx: Tx, profile_id: int) -> None:
    """Forget a profile; what is in force stays. NotFound."""
    if not rows.delete(tx, profile_id):
        raise _unknown(profile_id)
    audit.note(tx, "profile.deleted", profile_id)


def get(tx: Tx, profile_id: int) -> StoredProfile:
    """Return one profile; NotFound."""
    stored = rows.get(tx, profile_id)
    if stored is None:
        raise _unknown(profile_id)
    return stored


def find(tx: Tx, after: int = 0, limit: int = 100) -> list[StoredProfile]:
    """Return the profiles that the site keeps, those after an id, by id."""
    return rows.find(tx, after, limit)


def put_in_force(tx: Tx, accepted: ProfileInForce) -> None:
    """Note that a charger follows a profile; it replaces one of the same place, purpose and level."""
    rows.put_in_force(tx, accepted)
    tx.emit(Event("charger", accepted.charger_id))


def cleared(tx: Tx, charger_id: str, which: ProfileFilter) -> int:
    """Note that a charger dropped profiles; returns how many were on record."""
    dropped = rows.clear(tx, charger_id, which)
    if dropped:
        tx.emit(Event("charger", charger_id))
    return dropped


def in_force(tx: Tx, charger_id: str) -> list[ProfileInForce]:
    """Return the profiles that a charger follows, by connector and purpose, the highest level first.

    One for a session holds as long as the session, or until it should have begun (OCPP 1.6, section 3.13.1).
    """
    return rows.in_force(tx, charger_id, tx.now - timedelta(seconds=tx.settings.prepaid.start_timeout_s))


def in_force_at(tx: Tx, charger_id: str) -> list[ProfileInForce]:
    """Return the profiles that a charger follows; NotFound where there is no such charger."""
    inventory.check_known(tx, charger_id)
    return in_force(tx, charger_id)


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
