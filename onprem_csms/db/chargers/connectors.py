"""The table ``connectors``. The place (0, 0) is the charger as a whole."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from onprem_csms.clock import maybe_from_text
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import tariffs
from onprem_csms.domain.chargers.chargers import Connector
from onprem_csms.domain.chargers.places import Place

_COLUMNS = frozenset(("name", "status", "error_code", "info", "status_at", "slug", "tariff_id"))


class Shown(NamedTuple):
    """What a connector shows now; ``interval_id`` is the stretch of time that it began."""

    status: str
    error_code: str
    info: str
    at: str
    interval_id: int


_PLACES: Cache[str, tuple[Place, ...]] = Cache("connectors of chargers", 5_000)
SHOWN: Cache[tuple[str, int, int], Shown] = Cache("statuses of connectors", 20_000)


def insert(tx: Tx, charger_id: str, place: Place, slug: str | None) -> None:
    """Add a connector; one that is there stays as it is."""
    _PLACES.drop(tx, charger_id)
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


def has(tx: Tx, charger_id: str, place: Place) -> bool:
    """Tell whether a charger has a connector."""
    row = tx.one(
        "SELECT 1 FROM connectors WHERE charger_id = ? AND evse = ? AND number = ?", (charger_id, *place)
    )
    return row is not None


def shown(tx: Tx, charger_id: str, place: Place) -> Shown | None:
    """Return what a connector shows; None where there is none."""
    row = tx.one(
        """
        SELECT
            n.status,
            n.error_code,
            n.info,
            n.status_at,
            s.id,
            s.until_at
        FROM connectors n
        LEFT JOIN status_intervals s ON s.id = (
            SELECT i.id
            FROM status_intervals i
            WHERE i.charger_id = n.charger_id
            AND i.evse = n.evse
            AND i.connector = n.number
            ORDER BY i.from_at DESC, i.id DESC
            LIMIT 1
        )
        WHERE n.charger_id = ?
        AND n.evse = ?
        AND n.number = ?
        """,
        (charger_id, *place),
    )
    if row is None:
        return None
    interval_id = row["id"] if row["id"] is not None and row["until_at"] is None else 0
    return Shown(row["status"], row["error_code"], row["info"], row["status_at"] or "", interval_id)


def place_of_slug(tx: Tx, slug: str) -> tuple[str, Place] | None:
    """Return the charger and the place behind a QR code, unless the charger is archived."""
    row = tx.one(
        """
        SELECT
            connectors.charger_id,
            connectors.evse,
            connectors.number
        FROM connectors
        JOIN chargers ON chargers.id = connectors.charger_id
        WHERE connectors.slug = ?
        AND chargers.archived_at IS NULL
        """,
        (slug,),
    )
    return None if row is None else (row["charger_id"], Place(row["evse"], row["number"]))


def of_chargers(tx: Tx, charger_ids: Sequence[str]) -> dict[str, list[Connector]]:
    """Return the connectors of some chargers by EVSE and number, the charger as a whole first."""
    found: dict[str, list[Connector]] = {charger_id: [] for charger_id in charger_ids}
    marks = ", ".join("?" * len(charger_ids))
    for row in tx.all(
        f"SELECT * FROM connectors WHERE charger_id IN ({marks}) ORDER BY charger_id, evse, number",  # noqa: S608 - marks
        tuple(charger_ids),
    ):
        found[row["charger_id"]].append(_connector(row))
    return found


def places(tx: Tx, charger_id: str) -> tuple[Place, ...]:
    """Return where a charger has connectors, without the charger as a whole."""
    known = _PLACES.get(tx, charger_id)
    if known is None:
        known = tuple(one.place for one in of_chargers(tx, (charger_id,))[charger_id] if one.number)
        _PLACES.set(tx, charger_id, known)
    return known


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


def move(tx: Tx, charger_id: str, before: Place, after: Place) -> None:
    """Let a connector go by another place: its slug, name and tariff stay with it; none is at the new place."""
    tariffs.OF_PLACES.clear(tx)
    _PLACES.drop(tx, charger_id)
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


def slug_of(tx: Tx, charger_id: str, place: Place) -> str | None:
    """Return the driver's code of a connector."""
    slug: str | None = tx.value(
        "SELECT slug FROM connectors WHERE charger_id = ? AND evse = ? AND number = ?", (charger_id, *place)
    )
    return slug


def _connector(row: Row) -> Connector:
    return Connector(
        evse=row["evse"],
        number=row["number"],
        name=row["name"],
        status=row["status"],
        error_code=row["error_code"],
        info=row["info"],
        status_at=maybe_from_text(row["status_at"]),
        slug=row["slug"],
        tariff_id=row["tariff_id"],
    )
