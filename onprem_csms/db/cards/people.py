"""The table ``people``."""

from onprem_csms.db.cards import tokens
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx

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


def insert(tx: Tx, values: dict[str, str]) -> int:
    """Add a person; returns the id."""
    return tx.insert(
        """
        INSERT INTO people (name, email, phone, note, language, created_at, updated_at)
        VALUES (:name, :email, :phone, :note, :language, :now, :now)
        """,
        {**values, "now": tx.now_text},
    )


def by_id(tx: Tx, person_id: int) -> Row | None:
    """Return a person who is not archived."""
    return tx.one(_SELECT + "WHERE id = ? AND archived_at IS NULL", (person_id,))


def page(tx: Tx, after: int, limit: int) -> list[Row]:
    """Return people by id, from beyond ``after``; -1 as limit is all of them."""
    return tx.all(
        _SELECT + "WHERE id > ? AND archived_at IS NULL ORDER BY id LIMIT ?",
        (after, limit),
    )


def update(tx: Tx, person_id: int, values: dict[str, str]) -> None:
    """Write everything that can change of a person."""
    tx.execute(
        """
        UPDATE people
        SET
            name = :name,
            email = :email,
            phone = :phone,
            note = :note,
            language = :language,
            updated_at = :now
        WHERE id = :id
        """,
        {**values, "now": tx.now_text, "id": person_id},
    )
    tokens.changed(tx)  # a card is remembered with its holder's name


def archive(tx: Tx, person_id: int) -> None:
    """Take a person off every list; the row stays for the records that name it."""
    tx.execute("UPDATE people SET archived_at = ? WHERE id = ?", (tx.now_text, person_id))
