"""Readers by purpose: nobody waits for whom they need not, a read ends in time, a report streams."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from onprem_csms.db.engine.connection import Opener
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.readers import PAGES, REPORTS, ROWS_AT_ONCE, Pool, Purpose
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import TooSlow

SHORT = Purpose("short", 1, 0.3, 1024)
LONG = Purpose("long", 1, 600.0, 1024)


def count_for_ever(tx: Tx) -> int:
    """A statement that never ends by itself."""
    counted: int = tx.value(
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    )
    return counted


def number(tx: Tx) -> int:
    return int(tx.value("SELECT 1"))


def numbers(tx: Tx) -> Iterator[int]:
    for row in tx.each("WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"):
        yield row["x"]


def subjects(tx: Tx) -> Iterator[str]:
    for row in tx.each("SELECT subject FROM audit ORDER BY id"):
        yield row["subject"]


def note(tx: Tx, subject: str) -> int:
    sql = "INSERT INTO audit (at, actor, action, subject) VALUES (?, 'test', 'noted', ?)"
    return tx.insert(sql, (tx.now_text, subject))


def make_tx(raw: Any) -> Tx:
    return Tx(raw, datetime.now(UTC), SiteSettings())


@pytest.fixture
async def short(opener: Opener) -> AsyncIterator[Pool]:
    """One connection, whose reads end soon."""
    pool = Pool(opener, SHORT, make_tx)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
async def patient(opener: Opener) -> AsyncIterator[Pool]:
    """One connection, whose reads may go on."""
    pool = Pool(opener, LONG, make_tx)
    await pool.open()
    yield pool
    await pool.close()


async def test_a_read_is_interrupted_after_its_time_and_the_connection_goes_on(short: Pool) -> None:
    with pytest.raises(TooSlow, match="took too long"):
        await short.read(count_for_ever, ())
    assert await short.read(number, ()) == 1


async def test_waiting_for_a_busy_connection_is_part_of_the_time(short: Pool) -> None:
    calls = [asyncio.create_task(short.read(count_for_ever, ())) for _ in range(3)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [TooSlow] * 3
    assert await short.read(number, ()) == 1


async def test_a_read_that_nobody_waits_for_any_more_frees_its_connection(patient: Pool) -> None:
    forgotten = asyncio.create_task(patient.read(count_for_ever, ()))
    await asyncio.sleep(0.05)
    forgotten.cancel()
    await asyncio.gather(forgotten, return_exceptions=True)
    assert await patient.read(number, ()) == 1


async def test_closing_ends_the_reads_that_still_run(opener: Opener) -> None:
    pool = Pool(opener, LONG, make_tx)
    await pool.open()
    running = asyncio.create_task(pool.read(count_for_ever, ()))
    await asyncio.sleep(0.05)
    await pool.close()
    with pytest.raises(TooSlow):
        await running


async def test_many_short_statements_are_ended_in_time_too(short: Pool) -> None:
    def again_and_again(tx: Tx) -> None:
        while True:
            tx.all(
                "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 50) SELECT x FROM n"
            )

    with pytest.raises(TooSlow):
        await short.read(again_and_again, ())
    assert await short.read(number, ()) == 1


async def test_chargers_pages_reports_and_health_do_not_wait_for_each_other(store: Database) -> None:
    report = store.stream(numbers)
    await anext(report)
    searches = [asyncio.create_task(store.search(count_for_ever)) for _ in range(4)]
    pages = [asyncio.create_task(store.read(count_for_ever)) for _ in range(PAGES.connections + 5)]
    await asyncio.sleep(0.05)
    assert await store.read_for_charger(number) == 1
    await store.prove()
    await report.aclose()
    assert await store.read_report(number) == 1
    for reading in (*pages, *searches):
        reading.cancel()
    await asyncio.gather(*pages, *searches, return_exceptions=True)
    assert await store.read(number) == 1


async def test_a_stream_shows_one_moment_and_takes_a_few_rows_at_a_time(store: Database) -> None:
    made = 0

    def counted(tx: Tx) -> Iterator[int]:
        nonlocal made
        for value in numbers(tx):
            made += 1
            yield value

    async with aclosing(store.stream(counted)) as stream:
        assert [await anext(stream) for _ in range(ROWS_AT_ONCE + 1)][-1] == ROWS_AT_ONCE + 1
        assert made == 2 * ROWS_AT_ONCE
    for subject in "abc":
        await store.write(note, subject)
    seen = []
    async for subject in store.stream(subjects):
        seen.append(subject)
        await store.write(note, "later")
    assert seen == ["a", "b", "c"]


async def test_streams_that_are_left_early_give_their_connection_back(store: Database) -> None:
    for _ in range(REPORTS.connections * 3):
        async with aclosing(store.stream(numbers)) as stream:
            async for value in stream:
                if value == 3:
                    break
    assert await store.read_report(number) == 1


async def test_a_stream_that_takes_too_long_ends_with_a_sentence(short: Pool) -> None:
    with pytest.raises(TooSlow):
        async for _ in short.stream(numbers, ()):
            pass
    assert await short.read(number, ()) == 1


async def test_a_fault_in_a_stream_is_raised_where_it_is_read(store: Database) -> None:
    def broken(tx: Tx) -> Iterator[int]:
        yield from tx.one("SELECT 1") or ()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async for _ in store.stream(broken):
            pass
    assert await store.read_report(number) == 1
