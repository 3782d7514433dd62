"""Sums for the figures of the site."""

from collections.abc import Mapping
from typing import NamedTuple

from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.site import Active


class Totals(NamedTuple):
    """Sums over the sessions that ended in a span: Wh, gross cost by currency in minor units, how many."""

    energy_wh: int
    revenue: Mapping[str, int]
    sessions: int


def totals(tx: Tx, since: str, until: str) -> Totals:
    """Return energy, cost and number of the sessions that ended in a span."""
    found = tx.all(
        """
        SELECT
            currency,
            sum(energy_wh) AS energy_wh,
            sum(cost) AS cost,
            count(*) AS number
        FROM sessions
        WHERE ended_at >= ?
        AND ended_at < ?
        GROUP BY currency
        """,
        (since, until),
    )
    return Totals(
        energy_wh=sum(row["energy_wh"] for row in found),
        revenue={row["currency"]: row["cost"] for row in found if row["cost"]},
        sessions=sum(row["number"] for row in found),
    )


def active_power(tx: Tx) -> Active:
    """Return how many sessions are active and the power of their last readings, in W."""
    row = tx.one(
        """
        SELECT
            count(*) AS number,
            coalesce(sum(iif(j.id IS NULL, r.power_w, j.power_w)), 0) AS power_w
        FROM sessions s
        LEFT JOIN readings r ON r.session_id = s.id
            AND r.at = (SELECT max(q.at) FROM readings q WHERE q.session_id = s.id)
        LEFT JOIN (SELECT session_id, max(id) AS id FROM reading_journal GROUP BY session_id) l
            ON l.session_id = s.id
        LEFT JOIN reading_journal j ON j.id = l.id
        WHERE s.state = 'active'
        """
    )
    assert row is not None  # noqa: S101 - an aggregate always has a row
    return Active(row["number"], row["power_w"])
