"""Sessions, one row each; what changes with every reading is in ``readings``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place

ACTIVE: Cache[tuple[str, str], Row] = Cache("active sessions", 20_000)
"""Active sessions by charger and transaction; dropped by whoever changes one."""

_VIEW = """
    SELECT
        s.*,
        c.name AS charger_name,
        k.uid AS card_uid,
        p.id AS person_id,
        p.name AS person_name,
        coalesce(j.at, r.at) AS read_at,
        coalesce(j.energy_wh, r.energy_wh) AS live_energy_wh,
        coalesce(j.cost, r.cost) AS live_cost,
        iif(j.id IS NULL, r.power_w, j.power_w) AS live_power_w,
        iif(j.id IS NULL, r.soc_percent, j.soc_percent) AS live_soc_percent
    FROM sessions s
    LEFT JOIN chargers c ON c.id = s.charger_id
    LEFT JOIN cards k ON k.id = s.card_id
    LEFT JOIN people p ON p.id = k.person_id
    LEFT JOIN readings r ON r.session_id = s.id
        AND r.at = (SELECT max(q.at) FROM readings q WHERE q.session_id = s.id)
    LEFT JOIN (SELECT session_id, max(id) AS id FROM reading_journal GROUP BY session_id) l
        ON l.session_id = s.id
    LEFT JOIN reading_journal j ON j.id = l.id
"""


def insert(tx: Tx, values: Mapping[str, Any]) -> Row | None:
    """Write a new session and return it, None when its charger has one of this transaction.

    The keys are column names of this module's callers, never input.
    """
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    written = tx.all(
        f"""
        INSERT INTO sessions ({names})
        VALUES ({marks})
        ON CONFLICT (charger_id, transaction_id) DO NOTHING
        RETURNING *
        """,  # noqa: S608 - own names
        tuple(values.values()),
    )
    return written[0] if written else None


def update(tx: Tx, session_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a session."""
    names = ", ".join(f"{name} = ?" for name in values)
    tx.execute(f"UPDATE sessions SET {names} WHERE id = ?", (*values.values(), session_id))  # noqa: S608


def get(tx: Tx, session_id: int) -> Row | None:
    """Return a session's own columns."""
    return tx.one("SELECT * FROM sessions WHERE id = ?", (session_id,))


def by_transaction(tx: Tx, charger_id: str, transaction_id: str) -> Row | None:
    """Return the session of a charger's transaction."""
    return tx.one(
        "SELECT * FROM sessions WHERE charger_id = ? AND transaction_id = ?", (charger_id, transaction_id)
    )


def by_start(tx: Tx, charger_id: str, start_key: str) -> Row | None:
    """Return the newest session that began with these very words."""
    return tx.one(
        "SELECT * FROM sessions WHERE charger_id = ? AND start_key = ? ORDER BY id DESC LIMIT 1",
        (charger_id, start_key),
    )


def active_on(tx: Tx, charger_id: str, place: Place) -> list[Row]:
    """Return the active sessions of a place, the newest first. An EVSE has one for all of its connectors."""
    where = "evse = ?" if place.evse else "evse = 0 AND connector = ?"
    return tx.all(
        f"""
        SELECT *
        FROM sessions
        WHERE charger_id = ?
        AND {where}
        AND state = 'active'
        ORDER BY began_at DESC, id DESC
        """,  # noqa: S608 - own words
        (charger_id, place.evse or place.connector),
    )


def active_of_charger(tx: Tx, charger_id: str) -> list[Row]:
    """Return the active sessions of a charger."""
    return tx.all("SELECT * FROM sessions WHERE charger_id = ? AND state = 'active'", (charger_id,))


def active_of_card(tx: Tx, card_id: int) -> list[Row]:
    """Return the active sessions that a card was allowed to begin."""
    # Left to itself SQLite goes through every session that the card ever had.
    return tx.all(
        """
        SELECT *
        FROM sessions INDEXED BY sessions_active_by_card
        WHERE card_id = ?
        AND state = 'active'
        AND verdict = 'accepted'
        """,
        (card_id,),
    )


def active_of_group(tx: Tx, charger_id: str, group: str) -> Row | None:
    """Return an active session on a charger that a card of this group was allowed to begin."""
    return tx.one(
        """
        SELECT s.*
        FROM sessions s
        JOIN cards k ON k.id = s.card_id
        WHERE s.charger_id = ?
        AND s.state = 'active'
        AND s.verdict = 'accepted'
        AND k.group_name = ?
        """,
        (charger_id, group),
    )


def view(tx: Tx, session_id: int) -> Row | None:
    """Return a session with its names and its last reading."""
    return tx.one(_VIEW + "WHERE s.id = ?", (session_id,))


