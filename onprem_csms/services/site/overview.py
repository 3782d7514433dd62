"""The site at a glance, cheap enough to be asked for every second on a site of thousands of chargers."""

from dataclasses import dataclass
from datetime import datetime

from onprem_csms.clock import maybe_from_text
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.site import overview as rows


@dataclass(frozen=True, slots=True)
class ChargerName:
    """A charger in use; ``name`` is its identity where it has no name."""

    id: str
    name: str
    gone_since: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A connector that reports a fault; 0 is the charger as a whole."""

    charger_id: str
    connector: int
    error_code: str


def chargers(tx: Tx) -> list[ChargerName]:
    """Return every charger in use, by name."""
    return [
        ChargerName(row["id"], row["name"] or row["id"], maybe_from_text(row["disconnected_at"]))
        for row in rows.chargers(tx)
    ]


def faults(tx: Tx) -> list[Fault]:
    """Return every connector that reports a fault."""
    return [Fault(row["charger_id"], row["number"], row["error_code"]) for row in rows.faulted(tx)]
