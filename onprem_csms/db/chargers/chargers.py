"""The table ``chargers``, with the secret by which each proves who it is."""

from collections.abc import Mapping
from typing import Any

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import tariffs

PEPPER = "charger_pepper"
COLUMNS = frozenset(
    (
        "name",
        "registration",
        "security_profile",
        "password_salt",
        "password_digest",
        "password_form",
        "old_password_salt",
        "old_password_digest",
        "allow_missing_subprotocol",
        "token_transform",
        "tariff_id",
        "max_power_w",
        "pinned_protocol",
        "protocol",
        "vendor",
        "model",
        "serial",
        "firmware",
        "boot_info",
        "booted_at",
        "connected_at",
        "disconnected_at",
        "created_at",
        "archived_at",
    )
)


def insert(tx: Tx, charger_id: str, values: Mapping[str, Any]) -> None:
    """Add a charger."""
    tariffs.OF_PLACES.clear(tx)
    names = ", ".join(_known(values))
    places = ", ".join(f":{name}" for name in values)
    tx.execute(
        f"INSERT INTO chargers (id, created_at, {names}) VALUES (:id, :created_at, {places})",  # noqa: S608 - own names
        {"id": charger_id, "created_at": tx.now_text, **values},
    )


def update(tx: Tx, charger_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a charger."""
    if "tariff_id" in values:
        tariffs.OF_PLACES.clear(tx)
    if values:
        assignments = ", ".join(f"{name} = :{name}" for name in _known(values))
        tx.execute(
            f"UPDATE chargers SET {assignments} WHERE id = :id",  # noqa: S608 - own names
            {"id": charger_id, **values},
        )


def _known(values: Mapping[str, Any]) -> list[str]:
    unknown = values.keys() - COLUMNS
    if unknown:
        message = f"no such columns: {sorted(unknown)}"
        raise ValueError(message)
    return list(values)


def get(tx: Tx, charger_id: str) -> Row | None:
    """Return a charger of this identity in this spelling, unless it is archived."""
    return tx.one("SELECT * FROM chargers WHERE id = ? AND archived_at IS NULL", (charger_id,))


def by_identity(tx: Tx, identity: str) -> Row | None:
    """Return the charger of an identity in any case, an archived one too."""
    return tx.one("SELECT * FROM chargers WHERE id = ? COLLATE NOCASE", (identity,))


def find(tx: Tx, *, text: str = "", after: str = "", limit: int = 100) -> list[Row]:
    """Return chargers whose identity or name holds a text, by identity."""
    return tx.all(
        """
        SELECT *
        FROM chargers
        WHERE archived_at IS NULL
        AND id > :after
        AND (:text = '' OR instr(lower(id), lower(:text)) OR instr(lower(name), lower(:text)))
        ORDER BY id
        LIMIT :limit
        """,
        {"text": text, "after": after, "limit": limit},
    )


def count(tx: Tx) -> int:
    """Count the chargers."""
    return int(tx.value("SELECT count(*) FROM chargers WHERE archived_at IS NULL"))


def max_power(tx: Tx, charger_id: str) -> int | None:
    """Return the most that a connector of the charger delivers, W, or None where nobody said."""
    power: int | None = tx.value("SELECT max_power_w FROM chargers WHERE id = ?", (charger_id,))
    return power


def connected(tx: Tx, charger_id: str, protocol: str) -> None:
    """Note that a charger has come."""
    tx.execute(
        """
        UPDATE chargers
        SET protocol = ?,
            connected_at = ?,
            disconnected_at = NULL
        WHERE id = ?
        """,
        (protocol, tx.now_text, charger_id),
    )


def pepper(tx: Tx) -> str | None:
    """Return the secret that all digests of passwords share."""
    found: str | None = tx.value("SELECT value FROM meta WHERE key = ?", (PEPPER,))
    return found


def set_pepper(tx: Tx, value: str) -> None:
    """Keep the secret that all digests of passwords share; the first one stays."""
    tx.execute("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING", (PEPPER, value))


def count_quirk(tx: Tx, charger_id: str, kind: str, times: int, example: str) -> None:
    """Add to the counter of one kind of deviation; the newest example is kept."""
    tx.execute(
        """
        INSERT INTO quirks (
            charger_id,
            kind,
            times,
            first_at,
            last_at,
            example
        )
        VALUES (:charger_id, :kind, :times, :now, :now, :example)
        ON CONFLICT (charger_id, kind) DO UPDATE SET
            times = times + excluded.times,
            last_at = excluded.last_at,
            example = CASE excluded.example WHEN '' THEN example ELSE excluded.example END
        """,
        {"charger_id": charger_id, "kind": kind, "times": times, "now": tx.now_text, "example": example},
    )


def quirks(tx: Tx, charger_id: str) -> list[Row]:
    """Return a charger's counters, the largest first."""
    return tx.all("SELECT * FROM quirks WHERE charger_id = ? ORDER BY times DESC, kind", (charger_id,))


def insert_notice(tx: Tx, charger_id: str, kind: str, detail: str) -> int:
    """Keep what a charger told of itself; ``detail`` is JSON."""
    return tx.insert(
        "INSERT INTO notices (charger_id, at, kind, detail) VALUES (?, ?, ?, ?)",
        (charger_id, tx.now_text, kind, detail),
    )


def notices(tx: Tx, charger_id: str, *, before: int, limit: int) -> list[Row]:
    """Return what a charger told of itself, newest first."""
    return tx.all(
        "SELECT * FROM notices WHERE charger_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (charger_id, before, limit),
    )


def has_active_session(tx: Tx, charger_id: str) -> bool:
    """Tell whether a session runs on the charger."""
    return (
        tx.one("SELECT 1 FROM sessions WHERE charger_id = ? AND state = 'active' LIMIT 1", (charger_id,))
        is not None
    )
