"""The life of a hold, and how much of a balance one sets aside; pure. Amounts are minor units."""

from typing import Literal

HoldState = Literal["held", "captured", "released"]
HoldEvent = Literal["resize", "capture", "release"]
HoldPolicy = Literal["all", "as_needed"]

TRANSITIONS: dict[tuple[HoldState, HoldEvent], HoldState] = {
    ("held", "resize"): "held",
    ("held", "capture"): "captured",
    ("held", "release"): "released",
}
POLICIES: tuple[HoldPolicy, ...] = ("all", "as_needed")


def after(state: HoldState, event: HoldEvent) -> HoldState | None:
    """Return the state after an event, None where nothing more can happen: a hold ends exactly once."""
    return TRANSITIONS.get((state, event))


def first_amount(available: int, least: int, policy: HoldPolicy, step: int) -> int:
    """Return what to hold when a session begins that costs ``least`` before it delivers anything.

    ``all`` of what is available, so that one session has the balance to itself; ``as_needed`` a step beyond what
    is sure, so that others can begin on the rest.
    """
    return available if policy == "all" else min(available, least + step)


def next_amount(available: int, policy: HoldPolicy, step: int) -> int:
    """Return by how much a hold grows whose session has nearly used it up; 0 when nothing is left."""
    return max(0, available if policy == "all" else min(available, step))
