"""What the writer remembers shows what the database shows, and what a group does once is undone with a failure."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onprem_csms.db.engine import keys
from onprem_csms.db.engine.caches import Batch, Cache
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.access.actor import SYSTEM, Actor
from onprem_csms.errors import Conflict, StoreError

VALUES: Cache[str, str] = Cache("values of the test", 4)
OTHERS: Cache[str, str] = Cache("other values of the test", 4)
Step = tuple[str, str, str]


def write_all(tx: Tx, subjects: Sequence[str]) -> None:
    """Write what a group has added, as one row that tells how many there were."""
    if "rotten" in subjects:
        raise Conflict("rotten")
    rows = [(tx.now_text, subject, str(len(subjects))) for subject in subjects]
    tx.many("INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, 'test', 'batch', ?, ?)", rows)


SUBJECTS: Batch[str] = Batch("subjects of the test", write_all)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """An installation for the whole module: making one takes longer than any test here."""
    made = DataFolder(tmp_path_factory.mktemp("caches") / "data")
    keys.create(made)
    return made


@pytest.fixture
async def store(folder: DataFolder) -> AsyncIterator[Database]:
    """The installation's store, emptied of what the tests write."""
    opened = await Database.open(folder.database, keys.unlock(folder))
    await opened.write(lambda tx: tx.execute("DELETE FROM audit"))
    yield opened
    await opened.close()


def written(tx: Tx) -> list[tuple[str, str]]:
    """What the batches wrote: subject, and how many there were in its batch."""
    return [
        (row["subject"], row["detail"]) for row in tx.all("SELECT subject, detail FROM audit ORDER BY id")
    ]


def add(tx: Tx, subject: str) -> None:
    SUBJECTS.add(tx, subject)


def add_and_fail(tx: Tx, subject: str) -> None:
    SUBJECTS.add(tx, subject)
    raise Conflict("no")


def add_and_look(tx: Tx, subject: str, *, fails: bool = False) -> list[str]:
    SUBJECTS.add(tx, subject)
    SUBJECTS.flush(tx)
    seen = [subject for subject, _ in written(tx)]
    if fails:
        raise Conflict("no")
    return seen


# ---------------------------------------------------------------------- caches


def apply(tx: Tx, steps: list[Step], *, fails: bool) -> None:
    """Change rows and the cache together, as an owner of a table does."""
    for kind, key, value in steps:
        if kind == "clear":
            tx.execute("DELETE FROM meta WHERE key LIKE 'test %'")
            VALUES.clear(tx)
        elif kind == "drop":
            tx.execute("DELETE FROM meta WHERE key = ?", (f"test {key}",))
            VALUES.drop(tx, key)
        elif kind == "set":
            tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (f"test {key}", value))
            VALUES.set(tx, key, value)
        elif VALUES.get(tx, key) is None:
            found = tx.value("SELECT value FROM meta WHERE key = ?", (f"test {key}",))
            if found is not None:
                VALUES.set(tx, key, found)
    if fails:
        raise Conflict("no")


def both(tx: Tx) -> tuple[dict[str, str], dict[str, str]]:
    """What the database shows, and what the cache does."""
    rows = {row["key"][5:]: row["value"] for row in tx.all("SELECT * FROM meta WHERE key LIKE 'test %'")}
    kept = {key: value for key in "abcdefgh" if (value := VALUES.get(tx, key)) is not None}
    return rows, kept


steps = st.tuples(
    st.sampled_from(("set", "set", "drop", "look", "clear")),
    st.sampled_from("abcdefgh"),
    st.text("01", min_size=1, max_size=2),
)
writes = st.tuples(st.lists(steps, max_size=6), st.booleans())
groups = st.lists(st.tuples(st.lists(writes, max_size=5), st.booleans()), max_size=6)


async def whole_history(
    folder: DataFolder, history: list[tuple[list[tuple[list[Step], bool]], bool]]
) -> None:
    store = await Database.open(folder.database, keys.unlock(folder))
    try:
        await store.write(lambda tx: tx.execute("DELETE FROM meta WHERE key LIKE 'test %'"))
        for group, disk_full in history:
            calls = [store.write(apply, steps, fails=fails) for steps, fails in group]
            if disk_full:
                calls.append(store.write(roll_back_all))
            await asyncio.gather(*calls, return_exceptions=True)
            rows, kept = await store.write(both)
            assert kept.items() <= rows.items()
            assert len(kept) <= VALUES.size
    finally:
        await store.close()


def roll_back_all(tx: Tx) -> None:
    """End the whole transaction, as SQLite itself does when the disk is full."""
    tx.execute("ROLLBACK")
    raise Conflict("no")


@given(groups)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cache_shows_what_the_database_shows_after_any_failure(
    folder: DataFolder, history: list[tuple[list[tuple[list[Step], bool]], bool]]
) -> None:
    asyncio.run(whole_history(folder, history))


