"""The overview: is anything wrong, what is charging, what did today earn."""

from dataclasses import dataclass

from aiohttp import web

from onprem_csms.clock import apart
from onprem_csms.domain.site import ChargerName, DayFigures, Fault, Today
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import review, sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Context, Tx
from onprem_csms.services.site import overview, reports
from onprem_csms.web import sse
from onprem_csms.web.admin.pictures import Bar, bars
from onprem_csms.web.base import context, render

DAYS = 14


@dataclass(frozen=True, slots=True)
class Found:
    """What is read in one view of the database."""

    chargers: list[ChargerName]
    faults: list[Fault]
    running: list[SessionView]
    today: Today
    days: list[DayFigures]
    open_reviews: int
    waiting: int


@dataclass(frozen=True, slots=True)
class DashboardPage:
    """Figures and troubles; ``energy`` and ``earned`` are the bars of the last days."""

    found: Found
    online: int
    offline: list[ChargerName]
    faulted: list[tuple[ChargerName, Fault]]
    energy: list[Bar]
    earned: list[Bar]
    currency: str
    clock_apart_s: int = 0

    @property
    def calm(self) -> bool:
        """Whether nothing needs a person."""
        return not (
            self.offline
            or self.faulted
            or self.found.open_reviews
            or self.found.waiting
            or self.clock_apart_s
        )


def _find(tx: Tx) -> Found:
    return Found(
        overview.chargers(tx),
        overview.faults(tx),
        sessions.find(tx, SessionFilter(state="active", limit=200)),
        reports.today(tx),
        reports.days(tx, DAYS),
        review.count_open(tx),
        inventory.count_waiting(tx),
    )


async def show(request: web.Request) -> web.StreamResponse:
    """Show the overview."""
    ctx = context(request)
    return render(request, "admin/dashboard.html", _page(ctx, await ctx.read(_find)))


def _page(ctx: Context, found: Found) -> DashboardPage:
    currency = ctx.settings.currency
    offline = [charger for charger in found.chargers if not ctx.stations.online(charger.id)]
    named = {charger.id: charger for charger in found.chargers}
    return DashboardPage(
        found=found,
        online=len(found.chargers) - len(offline),
        offline=offline,
        faulted=[(named[fault.charger_id], fault) for fault in found.faults],
        energy=bars([(day.day, day.energy_wh) for day in found.days]),
        earned=bars([(day.day, day.revenue.get(currency, 0)) for day in found.days]),
        currency=currency,
        clock_apart_s=int(apart(ctx.clock).total_seconds()),
    )


async def events(request: web.Request) -> web.StreamResponse:
    """Tell the operators' pages what changes."""
    return await sse.stream(request, sse.asked_topics(request))
