"""The life of a driver's order, as a table of transitions; pure."""

from typing import Literal

OrderStatus = Literal["held", "sent", "accepted", "charging", "refused", "expired", "cancelled"]
OPEN: tuple[OrderStatus, ...] = ("held", "sent", "accepted")
"""Its money is set aside, and no session has begun."""

_TRANSITIONS: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    "held": ("sent", "accepted", "charging", "refused", "expired", "cancelled"),
    "sent": ("accepted", "charging", "refused", "expired", "cancelled"),
    "accepted": ("charging", "refused", "expired", "cancelled"),
    # The charger may have waited for the cable: a session that begins late is still the order's.
    "expired": ("charging",),
    "cancelled": ("charging",),
    "refused": (),
    "charging": (),
}


def before(status: OrderStatus) -> tuple[OrderStatus, ...]:
    """Return the statuses from which an order can come to this one."""
    return tuple(one for one, following in _TRANSITIONS.items() if status in following)
