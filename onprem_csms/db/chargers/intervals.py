"""What was when: the statuses of connectors and the connections of chargers, as intervals of a day."""

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place


def open_status(tx: Tx, charger_id: str, place: Place) -> Row | None:
    """Return the status that holds now."""
    return tx.one(
        """
        SELECT *
        FROM status_intervals
        WHERE charger_id = ?
        AND evse = ?
        AND connector = ?
        AND until_at IS NULL
        """,
        (charger_id, *place),
    )


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


def statuses(tx: Tx, charger_id: str, from_at: str, until_at: str) -> list[Row]:
    """Return the statuses of all connectors that touch a span of time, by connector and begin."""
    return tx.all(
        """
        SELECT *
        FROM status_intervals
        WHERE charger_id = ?
        AND from_at < ?
        AND (until_at IS NULL OR until_at > ?)
        ORDER BY evse, connector, from_at, id
        """,
        (charger_id, until_at, from_at),
    )


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


def connections(tx: Tx, charger_id: str, from_at: str, until_at: str) -> list[Row]:
    """Return the connections that touch a span of time, by begin."""
    return tx.all(
        """
        SELECT *
        FROM connection_intervals
        WHERE charger_id = ?
        AND from_at < ?
        AND (until_at IS NULL OR until_at > ?)
        ORDER BY from_at, id
        """,
        (charger_id, until_at, from_at),
    )


def end_forgotten_connections(tx: Tx) -> int:
    """End what a process that was killed left open, at the moment it was last known to be alive."""
    alive = tx.value("SELECT max(alive_at) FROM process_intervals WHERE from_at < ?", (tx.now_text,))
    at = alive or tx.now_text
    tx.execute(
        """
        UPDATE chargers
        SET disconnected_at = max(connected_at, :at)
        WHERE id IN (SELECT charger_id FROM connection_intervals WHERE until_at IS NULL)
        """,
        {"at": at},
    )
    return tx.execute(
        """
        UPDATE connection_intervals
        SET until_at = max(from_at, :at),
            reason = 'restart'
        WHERE until_at IS NULL
        """,
        {"at": at},
    )
