"""What is reported of sessions is appended to a journal that stays short, and ends in one packed curve a session."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.clock import ManualClock, to_millis
from onprem_csms.db.charging import facts, sessions
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.charging.facts import Fact
from onprem_csms.domain.charging.sessions import CONTEXTS

BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NUMBERS = st.none() | st.integers(-(2**53), 2**53)
FACTS = st.lists(
    st.builds(
        Fact,
        st.integers(0, 2**42),
        NUMBERS,
        NUMBERS,
        NUMBERS,
        NUMBERS,
        st.none() | st.integers(0, 100),
        st.sampled_from(CONTEXTS),
        st.none() | st.sampled_from(["charging", "idle", "paused"]),
    ),
    min_size=1,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    """A new store."""
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    opened = await Database.open(folder.database, keys.unlock(folder), clock=ManualClock(BEGIN))
    yield opened
    await opened.close()


def begin(tx: Tx, number: int) -> list[int]:
    """Begin sessions that run."""
    at = to_millis(BEGIN)
    common = {"evse": 0, "connector": 1, "uid": "", "verdict": "accepted", "began": at, "received": at}
    limits = {"meter_start_wh": 0, "max_power_w": 1, "allowance_wh": 1, "currency": "HUF"}
    return [sessions.insert(tx, {"charger_id": f"C{n}", **common, **limits}).id for n in range(number)]


def tell(tx: Tx, ids: list[int], count: int) -> dict[int, list[Fact]]:
    """Append facts of many sessions in turns; some speak more often than others."""
    random, told = Random(3), {id: list[Fact]() for id in ids}
    for second in range(count):
        id = ids[min(random.randrange(len(ids)), random.randrange(len(ids)))]
        fact = Fact(to_millis(BEGIN) + second * 1000, second, 11_000 if second % 3 else None)
        told[id].append(fact)
        facts.append(tx, id, fact)
    return told


@given(FACTS)
def test_a_curve_and_the_memory_give_back_what_was_put_in(told: list[Fact]) -> None:
    assert list(facts.from_curve(facts.to_curve(told))) == told
    assert list(facts.unpack(b"".join(map(facts.pack, told)))) == told


def test_the_curve_of_an_hour_is_small() -> None:
    told = [Fact(to_millis(BEGIN) + n * 60_000, n * 183, 11_000 - n, 16_000, 230_000) for n in range(60)]
    assert len(facts.to_curve(told)) < 700


async def test_the_journal_stays_short_and_no_fact_is_lost(store: Database) -> None:
    ids = await store.write(begin, 40)
    told: dict[int, set[Fact]] = {id: set() for id in ids}
    for _ in range(6):
        more = await store.write(tell, ids, 5_000)
        for id, some in more.items():
            told[id] |= set(some)
    kept = await store.read(lambda tx: tx.value("SELECT count(*) FROM facts"))
    assert kept <= facts.JOURNAL_ROWS + facts.TRIM_EVERY + 5_000
    for_reader = await store.read(facts.of_sessions, ids)
    for id in ids:
        assert set(for_reader[id]) == told[id]
        assert set(await store.write(facts.of_active, id)) == told[id]


async def test_after_a_restart_the_facts_of_running_sessions_are_there_and_go_into_the_curve(
    tmp_path: Path,
) -> None:
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    first = await Database.open(folder.database, keys.unlock(folder), clock=ManualClock(BEGIN))
    ids = await first.write(begin, 3)
    told = await first.write(tell, ids, 300)
    await first.close()
    again = await Database.open(folder.database, keys.unlock(folder), clock=ManualClock(BEGIN))
    more = Fact(to_millis(BEGIN) + 1_000_000, 9_999)
    await again.write(facts.append, ids[0], more)
    await again.write(facts.end, ids[0])
    assert await again.read(facts.of_ended, ids[0]) == [*told[ids[0]], more]
    late = Fact(to_millis(BEGIN) + 2_000_000, 10_000)
    await again.write(facts.append_after_end, ids[0], [late])
    assert await again.read(facts.of_ended, ids[0]) == [*told[ids[0]], more, late]
    assert await again.write(facts.of_active, ids[1]) == told[ids[1]]
    await again.close()
