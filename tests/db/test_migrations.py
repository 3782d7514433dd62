"""Migrations: any table can be rebuilt, a kill leaves one of both versions, a file of another schema is refused."""

# ruff: noqa: S608 - the names of tables come from the schema itself

import asyncio
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from onprem_csms.db.engine import keys
from onprem_csms.db.engine.connection import open_raw
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.db.engine.migrate import Migration, check_schema, migrate, migrations, statements, version
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.chargers.places import Place
from onprem_csms.errors import StoreError
from onprem_csms.services.chargers import inventory

CHARGERS = int(os.environ.get("MIGRATION_DRILL_CHARGERS", "300"))
"""How many chargers the generated file of the drill has."""
GIVEN = os.environ.get("MIGRATION_DRILL_FOLDER", "")
"""A data folder to drill on instead, for instance ten years of a site; it is copied, not touched."""
TABLE = "chargers"


def rebuilding(raw: Any, table: str) -> str:
    """The migration that rebuilds a table of this file with one more column (sqlite.org/lang_altertable.html)."""
    (made,) = raw.execute(
        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)
    ).fetchone()
    others = raw.execute(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND type <> 'table' AND sql IS NOT NULL", (table,)
    ).fetchall()
    columns = ", ".join(row[1] for row in raw.execute(f"PRAGMA table_info({table})"))
    anew = re.sub(rf'^CREATE TABLE "?{table}"? *\(', f"CREATE TABLE {table}_new (\n    added TEXT,", made)
    assert anew != made
    return ";\n".join(
        [
            anew,
            f"INSERT INTO {table}_new ({columns}) SELECT {columns} FROM {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE {table}_new RENAME TO {table}",
            *(row[0] for row in others),
            "",
        ]
    )


