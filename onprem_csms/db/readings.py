"""Meter readings of sessions, and those that belong to none."""

from collections.abc import Sequence
from typing import Any

from onprem_csms.db.connection import Row
from onprem_csms.db.database import Tx

_INSERT = """
    INSERT INTO readings (
        session_id,
        at,
        register_wh,
        energy_wh,
        cost,
        power_w,
        current_ma,
        voltage_mv,
        soc_percent,
        activity,
        context
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""


def insert(tx: Tx, row: Sequence[Any]) -> bool:
    """Write a reading (columns in the table's order); False when the session has one of that moment."""
    return tx.execute(_INSERT, row) == 1


def insert_end(tx: Tx, row: Sequence[Any]) -> None:
    """Write the reading at the end; it overrules a periodic one of the same moment."""
    tx.execute(
        _INSERT.replace(
            "DO NOTHING", "DO UPDATE SET register_wh = coalesce(excluded.register_wh, register_wh)"
        ),
        row,
    )


def of_session(tx: Tx, session_id: int) -> list[Row]:
    """Return a session's readings in time."""
    return tx.all("SELECT * FROM readings WHERE session_id = ? ORDER BY at", (session_id,))


def recount(tx: Tx, session_id: int, rows: Sequence[tuple[int, int, str]]) -> None:
    """Write energy and cost anew, rows of (energy, cost, at), after a reading came late."""
    tx.many(
        f"UPDATE readings SET energy_wh = ?, cost = ? WHERE session_id = {session_id:d} AND at = ?",  # noqa: S608
        rows,
    )


def insert_signed(tx: Tx, session_id: int, at: str, text: str) -> None:
    """Keep a signed reading as it came."""
    tx.execute("INSERT INTO signed_readings VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (session_id, at, text))


def signed(tx: Tx, session_id: int) -> list[Row]:
    """Return a session's signed readings."""
    return tx.all("SELECT at, text FROM signed_readings WHERE session_id = ? ORDER BY at", (session_id,))


def insert_loose(tx: Tx, row: Sequence[Any]) -> None:
    """Keep a reading that belongs to no session."""
    tx.execute("INSERT INTO loose_readings VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
