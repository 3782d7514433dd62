"""Sessions with the names of what they refer to, for pages and lists."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from onprem_csms.db.charging.sessions import COLUMNS, Session
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.tx import Tx


class Named(NamedTuple):
    """A session with the names of what it refers to."""

    session: Session
    charger_name: str
    card_uid: str | None
    person_id: int | None
    person_name: str


_VIEW = f"""
    SELECT
        {COLUMNS},
        coalesce(nullif(c.name, ''), s.charger_id),
        k.uid,
        p.id,
        coalesce(p.name, '')
    FROM sessions s
    LEFT JOIN chargers c ON c.id = s.charger_id
    LEFT JOIN cards k ON k.id = s.card_id
    LEFT JOIN people p ON p.id = k.person_id
"""  # noqa: S608 - own names


def view(tx: Tx, session_id: int) -> Named | None:
    """Return a session with its names."""
    row = tx.one(_VIEW + "WHERE s.id = ?", (session_id,))
    return None if row is None else _named(row)


def find(tx: Tx, where: str, params: Sequence[Any], limit: int) -> list[Named]:
    """Return sessions by a condition, newest first."""
    found = tx.all(f"{_VIEW} WHERE {where} ORDER BY s.id DESC LIMIT ?", (*params, limit))
    return [_named(row) for row in found]


def _named(row: Row) -> Named:
    count = len(Session._fields)
    return Named(Session(*tuple(row)[:count]), *tuple(row)[count:])
