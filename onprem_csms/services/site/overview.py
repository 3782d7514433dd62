"""The site at a glance, cheap enough to be asked for every second on a site of thousands of chargers."""

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.site import overview as rows
from onprem_csms.domain.site import ChargerName, Fault


def chargers(tx: Tx) -> list[ChargerName]:
    """Return every charger in use, by name."""
    return rows.chargers(tx)


def faults(tx: Tx) -> list[Fault]:
    """Return every connector that reports a fault."""
    return rows.faulted(tx)
