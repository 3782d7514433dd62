"""The table ``chargers``, with the secret by which each proves who it is."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from onprem_csms.clock import from_text, maybe_from_text
from onprem_csms.db.chargers import connectors
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.engine.history import History
from onprem_csms.db.money import tariffs
from onprem_csms.domain.chargers.chargers import Charger, Connector, PasswordForm, Registration
from onprem_csms.domain.chargers.records import Notice, Quirk

PEPPER = "charger_pepper"
NOTICES = History("notices", "at", most=2_000_000)
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
_POWER: Cache[str, int] = Cache("powers of chargers", 20_000)
"""Of the connectors of each, W; 0 where nobody said."""


class Sealed(NamedTuple):
    """A password as it is kept: a random salt, and the digest under salt and pepper."""

    salt: bytes
    digest: bytes


class Identity(NamedTuple):
    """What decides whether a charger may connect; ``old`` is the password before the last change."""

    id: str
    archived: bool
    registration: Registration
    security_profile: int
    allow_missing_subprotocol: bool
    pinned_protocol: str
    password: Sealed | None
    old: Sealed | None
    password_form: PasswordForm


def insert(tx: Tx, charger_id: str, values: Mapping[str, Any]) -> None:
    """Add a charger."""
    tariffs.OF_PLACES.clear(tx)
    names = ", ".join(_known(values))
    places = ", ".join(f":{name}" for name in values)
    tx.execute(
        f"INSERT INTO chargers (id, created_at, {names}) VALUES (:id, :created_at, {places})",  # noqa: S608 - own names
        {"id": charger_id, "created_at": tx.now_text, **values},
    )
    _POWER.drop(tx, charger_id)


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
    if "max_power_w" in values:
        _POWER.drop(tx, charger_id)


def _known(values: Mapping[str, Any]) -> list[str]:
    unknown = values.keys() - COLUMNS
    if unknown:
        message = f"no such columns: {sorted(unknown)}"
        raise ValueError(message)
    return list(values)


def get(tx: Tx, charger_id: str) -> Charger | None:
    """Return a charger of this identity in this spelling with its connectors, unless it is archived."""
    row = tx.one("SELECT * FROM chargers WHERE id = ? AND archived_at IS NULL", (charger_id,))
    return None if row is None else _with_connectors(tx, [row])[0]


def exists(tx: Tx, charger_id: str) -> bool:
    """Tell whether there is a charger of this identity in this spelling that is not archived."""
    row = tx.one("SELECT 1 FROM chargers WHERE id = ? AND archived_at IS NULL", (charger_id,))
    return row is not None


def registration(tx: Tx, charger_id: str) -> Registration | None:
    """Return what a charger is told when it boots; None for one that is not known or archived."""
    found: Registration | None = tx.value(
        "SELECT registration FROM chargers WHERE id = ? AND archived_at IS NULL", (charger_id,)
    )
    return found


def by_identity(tx: Tx, identity: str) -> Identity | None:
    """Return the charger of an identity in any case, an archived one too."""
    row = tx.one("SELECT * FROM chargers WHERE id = ? COLLATE NOCASE", (identity,))
    if row is None:
        return None
    return Identity(
        id=row["id"],
        archived=row["archived_at"] is not None,
        registration=row["registration"],
        security_profile=row["security_profile"],
        allow_missing_subprotocol=bool(row["allow_missing_subprotocol"]),
        pinned_protocol=row["pinned_protocol"],
        password=_sealed(row["password_salt"], row["password_digest"]),
        old=_sealed(row["old_password_salt"], row["old_password_digest"]),
        password_form=row["password_form"],
    )


def find(tx: Tx, *, text: str = "", after: str = "", limit: int = 100) -> list[Charger]:
    """Return chargers whose identity or name holds a text, by identity, with their connectors."""
    found = tx.all(
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
    return _with_connectors(tx, found)


def max_power(tx: Tx, charger_id: str) -> int | None:
    """Return the most that a connector of the charger delivers, W, or None where nobody said."""
    power = _POWER.get(tx, charger_id)
    if power is None:
        power = tx.value("SELECT max_power_w FROM chargers WHERE id = ?", (charger_id,)) or 0
        _POWER.set(tx, charger_id, power)
    return power or None


def token_rule(tx: Tx, charger_id: str) -> str:
    """Return how a charger writes card numbers."""
    rule: str | None = tx.value("SELECT token_transform FROM chargers WHERE id = ?", (charger_id,))
    return rule or "none"


def connected_since(tx: Tx, charger_id: str) -> str:
    """Return when a charger came last, as text; empty: never."""
    since: str | None = tx.value("SELECT connected_at FROM chargers WHERE id = ?", (charger_id,))
    return since or ""


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


def left_open(tx: Tx, at: str) -> None:
    """Note that the chargers whose connections a killed process left open have been away since then."""
    tx.execute(
        """
        UPDATE chargers
        SET disconnected_at = max(connected_at, :at)
        WHERE id IN (SELECT charger_id FROM connection_intervals WHERE until_at IS NULL)
        """,
        {"at": at},
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


def quirks(tx: Tx, charger_id: str) -> list[Quirk]:
    """Return a charger's counters, the largest first."""
    return [
        Quirk(
            kind=row["kind"],
            times=row["times"],
            first_at=from_text(row["first_at"]),
            last_at=from_text(row["last_at"]),
            example=row["example"],
        )
        for row in tx.all(
            "SELECT * FROM quirks WHERE charger_id = ? ORDER BY times DESC, kind", (charger_id,)
        )
    ]


