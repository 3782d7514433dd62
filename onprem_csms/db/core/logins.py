"""The table ``logins``: sign-ins of browsers, of operators and of drivers; only a digest of the cookie is kept."""

from datetime import datetime
from typing import Literal, NamedTuple

from onprem_csms.clock import from_millis, to_millis
from onprem_csms.db.engine.tx import Tx

LoginKind = Literal["operator", "driver"]


class LoginOwner(NamedTuple):
    """Whose sign-in it is: an operator's, or that of a card's holder."""

    kind: LoginKind
    operator_id: int | None = None
    card_id: int | None = None


class LoginRecord(NamedTuple):
    """A sign-in that still counts."""

    owner: LoginOwner
    created_at: datetime
    seen_at: datetime


def insert(tx: Tx, digest: str, owner: LoginOwner, expires_at: datetime) -> None:
    """Keep a sign-in."""
    tx.execute(
        """
        INSERT INTO logins (digest, kind, operator_id, card_id, created_at, seen_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (digest, *owner, to_millis(tx.now), to_millis(tx.now), to_millis(expires_at)),
    )


def get(tx: Tx, digest: str) -> LoginRecord | None:
    """Return a sign-in that still counts."""
    row = tx.one(
        """
        SELECT
            kind,
            operator_id,
            card_id,
            created_at,
            seen_at
        FROM logins
        WHERE digest = ? AND expires_at > ?
        """,
        (digest, to_millis(tx.now)),
    )
    if row is None:
        return None
    owner = LoginOwner(row["kind"], row["operator_id"], row["card_id"])
    return LoginRecord(owner, from_millis(row["created_at"]), from_millis(row["seen_at"]))


def see(tx: Tx, digest: str, expires_at: datetime) -> None:
    """Keep a sign-in alive."""
    tx.execute(
        "UPDATE logins SET seen_at = ?, expires_at = ? WHERE digest = ?",
        (to_millis(tx.now), to_millis(expires_at), digest),
    )


def drop(tx: Tx, digest: str) -> None:
    """End one sign-in."""
    tx.execute("DELETE FROM logins WHERE digest = ?", (digest,))


def drop_of(tx: Tx, owner: LoginOwner) -> None:
    """End every sign-in of an operator or of a card."""
    if owner.kind == "operator":
        tx.execute("DELETE FROM logins WHERE operator_id = ?", (owner.operator_id,))
    else:
        tx.execute("DELETE FROM logins WHERE card_id = ?", (owner.card_id,))


def drop_stale(tx: Tx) -> int:
    """Forget sign-ins that have run out; returns how many."""
    return tx.execute("DELETE FROM logins WHERE expires_at <= ?", (to_millis(tx.now),))
