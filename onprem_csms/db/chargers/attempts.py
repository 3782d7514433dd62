"""The table ``connection_attempts``: chargers that tried to connect and were refused."""

from collections.abc import Mapping
from typing import Any

from onprem_csms.clock import from_text
from onprem_csms.db.chargers.chargers import Sealed
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.records import RefusedAttempt

MOST = 500


def record(tx: Tx, values: Mapping[str, Any]) -> None:
    """Count an attempt of an identity; the newest one is kept whole."""
    tx.execute(
        """
        INSERT INTO connection_attempts (
            identity,
            remote,
            path,
            subprotocols,
            with_credentials,
            reason,
            known,
            first_at,
            last_at,
            offered_salt,
            offered_digest,
            keys_differ
        )
        VALUES (
            :identity,
            :remote,
            :path,
            :subprotocols,
            :with_credentials,
            :reason,
            :known,
            :now,
            :now,
            :offered_salt,
            :offered_digest,
            :keys_differ
        )
        ON CONFLICT (identity) DO UPDATE SET
            remote = excluded.remote,
            path = excluded.path,
            subprotocols = excluded.subprotocols,
            with_credentials = excluded.with_credentials,
            keys_differ = max(keys_differ, excluded.keys_differ),
            reason = excluded.reason,
            known = excluded.known,
            last_at = excluded.last_at,
            times = times + 1,
            offered_salt = coalesce(excluded.offered_salt, offered_salt),
            offered_digest = coalesce(excluded.offered_digest, offered_digest)
        """,
        {**values, "now": tx.now_text},
    )


def get(tx: Tx, identity: str) -> RefusedAttempt | None:
    """Return the attempts of an identity."""
    row = tx.one("SELECT * FROM connection_attempts WHERE identity = ?", (identity,))
    return None if row is None else _attempt(row)


def offered(tx: Tx, identity: str) -> Sealed | None:
    """Return the password that an unknown charger sent last."""
    row = tx.one(
        "SELECT offered_salt, offered_digest FROM connection_attempts WHERE identity = ?", (identity,)
    )
    return None if row is None or row["offered_digest"] is None else Sealed(*row)


def find(tx: Tx, *, known: bool | None = None) -> list[RefusedAttempt]:
    """Return attempts, newest first; ``known`` asks for those of chargers, or of strangers."""
    found = tx.all(
        """
        SELECT *
        FROM connection_attempts
        WHERE :known IS NULL OR known = :known
        ORDER BY last_at DESC
        """,
        {"known": known},
    )
    return [_attempt(row) for row in found]


def count_unknown(tx: Tx) -> int:
    """Count the identities that wait to be accepted."""
    return int(tx.value("SELECT count(*) FROM connection_attempts WHERE known = 0"))


def delete(tx: Tx, identity: str) -> bool:
    """Forget an identity's attempts; False when there were none."""
    return tx.execute("DELETE FROM connection_attempts WHERE identity = ?", (identity,)) == 1


def trim(tx: Tx) -> None:
    """Keep the newest ones, so that a stranger can't fill the disk."""
    if tx.value("SELECT count(*) FROM connection_attempts") > MOST:
        tx.execute(
            """
            DELETE FROM connection_attempts
            WHERE identity IN (
                SELECT identity
                FROM connection_attempts
                ORDER BY known DESC, last_at DESC
                LIMIT -1 OFFSET ?
            )
            """,
            (MOST,),
        )


def _attempt(row: Row) -> RefusedAttempt:
    return RefusedAttempt(
        identity=row["identity"],
        remote=row["remote"],
        path=row["path"],
        subprotocols=row["subprotocols"],
        with_credentials=bool(row["with_credentials"]),
        reason=row["reason"],
        known=bool(row["known"]),
        first_at=from_text(row["first_at"]),
        last_at=from_text(row["last_at"]),
        times=row["times"],
        keys_differ=bool(row["keys_differ"]),
    )
