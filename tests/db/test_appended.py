"""What every message writes is appended: raw messages, and they are found again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onprem_csms.clock import ManualClock, to_millis
from onprem_csms.db.chargers import message_packs, messages
from onprem_csms.db.chargers.messages import MessageRow, Search
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder

BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EVERYTHING = 2**40


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


async def texts(store: Database, charger_id: str, **criteria: Any) -> list[str]:
    search = Search(**{"limit": 10_000, **criteria})
    return [message.text for message in await store.read(messages.find, charger_id, search)]


async def chatter(store: Database, clock: ManualClock, count: int) -> dict[str, list[str]]:
    """Let one charger speak all the time and others seldom; returns what each said, newest first."""
    random, said = Random(5), dict[str, list[str]]()
    for number in range(count):
        charger_id = "often" if random.random() < 0.9 else f"seldom {random.randrange(3)}"
        text = f"message {number} of {clock.at:%d}"
        said.setdefault(charger_id, []).insert(0, text)
        store.log_message(charger_id, "in" if number % 2 else "out", text.encode())
        if number % 100 == 0:
            await store.write(nothing)
            clock.at += timedelta(seconds=1)
    await store.write(nothing)
    return said


async def regroup(store: Database, before: datetime) -> None:
    while await store.write(message_packs.regroup, before):
        pass


async def forget(store: Database, before: datetime, most_bytes: int = EVERYTHING) -> None:
    while await store.read(message_packs.is_due, before, most_bytes):
        await store.write(message_packs.forget, before, most_bytes)


async def test_every_message_is_found_by_its_charger_newest_first(
    store: Database, clock: ManualClock
) -> None:
    said = await chatter(store, clock, 3_000)
    for charger_id, expected in said.items():
        assert await texts(store, charger_id) == expected
        assert (await texts(store, charger_id, limit=7)) == expected[:7]
    assert await texts(store, "somebody else") == []
    assert await texts(store, "seldom") == [], "part of another one's name"


async def test_a_message_keeps_its_id_and_its_place_when_packs_are_regrouped(
    store: Database, clock: ManualClock
) -> None:
    said = await chatter(store, clock, 3_000)
    everything = Search(limit=10_000)
    before = {charger_id: await store.read(messages.find, charger_id, everything) for charger_id in said}
    await regroup(store, BEGIN + timedelta(seconds=15))
    rows = await store.read(lambda tx: tx.value("SELECT count(*) FROM charger_packs"))
    assert 0 < rows <= len(said) + 3_000 // 1024
    assert {
        charger_id: await store.read(messages.find, charger_id, everything) for charger_id in said
    } == before


async def test_messages_are_leafed_through_and_searched(store: Database, clock: ManualClock) -> None:
    said = await chatter(store, clock, 3_000)
    await regroup(store, BEGIN + timedelta(seconds=15))
    found: list[str] = []
    before = messages.NEWEST
    while page := await store.read(messages.find, "seldom 1", Search(before=before, limit=10)):
        found += [message.text for message in page]
        before = page[-1].id
    assert found == said["seldom 1"]
    holding = [text for text in said["often"] if "99" in text]
    assert await texts(store, "often", text="99") == holding
    assert await texts(store, "often", text="MESSAGE 2999") == [
        text for text in said["often"] if "2999" in text
    ]
    heard: list[MessageRow] = await store.read(messages.find, "often", Search(incoming=True))
    assert {message.incoming for message in heard} == {True}
    late = to_millis(BEGIN + timedelta(seconds=20))
    since = await store.read(messages.find, "often", Search(since_millis=late, limit=10_000))
    assert 0 < len(since) < len(said["often"])
    assert all(message.millis >= late for message in since)


async def test_old_messages_are_forgotten_and_the_others_are_still_found(
    store: Database, clock: ManualClock
) -> None:
    await chatter(store, clock, 2_500)
    await regroup(store, BEGIN + timedelta(seconds=10))
    clock.at += timedelta(days=2)
    young = await chatter(store, clock, 1_500)
    await forget(store, BEGIN + timedelta(days=1))
    assert await texts(store, "often") == young["often"]


async def test_messages_take_no_more_than_the_bytes_that_are_allowed(
    store: Database, clock: ManualClock
) -> None:
    said = await chatter(store, clock, 3_000)
    size = await store.read(lambda tx: tx.value("SELECT sum(length(data)) FROM packs"))
    await forget(store, BEGIN, size // 3)
    left = await store.read(lambda tx: tx.value("SELECT sum(length(data)) FROM packs"))
    largest = await store.read(lambda tx: tx.value("SELECT max(length(data)) FROM packs"))
    assert size // 3 - largest < left < size // 3 + largest, "whole packs go"
    kept = await texts(store, "often")
    assert kept == said["often"][: len(kept)]


async def test_no_id_comes_twice_when_the_clock_is_set_back(store: Database, clock: ManualClock) -> None:
    await chatter(store, clock, 50)
    await regroup(store, BEGIN + timedelta(days=1))
    (newest,) = await store.read(messages.find, "often", Search(limit=1))
    clock.at -= timedelta(days=60)
    store.log_message("often", "in", b"later")
    await store.write(nothing)
    (later,) = await store.read(messages.find, "often", Search(limit=1))
    assert (later.text, later.id > newest.id) == ("later", True)
