"""The end of the ledger is kept in a file beside the database, whatever happens to either."""

import asyncio
from pathlib import Path

import pytest

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import head as files
from onprem_csms.db.money.ledger import Head
from onprem_csms.services.core.context import Context
from onprem_csms.services.money import ledger
from onprem_csms.services.money.heads import HeadKeeper
from tests.services.conftest import House


def test_the_newest_of_two_lines_counts_and_a_torn_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "csms.head"
    assert files.read(path) is None
    for number in (1, 2, 3):
        files.write(path, Head(number, bytes([number]) * 32))
        assert files.read(path) == Head(number, bytes([number]) * 32)
    content = path.read_bytes()
    newest = content.index(b"%020d" % 3)
    path.write_bytes(content[: newest + 30] + b"?" + content[newest + 31 :])
    assert files.read(path) == Head(2, b"\x02" * 32)
    assert path.stat().st_mode & 0o777 == 0o600


def context(house: House) -> Context:
    """What the keeper needs of a context."""
    return Context(house.store, house.bus, house.clock, house.store.settings, None, None)  # type: ignore[arg-type]


async def kept(house: House, wanted: Head) -> None:
    """Wait until the file has a head."""
    async with asyncio.timeout(30):
        while (  # noqa: ASYNC110 - a file says nothing by itself
            files.read(files.path_of(house.store.path)) != wanted
        ):
            await asyncio.sleep(0.01)


async def test_each_entry_moves_the_head_outside(house: House) -> None:
    wallet_id = await house.prepaid_card("04AABBCCDD", 1_000)
    keeper = asyncio.create_task(HeadKeeper(context(house)).run())
    await kept(house, await house.store.read(ledger.head))
    await house.top_up(wallet_id, 500)
    head = await house.store.read(ledger.head)
    assert head.id == 2
    await kept(house, head)
    keeper.cancel()


async def test_a_head_that_the_ledger_does_not_reach_is_not_overwritten(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.prepaid_card("04AABBCCDD", 1_000)
    path = files.path_of(house.store.path)
    files.write(path, Head(7, b"\x07" * 32))
    await HeadKeeper(context(house)).run()
    assert files.read(path) == Head(7, b"\x07" * 32)
    assert "the ledger ends at entry 1, the head kept outside says 7" in caplog.text


async def test_another_ledger_under_the_same_numbers_is_noticed(house: House) -> None:
    await house.prepaid_card("04AABBCCDD", 1_000)
    path = files.path_of(house.store.path)
    files.write(path, await house.store.read(ledger.head))

    def forge(tx: Tx) -> None:
        tx.execute("DROP TRIGGER entries_stay")
        tx.execute("UPDATE entries SET hash = zeroblob(32)")

    await house.do(forge)
    kept_before = files.read(path)
    await HeadKeeper(context(house)).run()
    assert files.read(path) == kept_before