async def test_a_failed_write_puts_back_what_it_set_dropped_and_pushed_out(store: Database) -> None:
    def fill(tx: Tx) -> None:
        for key in "abcd":
            VALUES.set(tx, key, key)

    def spoil(tx: Tx) -> None:
        VALUES.set(tx, "a", "spoiled")
        VALUES.drop(tx, "b")
        for key in "efgh":
            VALUES.set(tx, key, key)
        VALUES.clear(tx)
        VALUES.set(tx, "e", "e")
        raise Conflict("no")

    await store.write(fill)
    with pytest.raises(Conflict):
        await store.write(spoil)
    kept = await store.write(lambda tx: {key: VALUES.get(tx, key) for key in "abcde"})
    assert kept == {"a": "a", "b": "b", "c": "c", "d": "d", "e": None}


async def test_the_oldest_value_goes_when_a_cache_is_full(store: Database) -> None:
    def fill(tx: Tx) -> list[str | None]:
        for key in "abcdae":
            VALUES.set(tx, key, key)
        OTHERS.set(tx, "b", "of another cache")
        return [VALUES.get(tx, key) for key in "abcde"]

    assert await store.write(fill) == ["a", None, "c", "d", "e"]


async def test_a_reader_and_another_open_database_see_nothing_of_a_cache(
    store: Database, tmp_path: Path
) -> None:
    await store.write(lambda tx: VALUES.set(tx, "a", "a"))
    assert await store.read(lambda tx: VALUES.get(tx, "a")) is None
    await store.read(lambda tx: VALUES.set(tx, "a", "of a reader"))
    assert await store.write(lambda tx: VALUES.get(tx, "a")) == "a"
    other = DataFolder(tmp_path / "other")
    keys.create(other)
    second = await Database.open(other.database, keys.unlock(other))
    assert await second.write(lambda tx: VALUES.get(tx, "a")) is None
    await second.close()


# ---------------------------------------------------------------------- batches


async def test_what_the_writes_of_a_group_add_is_written_once_before_commit(store: Database) -> None:
    await asyncio.gather(*(store.write(add, subject) for subject in "abc"))
    assert await store.read(written) == [("a", "3"), ("b", "3"), ("c", "3")]


async def test_what_a_failed_write_added_is_not_written(store: Database) -> None:
    calls = (store.write(add, "a"), store.write(add_and_fail, "b"), store.write(add, "c"))
    await asyncio.gather(*calls, return_exceptions=True)
    assert [subject for subject, _ in await store.read(written)] == ["a", "c"]


async def test_a_batch_that_fails_fails_only_the_write_that_is_guilty(store: Database) -> None:
    calls = (store.write(add, "a"), store.write(add, "rotten"), store.write(add, "c"))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["NoneType", "Conflict", "NoneType"]
    assert [subject for subject, _ in await store.read(written)] == ["a", "c"]


async def test_who_must_see_the_rows_earlier_has_them_written_and_a_failure_takes_only_its_own_back(
    store: Database,
) -> None:
    calls = (
        store.write(add, "a"),
        store.write(add_and_look, "b"),
        store.write(add_and_look, "c", fails=True),
        store.write(add, "d"),
    )
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results[1] == ["a", "b"]
    assert [subject for subject, _ in await store.read(written)] == ["a", "b", "d"]


async def test_a_reader_can_add_to_no_batch(store: Database) -> None:
    with pytest.raises(StoreError):
        await store.read(add, "a")


async def test_what_is_appended_waits_for_no_write_and_a_rotten_piece_fails_no_write(store: Database) -> None:
    store.append(SUBJECTS, "alone")
    for _ in range(100):
        if await store.read(written):
            break
        await asyncio.sleep(0.05)
    store.append(SUBJECTS, "rotten")
    await store.write(add, "a")
    assert await store.read(written) == [("alone", "1"), ("a", "1")]


# ---------------------------------------------------------------------- answers and actors


async def test_answers_of_a_group_come_after_its_commit_without_a_future_each(store: Database) -> None:
    told: list[tuple[object, str]] = []
    ready = asyncio.Event()

    def done(result: object, error: Exception | None) -> None:
        told.append((result, type(error).__name__))
        if len(told) == 3:
            ready.set()

    def give(tx: Tx, number: int) -> int:
        if number == 2:
            raise Conflict("no")
        return number

    for number in (1, 2, 3):
        store.submit(give, (number,), done)
    assert told == []
    await ready.wait()
    assert told == [(1, "NoneType"), (None, "Conflict"), (3, "NoneType")]


async def test_an_answer_that_raises_keeps_no_other_from_its_answer(store: Database) -> None:
    def broken(result: object, error: Exception | None) -> None:
        raise ValueError("this answer can't be given")

    store.submit(add, ("a",), broken)
    await store.write(add, "b")
    assert len(await store.read(written)) == 2


async def test_a_transaction_knows_who_acts(store: Database) -> None:
    def who(tx: Tx) -> object:
        return tx.actor

    anna, system, bela = Actor("operator", "anna"), SYSTEM, Actor("api_key", "béla")
    found = await asyncio.gather(
        store.acting(anna).write(who), store.write(who), store.acting(bela).write(who)
    )
    assert found == [anna, system, bela]
