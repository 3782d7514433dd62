"""The table ``api_keys``; only digests of the keys are kept."""

from datetime import datetime
from typing import NamedTuple

from onprem_csms.clock import from_millis, maybe_from_millis, to_millis
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.tx import Tx
from onprem_csms.domain.access.rights import Role

_SELECT = """
    SELECT
        id,
        name,
        role,
        created_at,
        revoked_at
    FROM api_keys
"""


class ApiKeyRecord(NamedTuple):
    """A key as it is stored, without its digest; ``revoked_at`` is None for one that counts."""

    id: int
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None


def insert(tx: Tx, name: str, role: str, digest: str) -> int:
    """Add a key; returns the id."""
    return tx.insert(
        "INSERT INTO api_keys (name, role, digest, created_at) VALUES (?, ?, ?, ?)",
        (name, role, digest, to_millis(tx.now)),
    )


def by_digest(tx: Tx, digest: str) -> ApiKeyRecord | None:
    """Return a key that was not revoked."""
    return _maybe(tx.one(_SELECT + "WHERE digest = ? AND revoked_at IS NULL", (digest,)))


def by_id(tx: Tx, key_id: int) -> ApiKeyRecord | None:
    """Return a key, revoked or not."""
    return _maybe(tx.one(_SELECT + "WHERE id = ?", (key_id,)))


def all_of(tx: Tx) -> list[ApiKeyRecord]:
    """Return every key, revoked ones too."""
    return [_record(row) for row in tx.all(_SELECT + "ORDER BY id")]


def revoke(tx: Tx, key_id: int) -> None:
    """End a key for good; asked twice keeps the first time."""
    tx.execute(
        "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
        (to_millis(tx.now), key_id),
    )


def _maybe(row: Row | None) -> ApiKeyRecord | None:
    return None if row is None else _record(row)


def _record(row: Row) -> ApiKeyRecord:
    return ApiKeyRecord(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        created_at=from_millis(row["created_at"]),
        revoked_at=maybe_from_millis(row["revoked_at"]),
    )
