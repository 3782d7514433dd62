"""Figures of the site by its local days."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from onprem_csms.clock import from_text, to_millis, to_text
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import ledger as ledger_rows
from onprem_csms.db.site import reports as rows
from onprem_csms.domain.site import DayFigures, Today
from onprem_csms.services.charging import sessions


def bounds(day: date, timezone: str) -> tuple[str, str]:
    """Return the begin and end of a local day (23, 24 or 25 hours) as text of time columns."""
    zone = ZoneInfo(timezone)
    begin = datetime.combine(day, time(0), zone)
    end = datetime.combine(day + timedelta(days=1), time(0), zone)
    return to_text(begin), to_text(end)


def _millis(since: str, until: str) -> tuple[int, int]:
    return to_millis(from_text(since)), to_millis(from_text(until))


def local_day(tx: Tx) -> date:
    """Return the present day at the site."""
    return tx.now.astimezone(ZoneInfo(tx.settings.timezone)).date()


def day_figures(tx: Tx, day: date) -> DayFigures:
    """Return the figures of one local day."""
    totals = rows.totals(tx, *_millis(*bounds(day, tx.settings.timezone)))
    return DayFigures(day, totals.energy_wh, totals.revenue, totals.sessions)


def today(tx: Tx) -> Today:
    """Return the present day so far and what is charging now."""
    figures = day_figures(tx, local_day(tx))
    since, until = bounds(figures.day, tx.settings.timezone)
    active, power_w = sessions.charging_now(tx)
    return Today(
        energy_wh=figures.energy_wh,
        revenue=figures.revenue,
        sessions=figures.sessions,
        topups=dict(ledger_rows.top_ups(tx, *_millis(since, until))),
        active=active,
        power_w=power_w,
    )


def days(tx: Tx, number: int) -> list[DayFigures]:
    """Return the last local days, oldest first, today last."""
    last = local_day(tx)
    return [day_figures(tx, last - timedelta(days=back)) for back in range(number - 1, -1, -1)]
