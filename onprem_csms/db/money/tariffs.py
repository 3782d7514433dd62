"""The table ``tariffs``, and which charger and connector uses which."""

from typing import Any

from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx

OF_PLACES: Cache[tuple[str, int], Any] = Cache("tariffs of places", 20_000)
"""Which connector uses which tariff; cleared whenever either is written."""

_SELECT = """
    SELECT
        id,
        name,
        currency,
        definition,
        is_default,
        created_at,
        updated_at
    FROM tariffs
"""


def insert(tx: Tx, name: str, currency: str, definition: str) -> int:
    """Add a tariff; returns the id."""
    OF_PLACES.clear(tx)
    return tx.insert(
        """
        INSERT INTO tariffs (name, currency, definition, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?)
        """,
        (name, currency, definition, tx.now_text, tx.now_text),
    )


def by_id(tx: Tx, tariff_id: int) -> Row | None:
    """Return a tariff that is not archived."""
    return tx.one(_SELECT + "WHERE id = ? AND archived_at IS NULL", (tariff_id,))


def default(tx: Tx) -> Row | None:
    """Return the site's default tariff."""
    return tx.one(_SELECT + "WHERE is_default = 1 AND archived_at IS NULL")


def page(tx: Tx, after: int, limit: int) -> list[Row]:
    """Return tariffs by id, from beyond ``after``."""
    return tx.all(
        _SELECT + "WHERE id > ? AND archived_at IS NULL ORDER BY id LIMIT ?",
        (after, limit),
    )


def update(tx: Tx, tariff_id: int, name: str, currency: str, definition: str) -> None:
    """Write a tariff anew; sessions keep the one they began with."""
    OF_PLACES.clear(tx)
    tx.execute(
        "UPDATE tariffs SET name = ?, currency = ?, definition = ?, updated_at = ? WHERE id = ?",
        (name, currency, definition, tx.now_text, tariff_id),
    )


def make_default(tx: Tx, tariff_id: int) -> None:
    """Let this tariff, and no other, be the default."""
    OF_PLACES.clear(tx)
    tx.execute("UPDATE tariffs SET is_default = 0 WHERE is_default = 1 AND id <> ?", (tariff_id,))
    tx.execute("UPDATE tariffs SET is_default = 1, updated_at = ? WHERE id = ?", (tx.now_text, tariff_id))


def archive(tx: Tx, tariff_id: int) -> None:
    """Take a tariff off every list."""
    OF_PLACES.clear(tx)
    tx.execute("UPDATE tariffs SET archived_at = ?, is_default = 0 WHERE id = ?", (tx.now_text, tariff_id))


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
    return [row["id"] for row in rows]


def by_connector(tx: Tx, charger_id: str, connector: int) -> int | None:
    """Return the id of the connector's own tariff, else of its charger's."""
    tariff_id: int | None = tx.value(
        """
        SELECT coalesce(
            (SELECT tariff_id FROM connectors WHERE charger_id = :charger AND number = :connector),
            (SELECT tariff_id FROM chargers WHERE id = :charger)
        )
        """,
        {"charger": charger_id, "connector": connector},
    )
    return tariff_id
