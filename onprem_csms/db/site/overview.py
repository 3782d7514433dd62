"""The site at a glance: few columns of many chargers."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


def chargers(tx: Tx) -> list[Row]:
    """Return identity, name and last disconnection of every charger in use, by name."""
    return tx.all(
        """
        SELECT
            id,
            name,
            disconnected_at
        FROM chargers
        WHERE archived_at IS NULL
        ORDER BY CASE WHEN name = '' THEN id ELSE name END COLLATE NOCASE
        """
    )


def faulted(tx: Tx) -> list[Row]:
    """Return the connectors that report a fault; number 0 is the charger as a whole."""
    return tx.all(
        """
        SELECT
            c.charger_id,
            c.number,
            c.error_code
        FROM connectors c
        JOIN chargers k ON k.id = c.charger_id
        WHERE c.status = 'faulted' AND k.archived_at IS NULL
        ORDER BY c.charger_id, c.number
        """
    )
