"""Cars at the plug: how much power a battery takes as it fills; pure."""

from dataclasses import dataclass
from random import Random
from typing import Literal

Current = Literal["ac", "dc"]

_FULL = 0.995
# Capacity in kWh, power on AC and on DC in kW, as cars on the road have them.
_MODELS = (
    (39, 6.6, 46),
    (50, 7.4, 100),
    (58, 11, 120),
    (60, 11, 170),
    (77, 11, 135),
    (77, 11, 235),
    (82, 11, 250),
    (100, 22, 200),
)


@dataclass(slots=True)
class Car:
    """A car: capacity in Wh, power in W, state of charge as a part of one, and the one it leaves at."""

    capacity_wh: float
    ac_w: float
    dc_w: float
    soc: float
    enough: float

    @property
    def full(self) -> bool:
        """Tell whether it takes no more."""
        return self.soc >= min(self.enough, _FULL)

    def power_w(self, current: Current, limit_w: float) -> float:
        """Return the power it asks for now, at most ``limit_w``.

        A battery takes less and less above 60 % on DC and above 92 % on AC.
        """
        if self.full:
            return 0.0
        knee, floor, most = (0.6, 0.12, self.dc_w) if current == "dc" else (0.92, 0.25, self.ac_w)
        part = 1.0 if self.soc <= knee else 1.0 - (1.0 - floor) * (self.soc - knee) / (1.0 - knee)
        return min(limit_w, most * part)

    def charge(self, energy_wh: float) -> None:
        """Take energy in."""
        self.soc = min(1.0, self.soc + energy_wh / self.capacity_wh)


def arriving_car(random: Random, hurry: float) -> Car:
    """Draw a car; its battery is ``hurry`` times smaller than a real one, so that it is full so much sooner.

    Power, energy and time stay true to each other that way: only the battery is a toy's.
    """
    capacity_kwh, ac_kw, dc_kw = random.choice(_MODELS)
    return Car(
        capacity_wh=capacity_kwh * 1000 / hurry,
        ac_w=ac_kw * 1000,
        dc_w=dc_kw * 1000,
        soc=random.uniform(0.08, 0.55),
        enough=random.choice((0.8, 0.8, 0.85, 0.9, 1.0)),
    )
