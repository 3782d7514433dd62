"""Sums for the figures of the site."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx


def topups(tx: Tx, since: str, until: str) -> list[Row]:
    """Return the money that came into wallets in a span, by currency."""
    return tx.all(
        """
        SELECT
            a.currency,
            sum(p.amount) AS amount
        FROM entries e
        JOIN postings p ON p.entry_id = e.id
        JOIN accounts a ON a.id = p.account_id
        WHERE e.kind = 'topup'
        AND e.at >= ?
        AND e.at < ?
        AND a.kind = 'wallet'
        GROUP BY a.currency
        """,
        (since, until),
    )


def active_power(tx: Tx) -> Row:
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
    return row
