"""The program is killed, and loses its power, at random moments while chargers charge and cards are topped up.

Everything that was answered must be there, once; what was not answered is sent again, as chargers do. The harness
is the bench's, which plays many more: ``./dev bench --only kills``.
"""

from pathlib import Path
from random import randrange

import pytest

from bench import kills


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("killed, cut", [(200, 0), (0, 60)], ids=["200 kills", "60 power cuts"])
async def test_after_many_ends_everything_answered_is_there_once(
    tmp_path: Path, killed: int, cut: int
) -> None:
    deeds, said = await kills.survive(tmp_path / "site", killed, cut, randrange(10**6))
    assert said.endswith("no faults\n"), said
    assert deeds.rounds > (killed + cut) / 2, "the chargers hardly got to work between the ends"


@pytest.mark.timeout(600)
async def test_a_few_kills_and_power_cuts_lose_nothing_that_was_answered(tmp_path: Path) -> None:
    for name, killed, cut in (("kills", 4, 0), ("cuts", 0, 4)):
        _, said = await kills.survive(tmp_path / name, killed, cut, randrange(10**6))
        assert said.endswith("no faults\n"), said


@pytest.mark.timeout(600)
async def test_a_first_start_that_was_ended_is_repeated_or_whole(tmp_path: Path) -> None:
    seed = randrange(10**6)
    kills.first_cuts(tmp_path, 40, seed)
    await kills.first_kills(tmp_path, 3, seed)
