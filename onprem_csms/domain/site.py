"""The site at a glance and its figures; pure values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class ChargerName:
    """A charger in use; ``name`` is its identity where it has no name."""

    id: str
    name: str
    offline_since: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A connector that reports a fault; (0, 0) is the charger as a whole."""

    charger_id: str
    evse: int
    connector: int
    error_code: str


class Active(NamedTuple):
    """What charges now: how many sessions, and the power of their last readings in W."""

    number: int
    power_w: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One local day: energy in Wh, revenue (gross) by currency in minor units, number of sessions that ended."""

    day: date
    energy_wh: int
    revenue: Mapping[str, int]
    sessions: int


@dataclass(frozen=True, slots=True)
class Today:
    """The present local day so far, with the money that came in by top-ups."""

    energy_wh: int
    revenue: Mapping[str, int]
    sessions: int
    topups: Mapping[str, int]
    active: int
    power_w: int
