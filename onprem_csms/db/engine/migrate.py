"""The numbered migrations: each in one transaction with the schema's version, and the proof that a file has it.

A migration may rebuild any table, also one that others refer to (sqlite.org/lang_altertable.html, section 7):
foreign keys are off while it runs and checked before COMMIT. What names the table from elsewhere, a trigger of
another table or a view, is dropped before and made again after.
"""

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from onprem_csms.db.engine.connection import is_complete
from onprem_csms.errors import StoreError

_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_BLANK = re.compile(r"(\s+|--[^\n]*(\n|$)|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; ``number`` is the version after it."""

    number: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return every migration in order; they are append-only and without gaps."""
    folder = resources.files("onprem_csms.db") / "migrations"
    found = []
    for file in folder.iterdir():
        match = _NAME.match(file.name)
        if match:
            found.append(Migration(int(match[1]), file.name, file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        message = "the migrations are not numbered 1, 2, 3, …"
        raise ValueError(message)
    return tuple(found)


def version(raw: Any) -> int:
    """Return the schema version of an open database; 0 is empty."""
    number: int = raw.execute("PRAGMA user_version").fetchone()[0]
    return number


def migrate(raw: Any, path: Path, steps: tuple[Migration, ...] | None = None) -> int:
    """Bring the schema up to date; returns the version. StoreError when the file is not one of this program's.

    Whoever calls this holds the folder's lock, or made the file.
    """
    steps = migrations() if steps is None else steps
    current = _known_version(raw, path, steps)
    for step in steps[current:]:
        _apply(raw, steps[: step.number], path)
    return len(steps)


def check_schema(raw: Any, path: Path, steps: tuple[Migration, ...] | None = None) -> None:
    """Refuse a file that has not this program's schema; StoreError with a sentence. Changes nothing."""
    steps = migrations() if steps is None else steps
    current = _known_version(raw, path, steps)
    if current < len(steps):
        message = (
            f"The database {path} is of an older release (schema {current}, this program has {len(steps)}). "
            "Start the product: serve brings it up to date. Nothing was changed."
        )
        raise StoreError(message)


def _known_version(raw: Any, path: Path, steps: tuple[Migration, ...]) -> int:
    current = version(raw)
    if current > len(steps):
        message = (
            f"The database was made by a newer release (schema {current}, this program knows "
            f"{len(steps)}). Install that release or newer; nothing was changed."
        )
        raise StoreError(message)
    if _kept_digests(raw) != (_digests(raw, steps[:current]) if current or _schema(raw) else None):
        message = (
            f"The schema of {path} is not what its number {current} says: another build of this program made it, "
            "or it was changed by hand. Install the release that made it, or restore a backup; nothing was changed."
        )
        raise StoreError(message)
    return current


def _apply(raw: Any, steps: tuple[Migration, ...], path: Path) -> None:
    """Run the last of these steps."""
    # Inside a transaction this would be ignored; and with it on, dropping a table deletes the rows that refer to it.
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        raw.execute("BEGIN IMMEDIATE")
        try:
            _run(raw, steps, path)
            raw.execute("COMMIT")
        except BaseException:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            raise
    finally:
        raw.execute("PRAGMA foreign_keys = ON")


def _run(raw: Any, steps: tuple[Migration, ...], path: Path) -> None:
    step = steps[-1]
    # Not executescript: inside a transaction it would commit it.
    for statement in statements(step.sql):
        raw.execute(statement)
    lost = raw.execute("PRAGMA foreign_key_check").fetchone()
    if lost is not None:
        message = (
            f"The migration {step.name} of {path} would leave rows of {lost[0]} that refer to nothing in {lost[2]}. "
            "Nothing was changed; go on with the release before and report this."
        )
        raise StoreError(message)
    raw.execute(f"PRAGMA user_version = {step.number}")
    _keep_digests(raw, _digests(raw, steps))


def statements(sql: str) -> list[str]:
    """Split a script into statements as SQLite reads them: strings, comments and triggers stay whole."""
    found, begin, end = [], _after_blank(sql, 0), 0
    while end := sql.find(";", max(begin, end)) + 1:
        if is_complete(sql[begin:end]):
            found.append(sql[begin:end])
            begin = end = _after_blank(sql, end)
    if sql[begin:]:
        message = "a migration ends in the middle of a statement"
        raise ValueError(message)
    return found


def _after_blank(sql: str, begin: int) -> int:
    blank = _BLANK.match(sql, begin)
    return begin if blank is None else blank.end()


# ---------------------------------------------------------------------- digests


def _digests(raw: Any, steps: tuple[Migration, ...]) -> tuple[str, str]:
    """Return the digest of the schema as it stands, and of the statements that made it.

    The first tells what was changed since; the second tells another build's file with the same number. SQLite's
    own words for a schema may differ from one of its releases to the next, so the first is compared only with
    what was kept when it was made.
    """
    made = [statement for step in steps for statement in statements(step.sql)]
    return _digest(_schema(raw)), _digest(made)


def _schema(raw: Any) -> list[str]:
    rows = raw.execute(
        """
        SELECT
            type,
            name,
            sql
        FROM sqlite_schema
        WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'
        ORDER BY type, name
        """
    )
    return ["\n".join(map(str, row)) for row in rows]


def _digest(parts: list[str]) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()


def _kept_digests(raw: Any) -> tuple[str, str] | None:
    if not raw.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'").fetchone()[0]:
        return None
    rows = raw.execute("SELECT key, value FROM meta WHERE key IN ('schema', 'schema made by')").fetchall()
    kept: dict[str, str] = dict(rows)
    return (kept.get("schema", ""), kept.get("schema made by", "")) if kept else None


def _keep_digests(raw: Any, digests: tuple[str, str]) -> None:
    raw.executemany(
        """
        INSERT INTO meta (key, value)
        VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE
        SET value = excluded.value
        """,
        zip(("schema", "schema made by"), digests, strict=True),
    )