class Killed:
    """A connection whose process is killed before its n-th statement: what a power cut does."""

    def __init__(self, raw: Any, before: int) -> None:
        self._raw = raw
        self._left = before

    def execute(self, *statement: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._raw.execute(*statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def migrate_in_a_process(file: Path, key: bytes, steps: tuple[Migration, ...], before: int) -> bool:
    """Migrate in a process that is killed before its n-th statement; False when it was done before."""
    child = os.fork()
    if child == 0:
        try:
            migrate(Killed(open_raw(file, key, read_only=False), before), file, steps)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def content(raw: Any) -> dict[str, int]:
    """How many rows each table has."""
    tables = raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return {name: raw.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in tables.fetchall()}


def add_chargers(tx: Tx) -> None:
    for number in range(CHARGERS):
        charger = inventory.create(tx, NewCharger(f"CP{number}", "A charger of the drill"))
        for connector in (1, 2):
            inventory.ensure_connector(tx, charger.id, Place(0, connector))


@pytest.fixture
def site(tmp_path: Path) -> DataFolder:
    """A site with chargers to which connectors refer, or a copy of the given one."""
    folder = DataFolder(tmp_path / "site")
    if GIVEN:
        shutil.copytree(GIVEN, folder.folder)
        return folder
    keys.create(folder)

    async def fill() -> None:
        store = await Database.open(folder.database, keys.unlock(folder))
        await store.write(add_chargers)
        await store.close()

    asyncio.run(fill())
    return folder


@pytest.mark.timeout(1800)
def test_a_kill_at_any_statement_of_a_rebuild_leaves_one_of_both_versions(site: DataFolder) -> None:
    file, key = site.database, keys.unlock(site)
    raw = open_raw(file, key, read_only=False)
    now, before = len(migrations()), content(raw)
    steps = (*migrations(), Migration(now + 1, f"{now + 1:04}_rebuild.sql", rebuilding(raw, TABLE)))
    raw.close()
    seen, kills = set(), 0
    while migrate_in_a_process(file, key, steps, kills):
        raw = open_raw(file, key, read_only=False)
        found = version(raw)
        check_schema(raw, file, steps[:found])
        assert content(raw) == before
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        raw.close()
        seen.add(found)
        kills += 1
    assert seen == {now, now + 1}
    assert kills > len(statements(steps[-1].sql)), "each statement and what is around them"
    raw = open_raw(file, key, read_only=False)
    check_schema(raw, file, steps)
    assert raw.execute(f"SELECT count(*) FROM {TABLE} WHERE added IS NULL").fetchone()[0] == before[TABLE]
    assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    with pytest.raises(Exception, match="FOREIGN KEY constraint failed"):
        raw.execute(f"DELETE FROM {TABLE} WHERE id = (SELECT charger_id FROM connectors LIMIT 1)")
    raw.close()


def test_a_migration_that_would_leave_orphans_changes_nothing_and_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "csms.db"
    first = Migration(
        1,
        "0001_all.sql",
        """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
        CREATE TABLE one (id INTEGER PRIMARY KEY) STRICT;
        CREATE TABLE two (one_id INTEGER REFERENCES one (id)) STRICT;
        INSERT INTO one VALUES (1);
        INSERT INTO two VALUES (1);
        """,
    )
    raw = open_raw(file, bytes(32), read_only=False)
    migrate(raw, file, (first,))
    with pytest.raises(StoreError, match="rows of two that refer to nothing in one"):
        migrate(raw, file, (first, Migration(2, "0002_bad.sql", "DELETE FROM one;")))
    check_schema(raw, file, (first,))
    assert raw.execute("SELECT count(*) FROM one").fetchone()[0] == 1
    assert raw.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    raw.close()


def test_a_script_is_split_as_sqlite_reads_it() -> None:
    script = """
        -- A comment; with a semicolon.
        CREATE TABLE a (t TEXT DEFAULT ';', /* and; here */ u TEXT); CREATE TABLE b (x);
        CREATE TRIGGER c AFTER INSERT ON a BEGIN
            UPDATE b SET x = 'BEGIN; END;'; -- not the END;
            DELETE FROM b WHERE x = CASE WHEN 1 THEN 2 END;
        END;
        INSERT INTO b VALUES ('-- no comment'); -- the last one
    """
    assert [statement.split()[1] + statement.split()[2] for statement in statements(script)] == [
        "TABLEa",
        "TABLEb",
        "TRIGGERc",
        "INTOb",
    ]
    with pytest.raises(ValueError, match="middle of a statement"):
        statements("CREATE TABLE a (x); CREATE TRIGGER b AFTER INSERT ON a BEGIN SELECT 1;")


async def test_only_serve_brings_an_older_file_up_to_date(folder: DataFolder) -> None:
    key = keys.unlock(folder)
    older = folder.database.with_name("older.db")
    raw = open_raw(older, key, read_only=False)
    raw.close()
    with pytest.raises(StoreError, match=r"of an older release .*serve brings it up to date"):
        await Database.open(older, key)
    await Database.upgrade(older, key)
    await Database.upgrade(older, key)
    store = await Database.open(older, key)
    await store.close()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE by_hand (x)",
        "ALTER TABLE audit ADD COLUMN by_hand TEXT",
        "DROP INDEX {index}",
        "UPDATE meta SET value = 'of another build' WHERE key = 'schema made by'",
        "DELETE FROM meta WHERE key IN ('schema', 'schema made by')",
    ],
)
async def test_a_file_whose_schema_is_not_what_its_number_says_is_refused_untouched(
    folder: DataFolder, change: str
) -> None:
    raw = open_raw(folder.database, keys.unlock(folder), read_only=False)
    index = raw.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchone()[
        0
    ]
    raw.execute(change.format(index=index))
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    raw.close()
    before = folder.database.read_bytes()
    for opening in (Database.open, Database.upgrade):
        with pytest.raises(StoreError, match="is not what its number 1 says"):
            await opening(folder.database, keys.unlock(folder))
    assert folder.database.read_bytes() == before


def test_an_interrupted_init_can_be_repeated(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    # Killed just before the last step: all is written, the database has not its name yet.
    folder.database.rename(folder.database.with_suffix(".db.new"))
    assert keys.is_new(folder)
    keys.create(folder)
    raw = open_raw(folder.database, keys.unlock(folder), read_only=False)
    check_schema(raw, folder.database)
    raw.close()


def test_keys_without_their_database_are_never_overwritten(folder: DataFolder) -> None:
    folder.database.unlink()
    assert not keys.is_new(folder)
