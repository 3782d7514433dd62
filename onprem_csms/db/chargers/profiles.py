"""Charging profiles: those the site keeps, and those in force at chargers."""

import json
from datetime import datetime

from onprem_csms.clock import from_text, to_text
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.records import ProfileFilter, ProfileInForce, StoredProfile


def insert(tx: Tx, description: str, profile: str) -> int:
    """Keep a profile; its id is the one that goes out. ``profile`` is JSON."""
    return tx.insert(
        """
        INSERT INTO charging_profiles (
            description,
            profile,
            created_at,
            updated_at
        )
        VALUES (?, ?, ?, ?)
        """,
        (description, profile, tx.now_text, tx.now_text),
    )


def update(tx: Tx, profile_id: int, description: str, profile: str) -> bool:
    """Change a profile; False when there is none."""
    changed = tx.execute(
        "UPDATE charging_profiles SET description = ?, profile = ?, updated_at = ? WHERE id = ?",
        (description, profile, tx.now_text, profile_id),
    )
    return changed == 1


def delete(tx: Tx, profile_id: int) -> bool:
    """Forget a profile; False when there is none."""
    return tx.execute("DELETE FROM charging_profiles WHERE id = ?", (profile_id,)) == 1


def get(tx: Tx, profile_id: int) -> StoredProfile | None:
    """Return one profile."""
    row = tx.one("SELECT * FROM charging_profiles WHERE id = ?", (profile_id,))
    return None if row is None else _stored(row)


def find(tx: Tx, after: int, limit: int) -> list[StoredProfile]:
    """Return the profiles after an id, by id."""
    found = tx.all("SELECT * FROM charging_profiles WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
    return [_stored(row) for row in found]


def put_in_force(tx: Tx, accepted: ProfileInForce) -> None:
    """Note that a charger follows a profile; it replaces what OCPP 1.6, section 5.16.4, says it replaces."""
    values = {
        "charger_id": accepted.charger_id,
        "evse": accepted.place.evse,
        "connector": accepted.place.connector,
        "profile_id": accepted.profile_id,
        "purpose": accepted.purpose,
        "stack_level": accepted.stack_level,
        "profile": json.dumps(accepted.profile, ensure_ascii=False),
    }
    tx.execute(
        """
        DELETE FROM profiles_in_force
        WHERE charger_id = :charger_id
        AND evse = :evse
        AND connector = :connector
        AND purpose = :purpose
        AND stack_level = :stack_level
        """,
        values,
    )
    tx.execute(
        """
        INSERT INTO profiles_in_force (
            charger_id,
            evse,
            connector,
            profile_id,
            purpose,
            stack_level,
            profile,
            set_at
        )
        VALUES (:charger_id, :evse, :connector, :profile_id, :purpose, :stack_level, :profile, :now)
        ON CONFLICT (charger_id, profile_id) DO UPDATE SET
            evse = excluded.evse,
            connector = excluded.connector,
            purpose = excluded.purpose,
            stack_level = excluded.stack_level,
            profile = excluded.profile,
            set_at = excluded.set_at
        """,
        {**values, "now": tx.now_text},
    )


def clear(tx: Tx, charger_id: str, which: ProfileFilter) -> int:
    """Drop what fits every criterion that is not None; returns how many."""
    values = {
        "charger_id": charger_id,
        "profile_id": which.profile_id,
        "evse": None if which.place is None else which.place.evse,
        "connector": None if which.place is None else which.place.connector,
        "purpose": which.purpose,
        "stack_level": which.stack_level,
    }
    return tx.execute(
        """
        DELETE FROM profiles_in_force
        WHERE charger_id = :charger_id
        AND (:profile_id IS NULL OR profile_id = :profile_id)
        AND (:evse IS NULL OR evse = :evse)
        AND (:connector IS NULL OR connector = :connector)
        AND (:purpose IS NULL OR purpose = :purpose)
        AND (:stack_level IS NULL OR stack_level = :stack_level)
        """,
        values,
    )


def in_force(tx: Tx, charger_id: str, set_since: datetime) -> list[ProfileInForce]:
    """Return the profiles that a charger follows; those for a session only while it runs or if they are new."""
    found = tx.all(
        """
        SELECT *
        FROM profiles_in_force
        WHERE charger_id = :charger_id
        AND (
            purpose <> 'session'
            OR set_at > :set_since
            OR EXISTS (
                SELECT 1
                FROM sessions
                WHERE sessions.charger_id = :charger_id
                AND sessions.state = 'active'
                AND profiles_in_force.evse IN (0, sessions.evse)
                AND profiles_in_force.connector IN (0, sessions.connector)
            )
        )
        ORDER BY evse, connector, purpose, stack_level DESC
        """,
        {"charger_id": charger_id, "set_since": to_text(set_since)},
    )
    return [
        ProfileInForce(
            charger_id=row["charger_id"],
            place=Place(row["evse"], row["connector"]),
            profile_id=row["profile_id"],
            purpose=row["purpose"],
            stack_level=row["stack_level"],
            profile=json.loads(row["profile"]),
            set_at=from_text(row["set_at"]),
        )
        for row in found
    ]


def _stored(row: Row) -> StoredProfile:
    return StoredProfile(
        id=row["id"],
        description=row["description"],
        profile=json.loads(row["profile"]),
        created_at=from_text(row["created_at"]),
        updated_at=from_text(row["updated_at"]),
    )
