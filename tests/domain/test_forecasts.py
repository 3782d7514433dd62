"""How long a forecast of a session's money is believed."""

import pytest

from onprem_csms.domain.charging.forecast import Foreseen, Means, Pace, foresee, holds

MEANS = Means(spendable=5_000, highest_w=22_000, latency_ms=10_000)
HOUR_MS = 3_600_000


def foreseen_at(power_w: int) -> Foreseen:
    """A forecast that was made at a power, an hour before the stop."""
    return foresee(Pace(0, 0, 0, power_w=power_w, every=60_000), HOUR_MS, 0, MEANS)


@pytest.mark.parametrize("power_w, held", [(11_000, True), (11_500, True), (12_100, False)])
def test_a_power_that_rose_by_a_tenth_is_foreseen_anew(power_w: int, held: bool) -> None:
    now = Pace(60_000, 60_000, 60_000, axis=60_000, power_w=power_w)
    assert holds(foreseen_at(11_000), now, MEANS.spendable) is held


def test_other_money_is_foreseen_anew() -> None:
    now = Pace(60_000, 60_000, 60_000, axis=60_000, power_w=11_000)
    assert not holds(foreseen_at(11_000), now, MEANS.spendable + 1)
