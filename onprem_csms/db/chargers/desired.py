"""The table ``desired_settings``: what the site wants of chargers' variables, and how far each wish is."""

from typing import NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.chargers.variables import variable_of
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.variables import Attribute, Variable, WishStatus


class Desired(NamedTuple):
    """A wanted value; ``tries`` counts how often it was sent."""

    variable: Variable
    attribute: Attribute
    value: str
    status: WishStatus
    tries: int


def put(tx: Tx, charger_id: str, wish: tuple[Variable, str], status: WishStatus) -> None:
    """Keep what is wanted of a variable (its actual value) and what the charger said to it so far."""
    variable, value = wish
    tx.execute(
        """
        INSERT INTO desired_settings (
            charger_id,
            component,
            instance,
            evse,
            connector,
            name,
            name_instance,
            attribute,
            value,
            status,
            wanted_at
        )
        VALUES (?, ?, ?, ?, ?, ?, ?, 'actual', ?, ?, ?)
        ON CONFLICT DO UPDATE SET
            value = excluded.value,
            status = excluded.status,
            origin = iif(value = excluded.value, origin, ''),
            tries = iif(excluded.status = 'wanted', iif(value = excluded.value, tries, 0), tries),
            wanted_at = excluded.wanted_at
        """,
        (*_key(charger_id, variable), value, status, to_millis(tx.now)),
    )


def mark(tx: Tx, charger_id: str, variable: Variable, origin: str) -> None:
    """Note where a wish comes from; a person's has no origin."""
    tx.execute(
        f"UPDATE desired_settings SET origin = ? WHERE {_WHICH}",  # noqa: S608 - own words
        (origin, *_key(charger_id, variable)),
    )


def is_of(tx: Tx, charger_id: str, variable: Variable, origin: str) -> bool:
    """Tell whether a wish comes from there."""
    found = tx.value(
        f"SELECT origin FROM desired_settings WHERE {_WHICH}",  # noqa: S608 - own words
        _key(charger_id, variable),
    )
    return bool(found == origin)


def tried(tx: Tx, charger_id: str, variable: Variable) -> None:
    """Count that a wish was sent."""
    tx.execute(
        f"UPDATE desired_settings SET tries = tries + 1, tried_at = ? WHERE {_WHICH}",  # noqa: S608 - own words
        (to_millis(tx.now), *_key(charger_id, variable)),
    )


def unmet(tx: Tx, charger_id: str) -> list[Desired]:
    """Return what is wanted and has not been answered, oldest first."""
    rows = tx.all(
        """
        SELECT *
        FROM desired_settings
        WHERE charger_id = ?
        AND status = 'wanted'
        ORDER BY wanted_at
        """,
        (charger_id,),
    )
    return [
        Desired(variable_of(row), row["attribute"], row["value"], row["status"], row["tries"]) for row in rows
    ]


def delete(tx: Tx, charger_id: str, variable: Variable) -> bool:
    """Want nothing of a variable any more; False when nothing was wanted."""
    return tx.execute(f"DELETE FROM desired_settings WHERE {_WHICH}", _key(charger_id, variable)) == 1  # noqa: S608 - own words


_WHICH = """
    charger_id = ?
    AND component = ?
    AND instance = ?
    AND evse = ?
    AND connector = ?
    AND name = ?
    AND name_instance = ?
    AND attribute = 'actual'
"""


def _key(charger_id: str, variable: Variable) -> tuple[str | int, ...]:
    return (
        charger_id,
        variable.component,
        variable.instance,
        *variable.place,
        variable.name,
        variable.name_instance,
    )
