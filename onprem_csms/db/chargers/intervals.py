"""What was when: the statuses of connectors and the connections of chargers, as intervals of a day."""

from datetime import datetime

from onprem_csms.clock import from_text, maybe_from_text, to_text
from onprem_csms.db.chargers import chargers as charger_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.engine.history import History
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.records import ConnectionSpan, StatusSpan

STATUSES = History("status_intervals", "until_at")
CONNECTIONS = History("connection_intervals", "until_at")


def end_status(tx: Tx, interval_id: int, at: str) -> None:
    """End a status; never before it began."""
    tx.execute("UPDATE status_intervals SET until_at = max(from_at, ?) WHERE id = ?", (at, interval_id))


def begin_status(tx: Tx, place: tuple[str, int, int], status: str, error_code: str, at: str) -> int:
    """Begin a status of (charger, EVSE, connector); returns the interval's id."""
    return tx.insert(
        """
        INSERT INTO status_intervals (
            charger_id,
            evse,
            connector,
            status,
            error_code,
            from_at
        )
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        (*place, status, error_code, at),
    )


def statuses(tx: Tx, charger_id: str, since: datetime, until: datetime) -> list[StatusSpan]:
    """Return the statuses of all places that touch a span of time, by place and begin."""
    # Each place by itself, from the one that held at the begin: ten years of a charger are not walked through.
    found = tx.all(
        """
        SELECT
            s.evse,
            s.connector,
            s.status,
            s.error_code,
            s.from_at,
            s.until_at
        FROM connectors n
        CROSS JOIN status_intervals s INDEXED BY status_intervals_by_place
            ON s.charger_id = n.charger_id
            AND s.evse = n.evse
            AND s.connector = n.number
            AND s.from_at < :until
            AND s.from_at >= coalesce(
                (
                    SELECT max(b.from_at)
                    FROM status_intervals b
                    WHERE b.charger_id = n.charger_id
                    AND b.evse = n.evse
                    AND b.connector = n.number
                    AND b.from_at <= :since
                ),
                ''
            )
        WHERE n.charger_id = :charger_id
        AND (s.until_at IS NULL OR s.until_at > :since)
        ORDER BY n.evse, n.number, s.from_at, s.id
        """,
        {"charger_id": charger_id, "since": to_text(since), "until": to_text(until)},
    )
    return [
        StatusSpan(
            evse=row["evse"],
            connector=row["connector"],
            status=row["status"],
            error_code=row["error_code"],
            since=from_text(row["from_at"]),
            until=maybe_from_text(row["until_at"]),
        )
        for row in found
    ]


def move_statuses(tx: Tx, charger_id: str, before: Place, after: Place) -> None:
    """Let the history of a connector go by another place."""
    tx.execute(
        """
        UPDATE status_intervals
        SET evse = ?,
            connector = ?
        WHERE charger_id = ?
        AND evse = ?
        AND connector = ?
        """,
        (*after, charger_id, *before),
    )


def begin_connection(tx: Tx, charger_id: str, protocol: str, remote: str) -> int:
    """Begin a connection; returns the interval's id."""
    return tx.insert(
        "INSERT INTO connection_intervals (charger_id, protocol, remote, from_at) VALUES (?, ?, ?, ?)",
        (charger_id, protocol, remote, tx.now_text),
    )


def end_connection(tx: Tx, interval_id: int, reason: str) -> bool:
    """End a connection; False when it was ended."""
    changed = tx.execute(
        "UPDATE connection_intervals SET until_at = ?, reason = ? WHERE id = ? AND until_at IS NULL",
        (tx.now_text, reason, interval_id),
    )
    return changed == 1


def has_open_connection(tx: Tx, charger_id: str) -> bool:
    """Tell whether a connection of the charger is open."""
    row = tx.one(
        "SELECT 1 FROM connection_intervals WHERE charger_id = ? AND until_at IS NULL", (charger_id,)
    )
    return row is not None


def connections(tx: Tx, charger_id: str, since: datetime, until: datetime) -> list[ConnectionSpan]:
    """Return the connections that touch a span of time, by begin."""
    found = tx.all(
        """
        SELECT *
        FROM connection_intervals
        WHERE charger_id = :charger_id
        AND from_at < :until
        AND from_at >= coalesce(
            (
                SELECT max(b.from_at)
                FROM connection_intervals b
                WHERE b.charger_id = :charger_id
                AND b.from_at <= :since
            ),
            ''
        )
        AND (until_at IS NULL OR until_at > :since)
        ORDER BY from_at, id
        """,
        {"charger_id": charger_id, "since": to_text(since), "until": to_text(until)},
    )
    return [
        ConnectionSpan(
            protocol=row["protocol"],
            remote=row["remote"],
            since=from_text(row["from_at"]),
            until=maybe_from_text(row["until_at"]),
            reason=row["reason"],
        )
        for row in found
    ]


def end_forgotten_connections(tx: Tx) -> int:
    """End what a process that was killed left open, at the moment it was last known to be alive."""
    alive = tx.value("SELECT max(alive_at) FROM process_intervals WHERE from_at < ?", (tx.now_text,))
    at = alive or tx.now_text
    charger_rows.left_open(tx, at)
    return tx.execute(
        """
        UPDATE connection_intervals
        SET until_at = max(from_at, :at),
            reason = 'restart'
        WHERE until_at IS NULL
        """,
        {"at": at},
    )


def last_here(tx: Tx, charger_id: str) -> datetime | None:
    """Return when a charger's connection before this one ended, else when it was added."""
    ended: str | None = tx.value(
        """
        SELECT coalesce(
            (SELECT max(until_at) FROM connection_intervals WHERE charger_id = :id AND until_at IS NOT NULL),
            (SELECT created_at FROM chargers WHERE id = :id)
        )
        """,
        {"id": charger_id},
    )
    return maybe_from_text(ended)
