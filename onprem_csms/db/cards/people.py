"""The table ``people``."""

from datetime import datetime
from typing import NamedTuple

from onprem_csms.clock import from_millis, to_millis
from onprem_csms.db.cards import cards
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.tx import Tx

_SELECT = """
    SELECT
        id,
        name,
        email,
        phone,
        note,
        language,
        created_at
    FROM people
"""


class PersonValues(NamedTuple):
    """What can be written of a person."""

    name: str
    email: str
    phone: str
    note: str
    language: str


class PersonRecord(NamedTuple):
    """A person as they are stored."""

    id: int
    name: str
    email: str
    phone: str
    note: str
    language: str
    created_at: datetime


def insert(tx: Tx, values: PersonValues) -> int:
    """Add a person; returns the id."""
    return tx.insert(
        """
        INSERT INTO people (name, email, phone, note, language, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (*values, to_millis(tx.now), to_millis(tx.now)),
    )


def by_id(tx: Tx, person_id: int) -> PersonRecord | None:
    """Return a person who is not archived."""
    row = tx.one(_SELECT + "WHERE id = ? AND archived_at IS NULL", (person_id,))
    return None if row is None else _person(row)


def page(tx: Tx, after: int, limit: int) -> list[PersonRecord]:
    """Return people by id, from beyond ``after``; -1 as limit is all of them."""
    rows = tx.all(
        _SELECT + "WHERE id > ? AND archived_at IS NULL ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [_person(row) for row in rows]


def update(tx: Tx, person_id: int, values: PersonValues) -> None:
    """Write everything that can change of a person."""
    tx.execute(
        """
        UPDATE people
        SET
            name = ?,
            email = ?,
            phone = ?,
            note = ?,
            language = ?,
            updated_at = ?
        WHERE id = ?
        """,
        (*values, to_millis(tx.now), person_id),
    )
    cards.all_changed(tx)  # a card is remembered with its holder's name


def archive(tx: Tx, person_id: int) -> None:
    """Take a person off every list; the row stays for the records that name it."""
    tx.execute("UPDATE people SET archived_at = ? WHERE id = ?", (to_millis(tx.now), person_id))


def _person(row: Row) -> PersonRecord:
    return PersonRecord(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        phone=row["phone"],
        note=row["note"],
        language=row["language"],
        created_at=from_millis(row["created_at"]),
    )
