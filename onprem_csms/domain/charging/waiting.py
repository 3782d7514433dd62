"""Which bills wait for a person: those beyond what can be, or of a time that nobody knows; pure."""

from typing import NamedTuple

from onprem_csms.domain.charging import metering
from onprem_csms.domain.charging.folding import State
from onprem_csms.domain.charging.metering import Limit
from onprem_csms.domain.money.bills import Bill
from onprem_csms.domain.money.tariff_model import Tariff
from onprem_csms.domain.money.tariff_plan import plan_of

ENERGY, DURATION, SUM, POWER, CLOCK = "energy", "duration", "sum", "power", "clock"
GUESSED_WH = 50_000


class Bounds(NamedTuple):
    """Above it a bill waits: Wh, ms, minor units; 0 bounds nothing."""

    energy_wh: int
    duration_ms: int
    gross: int


class Ended(NamedTuple):
    """A session as it ended; ``unsure``: its begin or its end was told by a clock that was wrong."""

    state: State
    took_ms: int
    bill: Bill
    unsure: bool
    limit: Limit


def reasons(ended: Ended, bounds: Bounds, tariff: Tariff | None) -> tuple[str, ...]:
    """Return why a bill waits, empty where it is booked by itself; ``tariff`` is asked where the clock was wrong."""
    over = (
        (ENERGY, 0 < bounds.energy_wh < ended.bill.energy_wh),
        (DURATION, 0 < bounds.duration_ms < ended.took_ms),
        (SUM, 0 < bounds.gross < ended.bill.gross),
        (POWER, _too_fast(ended)),
        (CLOCK, ended.unsure and tariff is not None and _asks_for_the_time(tariff)),
    )
    return tuple(name for name, holds in over if holds)


def _too_fast(ended: Ended) -> bool:
    """Tell whether the energy as a whole is above what the connector can deliver in the whole time.

    Where nobody set its power, the site's default is a guess: that bounds only what is far beyond it.
    """
    if metering.TOO_FAST not in ended.state.flags:
        return False
    began, allowed = ended.limit.began, min(ended.limit.allowance_wh, GUESSED_WH)
    return ended.bill.energy_wh > metering.possible(ended.limit, began, began + ended.took_ms) + allowed


def _asks_for_the_time(tariff: Tariff) -> bool:
    """Tell whether a price depends on when or how long: energy alone costs the same whatever the clock says."""
    plan = plan_of(tariff)
    timed = any(one.dimension in {"time", "parking_time"} and one.price for one in plan.components)
    return timed or bool(plan.times or plan.limits_us)
