"""The table ``variables``: the device model as each charger reports it. 1.6's keys have the component ''."""

from onprem_csms.clock import maybe_from_millis, to_millis
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.variables import Setting, Told, Variable


def report(tx: Tx, charger_id: str, told: Told) -> None:
    """Keep what a charger said of one variable; what it left out this time stays as it was."""
    tx.execute(
        """
        INSERT INTO variables (
            charger_id,
            component,
            instance,
            evse,
            connector,
            name,
            name_instance,
            attribute,
            value,
            mutability,
            data_type,
            unit,
            choices,
            reported_at
        )
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, 'read_write'), ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET
            value = excluded.value,
            mutability = coalesce(?10, mutability),
            data_type = iif(excluded.data_type = '', data_type, excluded.data_type),
            unit = iif(excluded.unit = '', unit, excluded.unit),
            choices = iif(excluded.choices = '', choices, excluded.choices),
            reported_at = excluded.reported_at
        """,
        (
            *_key(charger_id, told.variable),
            told.attribute,
            told.value,
            told.mutability,
            told.data_type,
            told.unit,
            told.values,
            to_millis(tx.now),
        ),
    )


def count(tx: Tx, charger_id: str) -> int:
    """Count what is kept of a charger."""
    return int(tx.value("SELECT count(*) FROM variables WHERE charger_id = ?", (charger_id,)))


def has_components(tx: Tx, charger_id: str) -> bool:
    """Tell whether a variable of a component is kept of a charger."""
    found = tx.value("SELECT 1 FROM variables WHERE charger_id = ? AND component > '' LIMIT 1", (charger_id,))
    return found is not None


def value(tx: Tx, charger_id: str, variable: Variable) -> str | None:
    """Return the actual value of a variable as last reported; None when it is not known."""
    found: str | None = tx.value(
        """
        SELECT value
        FROM variables
        WHERE charger_id = ?
        AND component = ?
        AND instance = ?
        AND evse = ?
        AND connector = ?
        AND name = ?
        AND name_instance = ?
        AND attribute = 'actual'
        """,
        _key(charger_id, variable),
    )
    return found


def find(tx: Tx, charger_id: str) -> list[Setting]:
    """Return a charger's variables with what is wanted of them, also those that it never reported."""
    rows = tx.all(
        """
        SELECT
            component,
            instance,
            evse,
            connector,
            name,
            name_instance,
            attribute,
            variables.value AS value,
            mutability,
            data_type,
            unit,
            choices,
            reported_at,
            desired_settings.value AS wanted,
            status,
            wanted_at
        FROM variables
        FULL JOIN desired_settings
        USING (charger_id, component, instance, evse, connector, name, name_instance, attribute)
        WHERE charger_id = ?
        ORDER BY component, instance, evse, connector, name, name_instance, attribute
        """,
        (charger_id,),
    )
    return [_setting(row) for row in rows]


def _key(charger_id: str, variable: Variable) -> tuple[str | int, ...]:
    return (
        charger_id,
        variable.component,
        variable.instance,
        *variable.place,
        variable.name,
        variable.name_instance,
    )


def variable_of(row: Row) -> Variable:
    """Return which variable a row is of."""
    place = Place(row["evse"], row["connector"])
    return Variable(row["component"], row["name"], row["instance"], place, row["name_instance"])


def _setting(row: Row) -> Setting:
    return Setting(
        variable_of(row),
        row["attribute"],
        row["value"],
        row["mutability"] or "read_write",
        row["data_type"] or "",
        row["unit"] or "",
        row["choices"] or "",
        maybe_from_millis(row["reported_at"]),
        row["wanted"],
        row["status"] or "",
        maybe_from_millis(row["wanted_at"]),
    )
