"""The table ``connectors``. The place (0, 0) is the charger as a whole."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import tariffs
from onprem_csms.domain.chargers.places import Place

_COLUMNS = frozenset(("name", "status", "error_code", "info", "status_at", "slug", "tariff_id"))


class Shown(NamedTuple):
    """What a connector shows now; ``interval_id`` is the stretch of time that it began."""

    status: str
    error_code: str
    info: str
    at: str
    interval_id: int


SHOWN: Cache[tuple[str, int, int], Shown] = Cache("statuses of connectors", 20_000)


def insert(tx: Tx, charger_id: str, place: Place, slug: str | None) -> None:
    """Add a connector; one that is there stays as it is."""
    tx.execute(
        """
        INSERT INTO connectors (
            charger_id,
            evse,
            number,
            slug
        )
        VALUES (?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """,
        (charger_id, *place, slug),
    )


def get(tx: Tx, charger_id: str, place: Place) -> Row | None:
    """Return one connector."""
    return tx.one(
        "SELECT * FROM connectors WHERE charger_id = ? AND evse = ? AND number = ?", (charger_id, *place)
    )


def by_slug(tx: Tx, slug: str) -> Row | None:
    """Return the connector behind a QR code, with its charger's name, unless the charger is archived."""
    return tx.one(
        """
        SELECT
            connectors.*,
            chargers.name AS charger_name
        FROM connectors
        JOIN chargers ON chargers.id = connectors.charger_id
        WHERE connectors.slug = ?
        AND chargers.archived_at IS NULL
        """,
        (slug,),
    )


def of_charger(tx: Tx, charger_id: str) -> list[Row]:
    """Return a charger's connectors by EVSE and number, the charger as a whole first."""
    return tx.all("SELECT * FROM connectors WHERE charger_id = ? ORDER BY evse, number", (charger_id,))


def of_all(tx: Tx) -> list[Row]:
    """Return every connector of every charger that is not archived."""
    return tx.all(
        """
        SELECT connectors.*
        FROM connectors
        JOIN chargers ON chargers.id = connectors.charger_id
        WHERE chargers.archived_at IS NULL
        ORDER BY connectors.charger_id, connectors.evse, connectors.number
        """
    )


def update(tx: Tx, charger_id: str, place: Place, values: Mapping[str, Any]) -> bool:
    """Change columns of a connector; False when there is none."""
    if "tariff_id" in values:
        tariffs.OF_PLACES.clear(tx)
    unknown = values.keys() - _COLUMNS
    if unknown:
        message = f"no such columns: {sorted(unknown)}"
        raise ValueError(message)
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    changed = tx.execute(
        f"UPDATE connectors SET {assignments} WHERE charger_id = :charger_id AND evse = :evse AND number = :number",  # noqa: S608 - own names
        {"charger_id": charger_id, "evse": place.evse, "number": place.connector, **values},
    )
    return changed == 1


def show(tx: Tx, place: tuple[str, int, int], shown: tuple[str, str, str], at: str) -> None:
    """Write status, error code and info of a connector (charger, EVSE, number)."""
    tx.execute(
        """
        UPDATE connectors
        SET status = ?,
            error_code = ?,
            info = ?,
            status_at = ?
        WHERE charger_id = ?
        AND evse = ?
        AND number = ?
        """,
        (*shown, at, *place),
    )


def count(tx: Tx, charger_id: str) -> int:
    """Count a charger's connectors."""
    return int(tx.value("SELECT count(*) FROM connectors WHERE charger_id = ?", (charger_id,)))


def move(tx: Tx, charger_id: str, before: Place, after: Place) -> None:
    """Let a connector go by another place: its slug, name and tariff stay with it; none is at the new place."""
    tariffs.OF_PLACES.clear(tx)
    SHOWN.drop(tx, (charger_id, *before))
    tx.execute(
        """
        UPDATE connectors
        SET evse = ?,
            number = ?
        WHERE charger_id = ?
        AND evse = ?
        AND number = ?
        """,
        (*after, charger_id, *before),
    )
