"""Nothing that a service raises ends the writer; when it ends all the same, the process does."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from onprem_csms.db.engine import keys
from onprem_csms.db.engine.connection import CallBugError, open_raw
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.health import Health, beat, look
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.errors import Damaged, StoreError

WRITER = "database writer"
ENDINGS = [
    StopIteration("s"),
    StopAsyncIteration("s"),
    KeyboardInterrupt(),
    SystemExit(3),
    asyncio.CancelledError(),
    GeneratorExit(),
    BaseExceptionGroup("several", [KeyboardInterrupt()]),
]


def note(tx: Tx, subject: str) -> int:
    sql = "INSERT INTO audit (at, actor, action, subject) VALUES (?, 'test', 'noted', ?)"
    return tx.insert(sql, (tx.now_text, subject))


def subjects(tx: Tx) -> list[str]:
    return [row["subject"] for row in tx.all("SELECT subject FROM audit ORDER BY id")]


def end_with(tx: Tx, error: BaseException) -> None:
    if not tx.in_transaction or tx.state is not None:
        note(tx, "undone")
    raise error


@pytest.mark.parametrize("error", ENDINGS, ids=lambda error: type(error).__name__)
async def test_what_ends_a_task_or_a_process_is_told_to_its_caller_alone(
    store: Database, error: BaseException
) -> None:
    results = await asyncio.gather(
        store.write(note, "a"), store.write(end_with, error), store.write(note, "b"), return_exceptions=True
    )
    assert [type(result) for result in results] == [int, CallBugError, int]
    assert isinstance(results[1], CallBugError)
    assert results[1].__cause__ is error
    with pytest.raises(CallBugError):
        await store.read(end_with, error)
    assert await store.read(subjects) == ["a", "b"]


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), AssertionError(), OSError(5, "no")])
async def test_any_other_error_is_told_as_it_is(store: Database, error: Exception) -> None:
    with pytest.raises(type(error)):
        await store.write(end_with, error)
    await store.write(note, "after")
    assert await store.read(subjects) == ["after"]


async def test_a_write_that_ends_the_transaction_itself_fails_the_group_and_not_the_writer(
    store: Database,
) -> None:
    for statement in ("COMMIT", "ROLLBACK"):
        with pytest.raises(StoreError):
            await store.write(Tx.execute, statement)
    await store.write(note, "after")
    assert await store.read(subjects) == ["after"]


def the_writer() -> "asyncio.Task[object]":
    return next(task for task in asyncio.all_tasks() if task.get_name() == WRITER)


async def test_the_end_of_the_writer_is_told_and_nothing_waits_for_it(folder: DataFolder) -> None:
    store = await Database.open(folder.database, keys.unlock(folder))
    told = asyncio.create_task(store.ended())
    waiting = asyncio.create_task(store.write(note, "a"))
    await asyncio.sleep(0)
    the_writer().cancel()
    with pytest.raises(StoreError, match="writer of the database has ended"):
        await told
    await asyncio.gather(waiting, return_exceptions=True)
    with pytest.raises(StoreError):
        await store.write(note, "b")
    with pytest.raises(StoreError):
        await store.prove()
    await store.close()


ENDED = """
import asyncio, sys
from onprem_csms import app, cli

async def serve(config, folder, original=app.serve):
    serving = asyncio.create_task(original(config, folder))
    while not [task for task in asyncio.all_tasks() if task.get_name() == "watchdog"]:
        await asyncio.sleep(0.01)
    next(task for task in asyncio.all_tasks() if task.get_name() == "database writer").cancel()
    await serving

app.serve = serve
sys.exit(cli.main(["serve", "--data-dir", sys.argv[1], "--port", "0"]))
"""


def test_the_end_of_the_writer_ends_the_process_with_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDED, str(tmp_path / "data")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "The writer of the database has ended" in done.stderr


# ---------------------------------------------------------------------- health


async def test_health_is_a_durable_write_and_a_read_shared_by_all_who_ask(store: Database) -> None:
    writes = 0

    async def write() -> None:
        nonlocal writes
        writes += 1
        await store.write(beat)

    health = Health(write, partial(store.read, look))
    await asyncio.gather(*(health.prove() for _ in range(20)))
    await health.prove()
    assert writes == 1
    assert await store.read(look) != "None"


async def test_health_is_bad_when_nothing_can_be_written_and_good_again_afterwards(
    folder: DataFolder, store: Database
) -> None:
    health = Health(partial(store.write, beat), partial(store.read, look), within_s=0.3)
    other = open_raw(folder.database, keys.unlock(folder), read_only=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="did not write and read"):
        await health.prove()
    other.execute("ROLLBACK")
    other.close()
    await store.write(note, "after")
    await Health(partial(store.write, beat), partial(store.read, look)).prove()


# ---------------------------------------------------------------------- failed pages


@pytest.fixture
async def spoiled(folder: DataFolder) -> AsyncIterator[tuple[Database, Path, bytes]]:
    """A store whose table ``audit`` has a damaged page; and the file's content before."""
    store = await Database.open(folder.database, keys.unlock(folder))
    for number in range(100):
        await store.write(note, str(number) * 1000)
    await store.close()
    good = folder.database.read_bytes()
    bad = bytearray(good)
    bad[-100] ^= 1
    folder.database.write_bytes(bad)
    store = await Database.open(folder.database, keys.unlock(folder))
    yield store, folder.database, good
    await store.close()


async def test_a_damaged_page_fails_who_needs_it_and_nobody_else(
    spoiled: tuple[Database, Path, bytes],
) -> None:
    store, _, _ = spoiled
    results = await asyncio.gather(
        store.write(beat),
        store.write(lambda tx: tx.execute("UPDATE audit SET detail = 'x'")),
        store.write(look),
        store.read(subjects),
        store.read(look),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), Damaged, str, Damaged, str]
    assert "damaged" in str(results[1])
    await store.write(beat)


async def test_a_page_that_is_good_again_is_read_and_written_without_a_restart(
    spoiled: tuple[Database, Path, bytes],
) -> None:
    store, file, good = spoiled
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged"):
            await store.read(subjects)
        with pytest.raises(StoreError, match="damaged"):
            await store.write(lambda tx: tx.execute("UPDATE audit SET detail = 'x'"))
    with file.open("r+b") as repaired:
        repaired.seek(len(good) - 4096)
        repaired.write(good[-4096:])
    assert await store.write(lambda tx: tx.execute("UPDATE audit SET detail = 'x'")) == 100
    assert len(await store.read(subjects)) == 100
