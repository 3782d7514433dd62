"""The table ``tokens``: the cards."""

from typing import Any

from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx

_KNOWN: Cache[str, Row] = Cache("cards", 20_000)
_SELECT = """
    SELECT
        tokens.uid,
        tokens.type,
        tokens.status,
        tokens.status_reason,
        tokens.expires_at,
        tokens.group_name,
        tokens.label,
        tokens.person_id,
        people.name AS person_name,
        tokens.wallet_id,
        tokens.pin_hash,
        tokens.created_at
    FROM tokens
    LEFT JOIN people ON people.id = tokens.person_id
"""


def insert(tx: Tx, values: dict[str, Any]) -> None:
    """Add a card; one of this number that was archived comes back as the new one."""
    tx.execute(
        """
        INSERT INTO tokens (
            uid,
            type,
            status,
            expires_at,
            group_name,
            label,
            person_id,
            wallet_id,
            pin_hash,
            created_at,
            updated_at
        )
        VALUES (
            :uid,
            :type,
            :status,
            :expires_at,
            :group_name,
            :label,
            :person_id,
            :wallet_id,
            :pin_hash,
            :now,
            :now
        )
        ON CONFLICT (uid) DO UPDATE SET
            type = excluded.type,
            status = excluded.status,
            status_reason = '',
            expires_at = excluded.expires_at,
            group_name = excluded.group_name,
            label = excluded.label,
            person_id = excluded.person_id,
            wallet_id = excluded.wallet_id,
            pin_hash = excluded.pin_hash,
            created_at = excluded.created_at,
            updated_at = excluded.updated_at,
            archived_at = NULL
        """,
        {**values, "now": tx.now_text},
    )
    changed(tx, values["uid"])


def by_uid(tx: Tx, uid: str) -> Row | None:
    """Return a card that is not archived."""
    # Four times in every session; whoever writes a card or a person's name drops it.
    known = _KNOWN.get(tx, uid)
    if known is None:
        known = tx.one(_SELECT + "WHERE tokens.uid = ? AND tokens.archived_at IS NULL", (uid,))
        if known is not None:
            _KNOWN.set(tx, uid, known)
    return known


def changed(tx: Tx, uid: str | None = None) -> None:
    """Forget what is remembered of a card; None: of every card."""
    if uid is None:
        _KNOWN.clear(tx)
    else:
        _KNOWN.drop(tx, uid)


def beginning_with(tx: Tx, prefix: str, limit: int) -> list[Row]:
    """Return cards whose number begins so."""
    return tx.all(
        _SELECT
        + """
        WHERE tokens.uid >= ? AND tokens.uid < ? AND tokens.archived_at IS NULL
        ORDER BY tokens.uid
        LIMIT ?
        """,
        (prefix, prefix + "\U0010ffff", limit),
    )


def page(tx: Tx, criteria: dict[str, Any]) -> list[Row]:
    """Return cards by number: ``after``, ``limit`` (-1: all), and ``type``, ``status``, ``person_id``,
    ``wallet_id``, each None where it does not matter.
    """
    return tx.all(
        _SELECT
        + """
        WHERE tokens.uid > :after
            AND tokens.archived_at IS NULL
            AND (:type IS NULL OR tokens.type = :type)
            AND (:status IS NULL OR tokens.status = :status)
            AND (:person_id IS NULL OR tokens.person_id = :person_id)
            AND (:wallet_id IS NULL OR tokens.wallet_id = :wallet_id)
        ORDER BY tokens.uid
        LIMIT :limit
        """,
        criteria,
    )


def update(tx: Tx, uid: str, values: dict[str, Any]) -> None:
    """Write everything that can change of a card."""
    tx.execute(
        """
        UPDATE tokens
        SET
            type = :type,
            status = :status,
            status_reason = :status_reason,
            expires_at = :expires_at,
            group_name = :group_name,
            label = :label,
            person_id = :person_id,
            wallet_id = :wallet_id,
            pin_hash = :pin_hash,
            updated_at = :now
        WHERE uid = :uid
        """,
        {**values, "uid": uid, "now": tx.now_text},
    )
    changed(tx, uid)


def archive(tx: Tx, uid: str) -> None:
    """Take a card off every list; it authorises nothing any more."""
    tx.execute("UPDATE tokens SET archived_at = ? WHERE uid = ?", (tx.now_text, uid))
    changed(tx, uid)


def count_of_person(tx: Tx, person_id: int) -> int:
    """Count the cards that a person carries."""
    count: int = tx.value(
        "SELECT count(*) FROM tokens WHERE person_id = ? AND archived_at IS NULL", (person_id,)
    )
    return count


def unblock_by_wallet(tx: Tx, wallet_id: int, reason: str) -> list[str]:
    """Let a wallet's cards that were blocked for just this reason charge again; returns their numbers."""
    rows = tx.all(
        """
        UPDATE tokens
        SET status = 'active', status_reason = '', updated_at = ?
        WHERE wallet_id = ? AND status = 'blocked' AND status_reason = ? AND archived_at IS NULL
        RETURNING uid
        """,
        (tx.now_text, wallet_id, reason),
    )
    for row in rows:
        changed(tx, row["uid"])
    return [row["uid"] for row in rows]


def set_status(tx: Tx, uid: str, status: str, reason: str) -> None:
    """Block a card, or let it work again."""
    tx.execute(
        "UPDATE tokens SET status = ?, status_reason = ?, updated_at = ? WHERE uid = ?",
        (status, reason, tx.now_text, uid),
    )
    changed(tx, uid)
