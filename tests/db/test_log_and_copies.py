"""The write-ahead log is cut, a copy is of one moment while writing goes on, and looking makes no false alarm."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from onprem_csms.db.engine import keys
from onprem_csms.db.engine.checkpoints import Checkpointer
from onprem_csms.db.engine.connection import Line, Opener
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.errors import Conflict, StoreError

LARGEST = 200_000


def note_pair(tx: Tx, text: str) -> None:
    """Two rows that belong together."""
    for half in ("left", "right"):
        sql = "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, 'test', 'noted', ?, ?)"
        tx.insert(sql, (tx.now_text, half, text))


def halves(tx: Tx) -> list[int]:
    sql = "SELECT count(*) FROM audit WHERE subject = ?"
    return [tx.value(sql, ("left",)), tx.value(sql, ("right",))]


def each_subject(tx: Tx) -> Iterator[str]:
    for row in tx.each("SELECT subject FROM audit"):
        yield row["subject"]


def log_of(store: Database) -> int:
    return Path(f"{store.path}-wal").stat().st_size


@pytest.fixture
async def checkpointer(folder: DataFolder, store: Database) -> AsyncIterator[Checkpointer]:
    """Checkpoints with a small largest log, beside the store's own, which are far from theirs."""
    line = Line(Opener(folder.database, keys.unlock(folder)))
    yield Checkpointer(line, LARGEST)
    await line.shut()


async def fill(store: Database, size: int) -> None:
    """Write until the log's file has a size."""
    while log_of(store) < size:
        await store.write(note_pair, "x" * 300)


async def test_a_log_that_is_large_begins_again_at_its_start(
    store: Database, checkpointer: Checkpointer
) -> None:
    await fill(store, LARGEST + 50_000)
    await checkpointer.checkpoint()
    size = log_of(store)
    for _ in range(10):
        await store.write(note_pair, "x")
    assert log_of(store) == size


async def test_a_log_that_is_very_large_is_cut_once_no_reader_needs_it(
    store: Database, checkpointer: Checkpointer
) -> None:
    await store.write(note_pair, "before")
    async with aclosing(store.stream(each_subject)) as stream:
        await anext(stream)
        await fill(store, 3 * LARGEST)
        await checkpointer.checkpoint()
        assert log_of(store) >= 3 * LARGEST
    await store.read_report(halves)
    await checkpointer.checkpoint()
    assert log_of(store) == 0
    left, right = await store.read(halves)
    assert left == right > 1


@asynccontextmanager
async def writing(store: Database) -> AsyncIterator[None]:
    """Write and checkpoint all the time."""

    async def write() -> None:
        while True:
            await asyncio.gather(*(store.write(note_pair, "x" * 500) for _ in range(20)))
            await store.checkpoint()

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_copy_is_whole_and_of_one_moment_while_writing_goes_on(
    store: Database, tmp_path: Path
) -> None:
    key, copies = bytes(range(32)), [tmp_path / f"copy {number}.db" for number in range(3)]
    async with writing(store):
        for copy in copies:
            await asyncio.sleep(0.05)
            await store.snapshot(copy, key)
    counts = []
    for copy in copies:
        again = await Database.open(copy, key)
        assert await again.check() == []
        left, right = await again.read(halves)
        assert left == right
        counts.append(left)
        await again.close()
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


async def test_a_copy_overwrites_nothing_leaves_nothing_half_and_opens_by_its_own_key_alone(
    folder: DataFolder, store: Database, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    await store.snapshot(copy, bytes(32))
    assert sorted(os.listdir(tmp_path)) == ["copy.db", "data"]  # noqa: PTH208 - nothing else runs
    with pytest.raises(Conflict, match="already a file"):
        await store.snapshot(copy, bytes(32))
    with pytest.raises(StoreError, match="key does not open"):
        await Database.open(copy, keys.unlock(folder))
    with pytest.raises(StoreError):
        await store.snapshot(tmp_path / "no folder" / "copy.db", bytes(32))


async def test_looking_through_the_file_beside_a_writer_makes_no_false_alarm(
    folder: DataFolder, store: Database
) -> None:
    beside = await Database.open(folder.database, keys.unlock(folder))
    async with writing(store):
        for _ in range(10):
            found = await beside.examine(halves)
            assert found.damage == []
            assert found.result is not None
            assert found.result[0] == found.result[1]
    await beside.close()


async def test_what_can_be_counted_in_a_damaged_file_is_counted_beside_the_damage(folder: DataFolder) -> None:
    store = await Database.open(folder.database, keys.unlock(folder))
    for _ in range(50):
        await store.write(note_pair, "x" * 500)
    await store.close()
    content = bytearray(folder.database.read_bytes())
    content[-100] ^= 1
    folder.database.write_bytes(content)
    store = await Database.open(folder.database, keys.unlock(folder))
    found = await store.examine(lambda tx: tx.value("SELECT count(*) FROM meta"))
    assert any(f"page {len(content) // 4096}" in line for line in found.damage)
    assert found.result
    assert (await store.examine(halves)).damage
    await store.close()
