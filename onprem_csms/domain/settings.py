"""What the site has decided, as the services need it."""

from dataclasses import dataclass
from typing import Literal

from onprem_csms.domain.charging.escalation import Means
from onprem_csms.domain.money.currencies import DEFAULT_CURRENCY
from onprem_csms.domain.money.holds import HoldPolicy
from onprem_csms.domain.money.vat import VatDue


@dataclass(frozen=True, slots=True)
class PrepaidSettings:
    """How prepaid charging behaves; amounts in minor units, times in seconds."""

    minimum_balance: int = 0
    stop_latency_s: int = 10
    sample_interval_s: int = 60
    start_timeout_s: int = 90
    block_below_zero: bool = True
    hold_policy: HoldPolicy = "all"
    hold_step: int = 1_000
    escalate: Means = "limit"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """When a session is believed to be over or wrong; seconds, watts and Wh.

    A bill of more energy, time or money (minor units) than ``wait_above…`` waits for a person; 0: none does.
    """

    reboot_grace_s: int = 300
    free_grace_s: int = 300
    one_fee_within_s: int = 300
    start_doubt_s: int = 86_400
    default_max_power_w: int = 400_000
    energy_allowance_wh: int = 100_000
    wait_above_wh: int = 250_000
    wait_above_s: int = 604_800
    wait_above: int = 100_000
    late_after_s: int = 900
    clock_skew_s: int = 300
    stop_blocked_cards: bool = True


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """The site: its name, money, local time and the address its users type."""

    name: str = "Charging site"
    currency: str = DEFAULT_CURRENCY
    timezone: str = "Europe/Budapest"
    vat_percent: str = "27"
    vat_due: VatDue = "at_charging"
    language: str = "en"
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    charger_origins: tuple[str, ...] = ()
    heartbeat_interval_s: int = 300
    unknown_chargers: Literal["ask", "accept", "refuse"] = "ask"
    message_days: int = 30
    message_megabytes: int = 2048
    history_days: int = 400
    prepaid: PrepaidSettings = PrepaidSettings()
    sessions: SessionSettings = SessionSettings()
