"""Sums for the figures of the site."""

from collections.abc import Mapping
from typing import NamedTuple

from onprem_csms.db.engine.database import Tx


class Totals(NamedTuple):
    """Sums over the sessions that ended in a span: Wh, gross cost by currency in minor units, how many."""

    energy_wh: int
    revenue: Mapping[str, int]
    sessions: int


def totals(tx: Tx, since: int, until: int) -> Totals:
    """Return energy, cost and number of the sessions that ended in a span of UTC milliseconds."""
    found = tx.all(
        """
        SELECT
            currency,
            sum(energy_wh) AS energy_wh,
            sum(cost) AS cost,
            count(*) AS number
        FROM sessions
        WHERE ended >= ?
        AND ended < ?
        GROUP BY currency
        """,
        (since, until),
    )
    return Totals(
        energy_wh=sum(row["energy_wh"] for row in found),
        revenue={row["currency"]: row["cost"] for row in found if row["cost"]},
        sessions=sum(row["number"] for row in found),
    )
