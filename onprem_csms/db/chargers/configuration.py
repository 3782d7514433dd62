"""The table ``configuration``: what a charger reports of its settings, and what the site wants of them."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


def reported(tx: Tx, charger_id: str, key: str, value: str | None, *, readonly: bool) -> None:
    """Keep a setting as the charger reported it."""
    tx.execute(
        """
        INSERT INTO configuration (
            charger_id,
            key,
            value,
            readonly,
            reported_at
        )
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (charger_id, key) DO UPDATE SET
            value = excluded.value,
            readonly = excluded.readonly,
            reported_at = excluded.reported_at
        """,
        (charger_id, key, value, readonly, tx.now_text),
    )


def wanted(tx: Tx, charger_id: str, key: str, value: str, status: str) -> None:
    """Keep what the site wants of a setting and how far that is."""
    tx.execute(
        """
        INSERT INTO configuration (
            charger_id,
            key,
            wanted,
            wanted_status,
            wanted_at
        )
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (charger_id, key) DO UPDATE SET
            wanted = excluded.wanted,
            wanted_status = excluded.wanted_status,
            wanted_at = excluded.wanted_at
        """,
        (charger_id, key, value, status, tx.now_text),
    )


def of_charger(tx: Tx, charger_id: str) -> list[Row]:
    """Return a charger's settings by key."""
    return tx.all("SELECT * FROM configuration WHERE charger_id = ? ORDER BY key", (charger_id,))


def unmet(tx: Tx, charger_id: str) -> list[Row]:
    """Return what is wanted and has not been answered."""
    return tx.all(
        """
        SELECT *
        FROM configuration
        WHERE charger_id = ?
        AND wanted_status = 'wanted'
        ORDER BY wanted_at
        """,
        (charger_id,),
    )


def forget_wish(tx: Tx, charger_id: str, key: str) -> bool:
    """Drop what is wanted of a setting; False when nothing was."""
    changed = tx.execute(
        """
        UPDATE configuration
        SET wanted = NULL,
            wanted_status = '',
            wanted_at = NULL
        WHERE charger_id = ?
        AND key = ?
        AND wanted IS NOT NULL
        """,
        (charger_id, key),
    )
    return changed == 1
