"""Neutral values of charging: what a charger reports of a session, in no protocol's words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

VerdictStatus = Literal["accepted", "blocked", "expired", "invalid", "concurrent", "no_credit"]
ReadingContext = Literal["begin", "periodic", "clock", "end", "interruption", "trigger", "other"]
Activity = Literal["charging", "idle", "paused"]
StopReason = Literal[
    "local",
    "remote",
    "ev_disconnected",
    "deauthorized",
    "emergency",
    "power_loss",
    "reboot",
    "hard_reset",
    "soft_reset",
    "unlock",
    "balance_used_up",
    "closed_by_operator",
    "never_reported",
    "other",
]

CLOCK = "clock"
"""A flag of a message: the charger's own time was not believed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this card charge: the status, until when, and the group whose members may stop it."""

    status: VerdictStatus
    expires_at: datetime | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """A card held to a charger; ``uid`` as the charger sent it."""

    charger_id: str
    uid: str


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


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A charger says that a session began.

    ``at`` is already plausible (the time of receipt where the charger's is not, then ``flags`` holds
    ``clock``); ``at_raw`` is the charger's own text of it, by which a repeated start is recognised;
    ``transaction_id`` is given by chargers that choose it themselves, else None.
    """

    charger_id: str
    connector: int
    uid: str
    meter_start_wh: int
    at: datetime
    at_raw: str = ""
    reservation_id: int | None = None
    transaction_id: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StartAnswer:
    """The transaction's id (decimal text, 31 bits) and the verdict on the card."""

    session_id: int
    transaction_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class MeterBatch:
    """Readings of one connector; ``transaction_id`` None when the charger named none."""

    charger_id: str
    connector: int
    transaction_id: str | None
    readings: tuple[Reading, ...]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StopRequest:
    """A charger says that a session ended; ``meter_stop_wh`` None when it could not be read."""

    charger_id: str
    transaction_id: str
    meter_stop_wh: int | None
    at: datetime
    uid: str | None = None
    reason: StopReason = "local"
    readings: tuple[Reading, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """The session that ended (None: unknown, kept for review) and the verdict on the card, if one was shown."""

    session_id: int | None
    verdict: Verdict | None = None
