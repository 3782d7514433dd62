"""The settings of chargers: what they report, and what the site wants of them until they agree."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from onprem_csms.clock import maybe_from_text
from onprem_csms.db.chargers import configuration as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import NotFound
from onprem_csms.events import Event

WishStatus = Literal["", "wanted", "accepted", "reboot_required", "rejected", "not_supported"]
LONGEST_VALUE = 10_000
MOST_KEYS = 2_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: as reported (None: never), and what is wanted of it, if anything.

    ``wanted_status`` "wanted" is asked again each time the charger comes.
    """

    key: str
    value: str | None
    readonly: bool
    reported_at: datetime | None
    wanted: str | None
    wanted_status: WishStatus
    wanted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReportedSetting:
    """A setting as a charger reports it."""

    key: str
    value: str | None
    readonly: bool


def report(tx: Tx, charger_id: str, settings: Iterable[ReportedSetting]) -> None:
    """Keep what a charger reported."""
    for setting in list(settings)[:MOST_KEYS]:
        value = None if setting.value is None else setting.value[:LONGEST_VALUE]
        rows.reported(tx, charger_id, setting.key, value, readonly=setting.readonly)
    tx.emit(Event("charger", charger_id))


def want(tx: Tx, charger_id: str, key: str, value: str, status: WishStatus = "wanted") -> None:
    """Keep what the site wants of a setting, and what the charger said to it."""
    rows.wanted(tx, charger_id, key, value, status)
    tx.emit(Event("charger", charger_id))


def unmet(tx: Tx, charger_id: str) -> list[Setting]:
    """Return the wishes that a charger has not answered, oldest first."""
    return [_setting(row) for row in rows.unmet(tx, charger_id)]


def forget_wish(tx: Tx, charger_id: str, key: str) -> None:
    """Want nothing of a setting any more; NotFound when nothing was wanted."""
    if not rows.forget_wish(tx, charger_id, key):
        raise NotFound("Nothing is wanted of {key}.", key=key)
    tx.emit(Event("charger", charger_id))


def find(tx: Tx, charger_id: str) -> list[Setting]:
    """Return a charger's settings by key."""
    return [_setting(row) for row in rows.of_charger(tx, charger_id)]


def _setting(row: Row) -> Setting:
    return Setting(
        row["key"],
        row["value"],
        bool(row["readonly"]),
        maybe_from_text(row["reported_at"]),
        row["wanted"],
        row["wanted_status"],
        maybe_from_text(row["wanted_at"]),
    )
