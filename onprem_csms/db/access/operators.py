"""Operators, and the one-time set-up link."""

from datetime import datetime
from typing import NamedTuple

from onprem_csms.clock import from_millis, maybe_from_millis, to_millis
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.tx import Tx
from onprem_csms.domain.access.rights import Role

_COLUMNS = """
    SELECT
        id,
        name,
        password_hash,
        role,
        language,
        created_at,
        disabled_at
    FROM operators
"""


class OperatorRecord(NamedTuple):
    """An operator as they are stored; ``disabled_at`` is None for one who may sign in."""

    id: int
    name: str
    password_hash: str
    role: Role
    language: str
    created_at: datetime
    disabled_at: datetime | None


def insert(tx: Tx, name: str, password_hash: str, role: str, language: str) -> int:
    """Add an operator; returns the id."""
    return tx.insert(
        """
        INSERT INTO operators (name, password_hash, role, language, created_at)
        VALUES (?, ?, ?, ?, ?)
        """,
        (name, password_hash, role, language, to_millis(tx.now)),
    )


def get(tx: Tx, operator_id: int) -> OperatorRecord | None:
    """Return an operator by id."""
    return _maybe(tx.one(_COLUMNS + "WHERE id = ?", (operator_id,)))


def by_name(tx: Tx, name: str) -> OperatorRecord | None:
    """Return an operator by name, letter case aside."""
    return _maybe(tx.one(_COLUMNS + "WHERE name = ?", (name,)))


def find(tx: Tx) -> list[OperatorRecord]:
    """Return every operator, those at work first."""
    return [_record(row) for row in tx.all(_COLUMNS + "ORDER BY disabled_at IS NOT NULL, name")]


def count_admins(tx: Tx) -> int:
    """Count the admins who may sign in."""
    count: int = tx.value("SELECT count(*) FROM operators WHERE role = 'admin' AND disabled_at IS NULL")
    return count


def set_password(tx: Tx, operator_id: int, password_hash: str) -> None:
    """Replace a password's hash."""
    tx.execute("UPDATE operators SET password_hash = ? WHERE id = ?", (password_hash, operator_id))


def set_language(tx: Tx, operator_id: int, language: str) -> None:
    """Remember the language an operator reads."""
    tx.execute("UPDATE operators SET language = ? WHERE id = ?", (language, operator_id))


def set_role(tx: Tx, operator_id: int, role: str) -> None:
    """Give an operator another role."""
    tx.execute("UPDATE operators SET role = ? WHERE id = ?", (role, operator_id))


def set_disabled(tx: Tx, operator_id: int, disabled: bool) -> None:
    """Disable an operator, or enable them again."""
    tx.execute(
        "UPDATE operators SET disabled_at = ? WHERE id = ?",
        (to_millis(tx.now) if disabled else None, operator_id),
    )


def setup_digest(tx: Tx) -> str | None:
    """Return the digest of the set-up link that is out."""
    found: str | None = tx.value("SELECT value FROM meta WHERE key = 'setup_link'")
    return found


def set_setup_digest(tx: Tx, digest: str | None) -> None:
    """Keep the digest of the one set-up link that counts, or of none."""
    tx.execute("DELETE FROM meta WHERE key = 'setup_link'")
    if digest is not None:
        tx.execute("INSERT INTO meta (key, value) VALUES ('setup_link', ?)", (digest,))


def _maybe(row: Row | None) -> OperatorRecord | None:
    return None if row is None else _record(row)


def _record(row: Row) -> OperatorRecord:
    return OperatorRecord(
        id=row["id"],
        name=row["name"],
        password_hash=row["password_hash"],
        role=row["role"],
        language=row["language"],
        created_at=from_millis(row["created_at"]),
        disabled_at=maybe_from_millis(row["disabled_at"]),
    )