def insert_notice(tx: Tx, charger_id: str, kind: str, detail: str) -> int:
    """Keep what a charger told of itself; ``detail`` is JSON."""
    return tx.insert(
        "INSERT INTO notices (charger_id, at, kind, detail) VALUES (?, ?, ?, ?)",
        (charger_id, tx.now_text, kind, detail),
    )


def notices(tx: Tx, charger_id: str, *, before: int, limit: int) -> list[Notice]:
    """Return what a charger told of itself, newest first."""
    return [
        Notice(id=row["id"], at=from_text(row["at"]), kind=row["kind"], detail=json.loads(row["detail"]))
        for row in tx.all(
            "SELECT * FROM notices WHERE charger_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (charger_id, before, limit),
        )
    ]


def has_active_session(tx: Tx, charger_id: str) -> bool:
    """Tell whether a session runs on the charger."""
    return (
        tx.one("SELECT 1 FROM sessions WHERE charger_id = ? AND state = 'active' LIMIT 1", (charger_id,))
        is not None
    )


def _with_connectors(tx: Tx, found: list[Row]) -> list[Charger]:
    places = connectors.of_chargers(tx, [row["id"] for row in found])
    return [_charger(row, tuple(places[row["id"]])) for row in found]


def _sealed(salt: bytes | None, digest: bytes | None) -> Sealed | None:
    return None if salt is None or digest is None else Sealed(salt, digest)


def _charger(row: Row, places: tuple[Connector, ...]) -> Charger:
    return Charger(
        id=row["id"],
        name=row["name"],
        registration=row["registration"],
        security_profile=row["security_profile"],
        has_password=row["password_digest"] is not None,
        allow_missing_subprotocol=bool(row["allow_missing_subprotocol"]),
        token_transform=row["token_transform"],
        tariff_id=row["tariff_id"],
        max_power_w=row["max_power_w"],
        pinned_protocol=row["pinned_protocol"],
        protocol=row["protocol"],
        vendor=row["vendor"],
        model=row["model"],
        serial=row["serial"],
        firmware=row["firmware"],
        boot_info=json.loads(row["boot_info"]),
        booted_at=maybe_from_text(row["booted_at"]),
        connected_at=maybe_from_text(row["connected_at"]),
        disconnected_at=maybe_from_text(row["disconnected_at"]),
        created_at=from_text(row["created_at"]),
        connectors=places,
    )
