"""What strangers do keeps no charger waiting, in a small form of what ``./dev bench --only attacks`` measures."""

from pathlib import Path

import pytest

from bench import attacks, site
from bench.attacks import Numbers
from onprem_csms import app, config
from onprem_csms.db.engine.keys import DataFolder

SMALL = Numbers(files=2_000, bodies=200, handshakes=5)
PLACE = {"server": {"host": "127.0.0.1", "port": 0}}


@pytest.mark.parametrize("name", list(attacks.attacks(SMALL)))
async def test_chargers_come_in_pages_open_and_health_is_green_during(name: str, tmp_path: Path) -> None:
    identities = await site.furnish(tmp_path, SMALL.handshakes, 1)
    async with app.running(config.parse(PLACE), DataFolder(tmp_path / "data")) as program:
        waits = await attacks.during(program.port, identities, attacks.attacks(SMALL)[name])
    assert len(waits.handshakes) == SMALL.handshakes
    assert waits.pages
    assert set(waits.health) == {200}


async def test_as_many_guesses_are_looked_at_from_two_hundred_addresses_as_from_twenty(
    tmp_path: Path,
) -> None:
    await site.furnish(tmp_path, 1, 1)
    async with app.running(config.parse(PLACE), DataFolder(tmp_path / "data")) as program:
        looked = [await attacks.guesses(program.port, attacks.DRIVER, crowd) for crowd in attacks.CROWDS]
    assert looked == [5, 10, 10]
