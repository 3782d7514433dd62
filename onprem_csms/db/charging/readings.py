"""Meter readings of sessions, and those that belong to none.

A reading that is the newest of its session is appended to ``reading_journal``, which costs a part of a
page; in the order of ``readings`` each would dirty, encrypt and write a page of its own. From time to
time the journal is settled: its rows go into ``readings`` by the dozen, a slice of the sessions at once,
so that no commit takes long. A row may stand in both tables; then the two are the same.
"""

from collections.abc import Sequence
from typing import Any

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx

SLICES = 8
SETTLE_EVERY = 512
"""Rows of the journal between two slices; the journal keeps about SLICES * SETTLE_EVERY rows."""

COLUMNS = """
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
"""
_APPEND = f"INSERT INTO reading_journal ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - own text
_INSERT = f"INSERT INTO readings ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT "  # noqa: S608
_SETTLE = f"INSERT OR IGNORE INTO readings SELECT {COLUMNS} FROM reading_journal WHERE "  # noqa: S608


def append(tx: Tx, row: Sequence[Any]) -> None:
    """Write a reading (in the order of COLUMNS) that is later than every other of its session."""
    id = tx.insert(_APPEND, row)
    if id % SETTLE_EVERY == 0:
        _settle_slice(tx, id)


def _settle_slice(tx: Tx, last: int) -> None:
    """Settle an eighth of the sessions; what is older than eight slices has been settled and goes."""
    tx.execute("DELETE FROM reading_journal WHERE id <= ?", (last - SLICES * SETTLE_EVERY,))
    tx.execute(
        _SETTLE + "session_id % ? = ? ORDER BY session_id, at", (SLICES, last // SETTLE_EVERY % SLICES)
    )


def _settle(tx: Tx, session_id: int) -> None:
    """Bring all readings of a session into ``readings``, where they can be changed."""
    tx.execute(_SETTLE + "session_id = ? ORDER BY at", (session_id,))
    tx.execute("DELETE FROM reading_journal WHERE session_id = ?", (session_id,))


def insert(tx: Tx, row: Sequence[Any]) -> bool:
    """Write a reading of any moment; False when the session has one of that moment."""
    _settle(tx, row[0])
    return tx.execute(_INSERT + "DO NOTHING", row) == 1


def insert_end(tx: Tx, row: Sequence[Any]) -> None:
    """Write the reading at the end; it overrules a periodic one of the same moment."""
    _settle(tx, row[0])
    tx.execute(_INSERT + "DO UPDATE SET register_wh = coalesce(excluded.register_wh, register_wh)", row)


def of_session(tx: Tx, session_id: int) -> list[Row]:
    """Return a session's readings in time."""
    return tx.all(
        f"""
        SELECT {COLUMNS} FROM readings WHERE session_id = :id
        UNION
        SELECT {COLUMNS} FROM reading_journal WHERE session_id = :id
        ORDER BY at
        """,  # noqa: S608 - own text
        {"id": session_id},
    )


def recount(tx: Tx, session_id: int, rows: Sequence[tuple[int, int, str]]) -> None:
    """Write energy and cost anew, rows of (energy, cost, at), after a reading came late."""
    _settle(tx, session_id)
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
    tx.execute("INSERT INTO loose_readings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
