"""When is a begin told again? By meaning, not by words; pure. Moments are UTC milliseconds."""

from typing import NamedTuple

# A charger tells whole seconds; the same moment in another spelling differs by less.
RESOLUTION_MS = 1_500
# Until then a charger that got no answer tells the begin again, perhaps with the time of sending.
RETRY_MS = 300_000
# A register may move on by so much between two tellings.
REGISTER_WH = 5


class Begin(NamedTuple):
    """A begin as it was told."""

    at: int
    register_wh: int


class Known(NamedTuple):
    """A session of the same card at the same place: its begin, the energy so far in Wh, whether it runs."""

    begin: Begin
    energy_wh: int
    active: bool


def is_repeat(told: Begin, known: Known, *, clock_believed: bool) -> bool:
    """Tell whether a begin is that of a known session told again."""
    apart = abs(told.at - known.begin.at)
    if abs(told.register_wh - known.begin.register_wh) > REGISTER_WH:
        return False
    if apart <= RESOLUTION_MS and clock_believed:
        return True
    # With the time of sending: as long as nothing was delivered, or where the register moved on since.
    nothing = known.energy_wh <= REGISTER_WH
    moved_on = known.energy_wh > REGISTER_WH and told.register_wh > 0
    return known.active and ((nothing and apart <= RETRY_MS) or moved_on)
