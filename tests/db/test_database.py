"""The store: durable groups, failures that undo only themselves, and sentences for what an admin can act on."""

# ruff: noqa: ASYNC240 - a few files are looked at while nothing else runs

import asyncio
import inspect
import json
from pathlib import Path

import aiosqlite
import pytest

from onprem_csms.db.chargers import messages
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import open_raw
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.db.engine.migrate import migrations, statements
from onprem_csms.errors import Conflict, Invalid, StoreError
from onprem_csms.events import Bus, Event

KEPT: Cache[str, str] = Cache("kept by the test", 10)


def note(tx: Tx, subject: str) -> int:
    """Write a row and tell it."""
    tx.emit(Event("audit", subject))
    return tx.insert(
        "INSERT INTO audit (at, actor, action, subject) VALUES (?, 'test', 'noted', ?)",
        (tx.now_text, subject),
    )


def fail(tx: Tx, subject: str) -> None:
    """Write a row, remember something, and fail."""
    note(tx, subject)
    KEPT.set(tx, "failed", subject)
    raise Conflict("no")


def subjects(tx: Tx) -> list[str]:
    """List what was noted."""
    return [row["subject"] for row in tx.all("SELECT subject FROM audit ORDER BY id")]


async def test_a_failing_write_undoes_only_itself(store: Database) -> None:
    results = await asyncio.gather(
        store.write(note, "a"), store.write(fail, "b"), store.write(note, "c"), return_exceptions=True
    )
    assert [type(result).__name__ for result in results] == ["int", "Conflict", "int"]
    assert await store.read(subjects) == ["a", "c"]


async def test_events_go_out_after_the_commit_and_not_for_what_failed(folder: DataFolder) -> None:
    bus = Bus()
    store = await Database.open(folder.database, keys.unlock(folder), bus=bus)
    news = bus.subscribe()
    await asyncio.gather(store.write(fail, "b"), store.write(note, "a"), return_exceptions=True)
    assert await anext(news) == Event("audit", "a")
    await store.close()


async def test_what_a_failed_write_remembered_is_forgotten(store: Database) -> None:
    with pytest.raises(Conflict):
        await store.write(fail, "b")
    assert await store.write(lambda tx: KEPT.get(tx, "failed")) is None
    await store.write(lambda tx: KEPT.set(tx, "kept", "1"))
    assert await store.write(lambda tx: KEPT.get(tx, "kept")) == "1"


