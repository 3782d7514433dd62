"""Neutral values of charging: what a charger reports of a session, in no protocol's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from onprem_csms.domain.chargers.places import Place

VerdictStatus = Literal["accepted", "blocked", "expired", "invalid", "concurrent", "no_credit"]
ReadingContext = Literal["begin", "periodic", "clock", "end", "interruption", "trigger", "other"]
Activity = Literal["charging", "idle", "paused"]
CONTEXTS: tuple[ReadingContext, ...] = (
    "periodic",
    "begin",
    "clock",
    "end",
    "interruption",
    "trigger",
    "other",
)
ACTIVITIES_SHOWN: Mapping[str, Activity] = {
    "charging": "charging",
    "suspended_vehicle": "idle",
    "suspended_charger": "paused",
}
"""Who holds the energy back by what a connector shows: a car that does not ask is idle, a charger pauses."""
SessionState = Literal["active", "waiting", "ended"]
"""A session that waits has ended, and its bill is booked by a person."""
ClosedBy = Literal["", "charger", "csms", "operator"]
"""Whose word the end is."""
Doubt = Literal["rebooted", "connector_free"]
"""Why a session may be over although no end was told: a key of the review list."""
StopReason = Literal[
    "local",
    "remote",
    "by_driver",
    "ev_disconnected",
    "deauthorized",
    "emergency",
    "power_loss",
    "reboot",
    "hard_reset",
    "soft_reset",
    "unlock",
    "balance_used_up",
    "card_ended",
    "closed_by_operator",
    "never_reported",
    "other",
]

CLOCK = "clock"
"""A flag of a message: the charger's own time was not believed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this card charge: the status, until when, and the group whose members may stop it.

    ``ask_again``: its money is counted here, so the charger must not remember the answer.
    """

    status: VerdictStatus
    expires_at: datetime | None = None
    group: str | None = None
    ask_again: bool = False


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """A card held to a charger; ``uid`` as the charger sent it, ``place`` where the charger names one."""

    charger_id: str
    uid: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment of a meter: register in Wh, power in W, current in mA, voltage in mV, state of charge in %.

    None is what the charger did not say. ``signed`` holds a signed reading verbatim.
    """

    at: datetime
    energy_wh: int | None = None
    power_w: int | None = None
    current_ma: int | None = None
    voltage_mv: int | None = None
    soc_percent: int | None = None
    context: ReadingContext = "periodic"
    signed: str | None = None
