"""The tables ``tariffs``, ``tariff_versions`` and ``tariff_assignments``. Moments are UTC milliseconds."""

from collections.abc import Mapping
from typing import NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place


class TariffRow(NamedTuple):
    """A price list without its prices."""

    id: int
    name: str
    currency: str
    is_default: bool
    created_at: int


class VersionRow(NamedTuple):
    """The prices of a tariff from ``valid_from`` on; ``definition`` is JSON."""

    id: int
    tariff_id: int
    version: int
    valid_from: int
    definition: str
    created_at: int


class AssignmentRow(NamedTuple):
    """One subject's tariff from ``valid_from`` on, None for no tariff of its own any more."""

    id: int
    scope: str
    subject: str
    evse: int
    connector: int
    valid_from: int
    tariff_id: int | None


Key = tuple[str, str, int, int]
"""Scope, subject, EVSE and connector of an assignment."""
OF_PLACES: Cache[tuple[str, int, int], tuple[int | None, int | None]] = Cache("tariffs of places", 20_000)
"""What ``named`` gives for a place; cleared whenever a charger's or a connector's setting is written."""
_PRICED: Cache[int, "Priced"] = Cache("tariffs with their versions", 1_000)
_VERSIONS: Cache[int, VersionRow] = Cache("tariff versions", 1_000)
_DEFAULT: Cache[None, int] = Cache("default tariff", 1)
_ASSIGNED: Cache[None, Mapping[Key, list[AssignmentRow]]] = Cache("tariff assignments", 1)


class Priced(NamedTuple):
    """A tariff with all its versions, the first one first."""

    tariff: TariffRow
    versions: tuple[VersionRow, ...]


_TARIFF = """
    SELECT
        id,
        name,
        currency,
        is_default,
        created_at
    FROM tariffs
"""
_VERSION = """
    SELECT
        id,
        tariff_id,
        version,
        valid_from,
        definition,
        created_at
    FROM tariff_versions
"""


def _tariff(row: Row) -> TariffRow:
    return TariffRow(row[0], row[1], row[2], bool(row[3]), row[4])


def insert(tx: Tx, name: str, currency: str) -> int:
    """Add a tariff without prices; returns the id."""
    return tx.insert(
        "INSERT INTO tariffs (name, currency, created_at) VALUES (?, ?, ?)",
        (name, currency, to_millis(tx.now)),
    )


def insert_version(tx: Tx, tariff_id: int, valid_from: int, definition: str) -> int:
    """Add the prices that hold from a moment on; returns the version's id."""
    _PRICED.drop(tx, tariff_id)
    return tx.insert(
        """
        INSERT INTO tariff_versions (
            tariff_id,
            version,
            valid_from,
            definition,
            created_at
        )
        SELECT
            :tariff,
            coalesce(max(version), 0) + 1,
            :valid_from,
            :definition,
            :now
        FROM tariff_versions
        WHERE tariff_id = :tariff
        """,
        {
            "tariff": tariff_id,
            "valid_from": valid_from,
            "definition": definition,
            "now": to_millis(tx.now),
        },
    )


def by_id(tx: Tx, tariff_id: int) -> TariffRow | None:
    """Return a tariff that is not archived."""
    row = tx.one(_TARIFF + "WHERE id = ? AND archived_at IS NULL", (tariff_id,))
    return None if row is None else _tariff(row)


def default(tx: Tx) -> int | None:
    """Return the id of the site's default tariff; the writer remembers it."""
    known = _DEFAULT.get(tx, None)
    if known is None:
        known = tx.value("SELECT id FROM tariffs WHERE is_default = 1 AND archived_at IS NULL")
        if known is not None:
            _DEFAULT.set(tx, None, known)
    return known


def page(tx: Tx, after: int, limit: int) -> list[TariffRow]:
    """Return tariffs by id, from beyond ``after``."""
    found = tx.all(_TARIFF + "WHERE id > ? AND archived_at IS NULL ORDER BY id LIMIT ?", (after, limit))
    return [_tariff(row) for row in found]


def priced(tx: Tx, tariff_id: int) -> Priced | None:
    """Return a tariff that is not archived with its versions; the writer remembers it."""
    known = _PRICED.get(tx, tariff_id)
    if known is None and (tariff := by_id(tx, tariff_id)) is not None:
        found = tx.all(_VERSION + "WHERE tariff_id = ? ORDER BY version", (tariff_id,))
        known = Priced(tariff, tuple(VersionRow(*row) for row in found))
        _PRICED.set(tx, tariff_id, known)
    return known