async def test_cancelling_the_caller_neither_undoes_nor_blocks_the_writer(store: Database) -> None:
    task = asyncio.create_task(store.write(note, "a"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.write(note, "b")
    assert await store.read(subjects) == ["a", "b"]


async def test_a_reader_can_change_nothing(store: Database) -> None:
    with pytest.raises(StoreError):
        await store.read(note, "a")
    assert await store.read(subjects) == []


async def test_raw_messages_are_stored_with_the_next_group(store: Database) -> None:
    store.log_message("CP1", "in", b"[2]")
    await store.write(note, "a")
    (message,) = await store.read(messages.find, "CP1", messages.Search())
    assert (message.text, message.incoming) == ("[2]", True)


async def test_raw_messages_are_stored_without_any_other_write(store: Database) -> None:
    store.log_message("CP1", "out", b"[3]")
    for _ in range(100):
        if await store.read(messages.find, "CP1", messages.Search()):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the message never arrived")


async def test_closing_finishes_every_write_that_was_handed_in(folder: DataFolder) -> None:
    store = await Database.open(folder.database, keys.unlock(folder))
    writes = [asyncio.create_task(store.write(note, str(n))) for n in range(700)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)
    again = await Database.open(folder.database, keys.unlock(folder))
    assert len(await again.read(subjects)) == 700
    await again.close()


async def test_the_file_shows_no_plain_text(folder: DataFolder, store: Database) -> None:
    await store.write(note, "a rather recognisable sentence")
    await store.checkpoint()
    for file in folder.folder.iterdir():
        assert b"recognisable" not in file.read_bytes(), file.name
    assert not folder.database.read_bytes().startswith(b"SQLite format 3")


async def test_a_wrong_key_is_a_sentence_and_changes_nothing(folder: DataFolder) -> None:
    before = folder.database.read_bytes()
    with pytest.raises(StoreError, match="The key does not open the database"):
        await Database.open(folder.database, bytes(32))
    assert folder.database.read_bytes() == before


def test_a_key_of_the_wrong_length_is_refused(folder: DataFolder) -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        open_raw(folder.database, bytes(31), read_only=False)


async def test_a_missing_database_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database"):
        await Database.open(tmp_path / "csms.db", bytes(32))
    assert list(tmp_path.iterdir()) == []


async def test_a_newer_schema_is_left_alone(folder: DataFolder) -> None:
    raw = open_raw(folder.database, keys.unlock(folder), read_only=False)
    raw.execute("PRAGMA user_version = 4000")
    raw.close()
    with pytest.raises(StoreError, match="made by a newer release"):
        await Database.open(folder.database, keys.unlock(folder))


async def test_one_flipped_byte_is_found(folder: DataFolder) -> None:
    store = await Database.open(folder.database, keys.unlock(folder))
    assert await store.check() == []
    await store.close()
    content = bytearray(folder.database.read_bytes())
    content[-100] ^= 1
    folder.database.write_bytes(content)
    store = await Database.open(folder.database, keys.unlock(folder))
    assert await store.check() != []
    await store.close()


async def test_a_full_disk_is_a_sentence_and_what_was_stored_stays(store: Database) -> None:
    await store.write(note, "before")
    pages = await store.write(lambda tx: tx.value("PRAGMA page_count"))
    await store.write(lambda tx: tx.value(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StoreError, match="The disk is full"):
        await store.write(lambda tx: [note(tx, "x" * 4000) for _ in range(50)])
    await store.write(lambda tx: tx.value("PRAGMA max_page_count = 1000000"))
    await store.write(note, "after")
    assert await store.read(subjects) == ["before", "after"]


def test_a_lost_machine_key_is_made_again_by_the_recovery_key(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    recovery = keys.create(folder)
    key = keys.unlock(folder)
    folder.machine_key.unlink()
    with pytest.raises(StoreError, match="recovery key"):
        keys.unlock(folder)
    keys.recover(folder, recovery.lower().replace("-", " "))
    assert keys.unlock(folder) == key


def test_a_mistyped_or_foreign_recovery_key_changes_nothing(tmp_path: Path) -> None:
    folder, other = DataFolder(tmp_path / "one"), DataFolder(tmp_path / "other")
    recovery, foreign = keys.create(folder), keys.create(other)
    before = folder.wrapped.read_bytes()
    flipped = recovery[:-1] + ("A" if recovery[-1] != "A" else "B")
    for wrong, sentence in ((flipped, "typing error"), ("ABCD", "nine groups"), (foreign, "not the one")):
        with pytest.raises(Invalid, match=sentence):
            keys.recover(folder, wrong)
    assert folder.wrapped.read_bytes() == before


def test_a_second_init_touches_nothing(folder: DataFolder) -> None:
    before = folder.database.read_bytes(), folder.wrapped.read_bytes()
    with pytest.raises(Conflict, match="already a database"):
        keys.create(folder)
    assert (folder.database.read_bytes(), folder.wrapped.read_bytes()) == before


def test_keys_are_readable_by_their_owner_alone(folder: DataFolder) -> None:
    assert folder.machine_key.stat().st_mode & 0o077 == 0
    assert folder.wrapped.stat().st_mode & 0o077 == 0
    assert set(json.loads(folder.wrapped.read_text())["wrapped"]) == {"machine", "recovery"}


def test_aiosqlite_still_has_what_our_connection_reaches_for() -> None:
    assert inspect.iscoroutinefunction(aiosqlite.Connection._execute)
    assert isinstance(aiosqlite.Connection._conn, property)
    assert not hasattr(aiosqlite.Connection, "run")
    assert aiosqlite.Connection(lambda: None, 1)._thread.daemon is False


def test_migrations_are_numbered_without_gaps_and_split_into_whole_statements() -> None:
    for migration in migrations():
        for statement in statements(migration.sql):
            assert statement.endswith(";")
            assert statement.upper().startswith(("CREATE", "ALTER", "INSERT", "UPDATE", "DROP"))
