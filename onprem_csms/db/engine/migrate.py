"""The numbered migrations: each in one transaction with the bump of the schema's version."""

import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

from onprem_csms.errors import StoreError

_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; ``number`` is the version after it."""

    number: int
    name: str
    sql: str


def migrations() -> list[Migration]:
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
    return found


def version(raw: Any) -> int:
    """Return the schema version of an open database; 0 is empty."""
    number: int = raw.execute("PRAGMA user_version").fetchone()[0]
    return number


def migrate(raw: Any) -> int:
    """Bring the schema up to date; returns the version. StoreError when the file is newer than this program."""
    steps = migrations()
    current = version(raw)
    if current > len(steps):
        message = (
            f"The database was made by a newer release (schema {current}, this program knows "
            f"{len(steps)}). Install that release or newer; nothing was changed."
        )
        raise StoreError(message)
    for step in steps[current:]:
        _apply(raw, step)
    return len(steps)


def _apply(raw: Any, step: Migration) -> None:
    raw.execute("BEGIN IMMEDIATE")
    try:
        # Not executescript: inside a transaction it would commit it.
        for statement in statements(step.sql):
            raw.execute(statement)
        raw.execute(f"PRAGMA user_version = {step.number}")
        raw.execute("COMMIT")
    except BaseException:
        raw.execute("ROLLBACK")
        raise


def statements(sql: str) -> list[str]:
    """Split a script into statements; a trigger's body stays whole."""
    found, current, inside = [], [], False
    for line in sql.splitlines():
        bare = line.split("--", 1)[0].rstrip()
        if not bare:
            continue
        current.append(bare)
        upper = bare.strip().upper()
        if upper.endswith(" BEGIN") or upper == "BEGIN":
            inside = True
        if (upper == "END;" and inside) or (upper.endswith(";") and not inside):
            found.append("\n".join(current))
            current, inside = [], False
    if current:
        message = "a migration ends in the middle of a statement"
        raise ValueError(message)
    return found