def version(tx: Tx, version_id: int) -> VersionRow | None:
    """Return one version, also of an archived tariff; the writer remembers it."""
    known = _VERSIONS.get(tx, version_id)
    if known is None and (row := tx.one(_VERSION + "WHERE id = ?", (version_id,))) is not None:
        known = VersionRow(*row)
        _VERSIONS.set(tx, version_id, known)
    return known


def rename(tx: Tx, tariff_id: int, name: str, currency: str) -> None:
    """Write name and currency of a tariff, as its present version has them."""
    _PRICED.drop(tx, tariff_id)
    tx.execute("UPDATE tariffs SET name = ?, currency = ? WHERE id = ?", (name, currency, tariff_id))


def make_default(tx: Tx, tariff_id: int) -> None:
    """Let this tariff, and no other, be the default."""
    _PRICED.clear(tx)
    _DEFAULT.drop(tx, None)
    tx.execute("UPDATE tariffs SET is_default = 0 WHERE is_default = 1 AND id <> ?", (tariff_id,))
    tx.execute("UPDATE tariffs SET is_default = 1 WHERE id = ?", (tariff_id,))


def archive(tx: Tx, tariff_id: int) -> None:
    """Take a tariff off every list."""
    _PRICED.drop(tx, tariff_id)
    _DEFAULT.drop(tx, None)
    tx.execute(
        "UPDATE tariffs SET archived_at = ?, is_default = 0 WHERE id = ?", (to_millis(tx.now), tariff_id)
    )


def count(tx: Tx) -> int:
    """Count the tariffs."""
    number: int = tx.value("SELECT count(*) FROM tariffs WHERE archived_at IS NULL")
    return number


def users(tx: Tx, tariff_id: int) -> list[str]:
    """Return the chargers that name this tariff, for themselves or for a connector."""
    rows = tx.all(
        """
        SELECT chargers.id
        FROM chargers
        WHERE chargers.archived_at IS NULL AND (
            chargers.tariff_id = :id
            OR EXISTS (
                SELECT 1
                FROM connectors
                WHERE connectors.charger_id = chargers.id AND connectors.tariff_id = :id
            )
        )
        ORDER BY chargers.id
        """,
        {"id": tariff_id},
    )
    return [row[0] for row in rows]


def named(tx: Tx, charger_id: str, place: Place) -> tuple[int | None, int | None]:
    """Return the ids of the tariffs that a connector and its charger name in their own settings."""
    known = OF_PLACES.get(tx, (charger_id, *place))
    if known is not None:
        return known
    row = tx.one(
        """
        SELECT
            (SELECT tariff_id
                FROM connectors
                WHERE charger_id = :charger AND evse = :evse AND number = :connector),
            (SELECT tariff_id FROM chargers WHERE id = :charger)
        """,
        {"charger": charger_id, "evse": place.evse, "connector": place.connector},
    )
    found = (None, None) if row is None else (row[0], row[1])
    OF_PLACES.set(tx, (charger_id, *place), found)
    return found


def assign(tx: Tx, row: AssignmentRow) -> None:
    """Write an assignment; one of the same subject and moment is replaced."""
    _ASSIGNED.drop(tx, None)
    tx.execute(
        """
        INSERT INTO tariff_assignments (
            scope,
            subject,
            evse,
            connector,
            valid_from,
            tariff_id,
            created_at
        )
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (scope, subject, evse, connector, valid_from) DO UPDATE
        SET tariff_id = excluded.tariff_id,
            created_at = excluded.created_at
        """,
        (*row[1:], to_millis(tx.now)),
    )


def assignments(tx: Tx) -> Mapping[Key, list[AssignmentRow]]:
    """Return every assignment by its subject, each subject's oldest first; the writer remembers them."""
    known = _ASSIGNED.get(tx, None)
    if known is None:
        known = _read_assignments(tx)
        _ASSIGNED.set(tx, None, known)
    return known


def _read_assignments(tx: Tx) -> dict[Key, list[AssignmentRow]]:
    found = tx.all(
        """
        SELECT
            id,
            scope,
            subject,
            evse,
            connector,
            valid_from,
            tariff_id
        FROM tariff_assignments
        ORDER BY valid_from
        """
    )
    by_subject: dict[Key, list[AssignmentRow]] = {}
    for row in found:
        by_subject.setdefault((row[1], row[2], row[3], row[4]), []).append(AssignmentRow(*row))
    return by_subject


def move_assignments(tx: Tx, charger_id: str, before: Place, after: Place) -> None:
    """Let what is assigned to a connector go by another place."""
    _ASSIGNED.clear(tx)
    tx.execute(
        """
        UPDATE OR IGNORE tariff_assignments
        SET evse = ?,
            connector = ?
        WHERE scope = 'connector'
        AND subject = ?
        AND evse = ?
        AND connector = ?
        """,
        (*after, charger_id, *before),
    )
