"""``/reports``: figures of the site's local days."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from onprem_csms.services.site import reports
from onprem_csms.web.api.fields import Given, shown
from onprem_csms.web.api.route import Call


class Today(Struct, frozen=True, kw_only=True):
    """The present local day so far: Wh, money by currency in minor units, and what charges now."""

    energy_wh: int
    revenue: dict[str, int]
    sessions: int
    topups: dict[str, int]
    active: int
    power_w: int


class Day(Struct, frozen=True, kw_only=True):
    """One local day: Wh, money by currency in minor units, sessions that ended."""

    day: date
    energy_wh: int
    revenue: dict[str, int]
    sessions: int


class Days(Struct, frozen=True, kw_only=True):
    """Local days, oldest first, today last."""

    items: list[Day]


class DaysQuery(Given, frozen=True, kw_only=True):
    """How many days."""

    days: Annotated[int, Meta(ge=1, le=400)] = 30


async def today(call: Call[None, None]) -> Today:
    """Show the present day."""
    return shown(await call.read(reports.today), Today)


async def days(call: Call[None, DaysQuery]) -> Days:
    """Show the last days."""
    found = await call.read_report(reports.days, call.query.days)
    return Days(items=[shown(day, Day) for day in found])