def find(tx: Tx, where: str, params: Sequence[Any], limit: int) -> list[Row]:
    """Return sessions by a condition, newest first."""
    return tx.all(f"{_VIEW} WHERE {where} ORDER BY s.id DESC LIMIT ?", (*params, limit))


def to_stop(tx: Tx, before: str) -> list[Row]:
    """Return active sessions that should be stopped and were not asked to since ``before``."""
    return tx.all(
        """
        SELECT *
        FROM sessions
        WHERE state = 'active'
        AND stop_wanted IS NOT NULL
        AND (stop_tried_at IS NULL OR stop_tried_at < ?)
        ORDER BY stop_wanted_at
        LIMIT 100
        """,
        (before,),
    )


def exhausted(tx: Tx, until: str) -> list[Row]:
    """Return active sessions whose money is expected to be gone by then and that no stop is wanted for yet."""
    return tx.all(
        """
        SELECT *
        FROM sessions
        WHERE state = 'active'
        AND exhausts_at IS NOT NULL
        AND exhausts_at <= ?
        AND stop_wanted IS NULL
        LIMIT 100
        """,
        (until,),
    )


def next_exhaustion(tx: Tx) -> str | None:
    """Return the earliest moment at which a session's money is expected to be gone."""
    moment: str | None = tx.value(
        "SELECT min(exhausts_at) FROM sessions WHERE state = 'active' AND stop_wanted IS NULL"
    )
    return moment


def silent_since_boot(tx: Tx, booted_before: str) -> list[Row]:
    """Return active sessions that began before their charger's last boot and gave no sign after it.

    A connector that says it is charging or suspended has resumed the session.
    """
    return tx.all(
        """
        SELECT s.*
        FROM sessions s
        JOIN chargers c ON c.id = s.charger_id
        LEFT JOIN connectors n ON n.charger_id = s.charger_id AND n.evse = s.evse AND n.number = s.connector
        WHERE s.state = 'active'
        AND c.booted_at > s.received_at
        AND c.booted_at < ?
        AND NOT EXISTS (SELECT 1 FROM readings r WHERE r.session_id = s.id AND r.at > c.booted_at)
        AND NOT EXISTS (SELECT 1 FROM reading_journal j WHERE j.session_id = s.id AND j.at > c.booted_at)
        AND NOT (
            coalesce(n.status_at, '') > c.booted_at
            AND n.status IN ('charging', 'suspended_vehicle', 'suspended_charger', 'occupied')
        )
        LIMIT 100
        """,
        (booted_before,),
    )


def in_order(tx: Tx) -> Iterator[Row]:
    """Go through every session in the order of their ids."""
    return tx.each("SELECT * FROM sessions ORDER BY id")


def totals(tx: Tx, since: str, until: str) -> list[Row]:
    """Return energy, cost and number of the sessions that ended in a span, by currency."""
    return tx.all(
        """
        SELECT
            currency,
            sum(energy_wh) AS energy_wh,
            sum(cost) AS cost,
            count(*) AS number
        FROM sessions
        WHERE state = 'ended'
        AND ended_at >= ?
        AND ended_at < ?
        GROUP BY currency
        """,
        (since, until),
    )


def max_power(tx: Tx, charger_id: str) -> int | None:
    """Return what a connector of the charger can deliver, in W, where the operator has said so."""
    power: int | None = tx.value("SELECT max_power_w FROM chargers WHERE id = ?", (charger_id,))
    return power


def token_rule(tx: Tx, charger_id: str) -> str:
    """Return how a charger writes card numbers."""
    rule: str | None = tx.value("SELECT token_transform FROM chargers WHERE id = ?", (charger_id,))
    return rule or "none"


def connector_by_slug(tx: Tx, slug: str) -> Row | None:
    """Return the connector behind a driver's code, with its charger's name."""
    return tx.one(
        """
        SELECT
            n.charger_id,
            n.evse,
            n.number,
            n.name,
            n.status,
            c.name AS charger_name
        FROM connectors n
        JOIN chargers c ON c.id = n.charger_id
        WHERE n.slug = ?
        AND c.archived_at IS NULL
        """,
        (slug,),
    )


def slug_of(tx: Tx, charger_id: str, place: Place) -> str | None:
    """Return the driver's code of a connector."""
    slug: str | None = tx.value(
        "SELECT slug FROM connectors WHERE charger_id = ? AND evse = ? AND number = ?", (charger_id, *place)
    )
    return slug


def use_reservation(tx: Tx, charger_id: str, reservation_id: int, session_id: int) -> None:
    """Note that a session used up a reservation."""
    tx.execute(
        """
        UPDATE reservations
        SET status = 'used',
            session_id = ?,
            ended_at = ?
        WHERE charger_id = ?
        AND id = ?
        AND status = 'active'
        """,
        (session_id, tx.now_text, charger_id, reservation_id),
    )
