"""Figures of the site by its local days."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from onprem_csms.clock import to_text
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.site import reports as rows


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One local day: energy in Wh, revenue (gross) by currency in minor units, number of sessions that ended."""

    day: date
    energy_wh: int
    revenue: dict[str, int]
    sessions: int


@dataclass(frozen=True, slots=True)
class Today:
    """The present local day so far, with the money that came in by top-ups."""

    energy_wh: int
    revenue: dict[str, int]
    sessions: int
    topups: dict[str, int]
    active: int
    power_w: int


def bounds(day: date, timezone: str) -> tuple[str, str]:
    """Return the begin and end of a local day (23, 24 or 25 hours) as text of time columns."""
    zone = ZoneInfo(timezone)
    begin = datetime.combine(day, time(0), zone)
    end = datetime.combine(day + timedelta(days=1), time(0), zone)
    return to_text(begin), to_text(end)


def local_day(tx: Tx) -> date:
    """Return the present day at the site."""
    return tx.now.astimezone(ZoneInfo(tx.settings.timezone)).date()


def day_figures(tx: Tx, day: date) -> DayFigures:
    """Return the figures of one local day."""
    totals = session_rows.totals(tx, *bounds(day, tx.settings.timezone))
    return DayFigures(
        day,
        sum(row["energy_wh"] for row in totals),
        {row["currency"]: row["cost"] for row in totals if row["cost"]},
        sum(row["number"] for row in totals),
    )


def today(tx: Tx) -> Today:
    """Return the present day so far and what is charging now."""
    figures = day_figures(tx, local_day(tx))
    since, until = bounds(figures.day, tx.settings.timezone)
    active = rows.active_power(tx)
    return Today(
        figures.energy_wh,
        figures.revenue,
        figures.sessions,
        {row["currency"]: row["amount"] for row in rows.topups(tx, since, until)},
        active["number"],
        active["power_w"],
    )


def days(tx: Tx, number: int) -> list[DayFigures]:
    """Return the last local days, oldest first, today last."""
    last = local_day(tx)
    return [day_figures(tx, last - timedelta(days=back)) for back in range(number - 1, -1, -1)]
