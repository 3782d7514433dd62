"""What every message writes is appended: raw messages and readings, and they are found again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onprem_csms.clock import ManualClock, to_text
from onprem_csms.db.chargers import messages
from onprem_csms.db.charging import readings
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.db.site import housekeeping

BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EVERYTHING: dict[str, str | int] = {"before": 2**62, "limit": 10_000, "direction": "", "text": ""}


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock(BEGIN)


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Database]:
    """A new store."""
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    opened = await Database.open(folder.database, keys.unlock(folder), clock=clock)
    yield opened
    await opened.close()


def nothing(tx: Tx) -> None:
    """Make a group, so that the messages before it are stored."""


def texts(tx: Tx, /, charger_id: str, **criteria: Any) -> list[str]:
    return [row["text"] for row in messages.search(tx, charger_id, {**EVERYTHING, **criteria})]


async def chatter(store: Database, count: int) -> dict[str, list[str]]:
    """Let one charger speak all the time and others seldom; returns what each said, newest first."""
    random, said = Random(5), dict[str, list[str]]()
    for number in range(count):
        charger_id = "often" if random.random() < 0.9 else f"seldom {random.randrange(3)}"
        said.setdefault(charger_id, []).insert(0, f"message {number}")
        store.log_frame(charger_id, "in" if number % 2 else "out", f"message {number}")
        if number % 100 == 0:
            await store.write(nothing)
    await store.write(nothing)
    return said


async def test_every_message_is_found_by_its_charger_newest_first(store: Database) -> None:
    said = await chatter(store, 3_000)
    for charger_id, expected in said.items():
        assert await store.read(texts, charger_id) == expected
        assert (await store.read(texts, charger_id, limit=7)) == expected[:7]
    assert await store.read(texts, "somebody else") == []


async def test_messages_are_leafed_through_and_searched(store: Database) -> None:
    said = await chatter(store, 3_000)
    found: list[str] = []
    before = 2**62
    while page := await store.read(messages.find, "seldom 1", before=before, limit=10):
        found += [row["text"] for row in page]
        before = page[-1]["id"]
    assert found == said["seldom 1"]
    holding = [text for text in said["often"] if "99" in text]
    assert await store.read(lambda tx: texts(tx, "often", text="99")) == holding
    heard = await store.read(lambda tx: messages.search(tx, "often", {**EVERYTHING, "direction": "in"}))
    assert {row["direction"] for row in heard} == {"in"}


async def test_old_messages_are_forgotten_and_the_others_are_still_found(
    store: Database, clock: ManualClock
) -> None:
    await store.write(
        lambda tx: tx.execute("INSERT INTO chargers (id, created_at) VALUES ('often', ?)", (tx.now_text,))
    )
    await chatter(store, 2_500)
    clock.at += timedelta(days=2)
    young = await chatter(store, 1_500)
    while await store.write(housekeeping.forget_frames, to_text(BEGIN + timedelta(days=1))):
        pass
    assert await store.read(texts, "often") == young["often"]
    assert await store.read(
        lambda tx: tx.value("SELECT min(block) FROM frame_blocks WHERE charger_id = 'often'")
    ) == (2_500 >> 10)


async def test_the_newest_message_stays_so_that_no_id_comes_twice(
    store: Database, clock: ManualClock
) -> None:
    await chatter(store, 50)
    newest = await store.read(lambda tx: tx.value("SELECT max(id) FROM frames"))
    clock.at += timedelta(days=60)
    while await store.write(housekeeping.forget_frames, to_text(clock.at)):
        pass
    store.log_frame("often", "in", "later")
    await store.write(nothing)
    assert await store.read(lambda tx: tx.value("SELECT max(id) FROM frames")) == newest + 1
    assert "later" in await store.read(texts, "often")


# ---------------------------------------------------------------------- readings


def row(session_id: int, second: int, energy: int = 0) -> tuple[Any, ...]:
    at = to_text(BEGIN + timedelta(seconds=second))
    return (session_id, at, energy, energy, 0, None, None, None, None, "charging", "periodic")


def seconds_of(tx: Tx, session_id: int) -> list[int]:
    """The moments of a session's readings, in the order in which they are returned."""
    found = readings.of_session(tx, session_id)
    return [int((datetime.fromisoformat(one["at"]) - BEGIN).total_seconds()) for one in found]


def append_many(tx: Tx, sessions: int, count: int) -> dict[int, list[int]]:
    """Append readings of many sessions in turns; some sessions speak more often than others."""
    random, told = Random(3), dict[int, list[int]]()
    for second in range(count):
        session_id = min(random.randrange(1, sessions + 1), random.randrange(1, sessions + 1))
        told.setdefault(session_id, []).append(second)
        readings.append(tx, row(session_id, second, second))
    return told


async def test_readings_come_back_in_time_wherever_they_stand(store: Database) -> None:
    told = await store.write(append_many, 40, 10_000)
    for session_id, seconds in told.items():
        assert await store.read(seconds_of, session_id) == seconds


async def test_the_journal_stays_short(store: Database) -> None:
    await store.write(append_many, 40, 10_000)
    kept = await store.read(lambda tx: tx.value("SELECT count(*) FROM reading_journal"))
    assert kept <= (readings.SLICES + 1) * readings.SETTLE_EVERY


async def test_a_late_reading_takes_its_place_and_a_repeated_one_is_told(store: Database) -> None:
    def act(tx: Tx) -> tuple[bool, bool]:
        for second in (0, 10, 20):
            readings.append(tx, row(1, second))
        return readings.insert(tx, row(1, 15)), readings.insert(tx, row(1, 10))

    assert await store.write(act) == (True, False)
    assert await store.read(seconds_of, 1) == [0, 10, 15, 20]


async def test_a_recount_is_seen_wherever_the_readings_stood(store: Database) -> None:
    await store.write(append_many, 1, 600)
    at = to_text(BEGIN + timedelta(seconds=599))
    await store.write(readings.recount, 1, [(1234, 56, at)])
    last = (await store.read(readings.of_session, 1))[-1]
    assert (last["at"], last["energy_wh"], last["cost"]) == (at, 1234, 56)
    assert len(await store.read(readings.of_session, 1)) == 600


async def test_the_reading_at_the_end_overrules_one_of_the_same_moment(store: Database) -> None:
    def act(tx: Tx) -> None:
        readings.append(tx, row(1, 10, 100))
        readings.insert_end(tx, row(1, 10, 105))

    await store.write(act)
    found = await store.read(readings.of_session, 1)
    assert [one["register_wh"] for one in found] == [105]
