"""The site at a glance: few columns of many chargers."""

from onprem_csms.clock import maybe_from_text
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.site import ChargerName, Fault


def chargers(tx: Tx) -> list[ChargerName]:
    """Return every charger in use, by name."""
    found = tx.all(
        """
        SELECT
            id,
            iif(name = '', id, name) AS shown,
            disconnected_at
        FROM chargers
        WHERE archived_at IS NULL
        ORDER BY shown COLLATE NOCASE
        """
    )
    return [ChargerName(row["id"], row["shown"], maybe_from_text(row["disconnected_at"])) for row in found]


def faulted(tx: Tx) -> list[Fault]:
    """Return the connectors that report a fault; (0, 0) is the charger as a whole."""
    found = tx.all(
        """
        SELECT
            c.charger_id,
            c.evse,
            c.number,
            c.error_code
        FROM connectors c
        JOIN chargers k ON k.id = c.charger_id
        WHERE c.status = 'faulted' AND k.archived_at IS NULL
        ORDER BY c.charger_id, c.evse, c.number
        """
    )
    return [Fault(row["charger_id"], row["evse"], row["number"], row["error_code"]) for row in found]
