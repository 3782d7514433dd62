"""What a prepaid session costs beyond its balance: a small form of ``./dev bench --only overshoot``, with its marks."""

from itertools import product
from pathlib import Path

from bench import overshoot
from bench.lockstep import Case

CASES = [
    *(
        Case(22_000, every, kind, "-")
        for every, kind in product((60, 900), ("power", "register", "currents"))
    ),
    *(Case(150_000, 60, "power", trouble) for trouble in overshoot.TROUBLES[1:]),
    *(Case(11_000, 300, "register", trouble) for trouble in overshoot.TROUBLES[1:]),
    Case(22_000, 900, "none", "-"),
]
LENGTHS_S = (960, 1_200)


async def test_whatever_a_charger_tells_its_session_costs_no_more_than_the_balance_and_ten_seconds(
    tmp_path: Path,
) -> None:
    found = await overshoot.play(tmp_path, CASES, LENGTHS_S)
    assert len(found) == 2 * len(CASES)
    assert [one for one in found if one.missed] == []
    # Who refuses a stop once goes on until it is told again.
    assert all(one.beyond <= 4 * one.mark for one in found)
    silent = [one for one in found if one.case.kind == "none"]
    assert all(one.left_percent <= 15 for one in silent), (
        "the clock uses what the money buys at the highest power"
    )
