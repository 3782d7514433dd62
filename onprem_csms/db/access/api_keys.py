"""The table ``api_keys``; only digests of the keys are kept."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx

_SELECT = """
    SELECT
        id,
        name,
        role,
        created_at,
        revoked_at
    FROM api_keys
"""


def insert(tx: Tx, name: str, role: str, digest: str) -> int:
    """Add a key; returns the id."""
    return tx.insert(
        "INSERT INTO api_keys (name, role, digest, created_at) VALUES (?, ?, ?, ?)",
        (name, role, digest, tx.now_text),
    )


def by_digest(tx: Tx, digest: str) -> Row | None:
    """Return a key that was not revoked."""
    return tx.one(_SELECT + "WHERE digest = ? AND revoked_at IS NULL", (digest,))


def by_id(tx: Tx, key_id: int) -> Row | None:
    """Return a key, revoked or not."""
    return tx.one(_SELECT + "WHERE id = ?", (key_id,))


def all_of(tx: Tx) -> list[Row]:
    """Return every key, revoked ones too."""
    return tx.all(_SELECT + "ORDER BY id")


def revoke(tx: Tx, key_id: int) -> None:
    """End a key for good; asked twice keeps the first time."""
    tx.execute(
        "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
        (tx.now_text, key_id),
    )
