"""One charger: how it is, what happens on it, its last day, what it did wrong."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from onprem_csms.domain.chargers.chargers import Charger
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.records import ConnectionSpan, Notice, Quirk, RefusedAttempt, StatusSpan
from onprem_csms.services.chargers import inventory, records
from onprem_csms.services.charging import sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Tx
from onprem_csms.services.money import tariffs
from onprem_csms.services.money.tariffs import StoredTariff
from onprem_csms.web.admin.pictures import Piece, gaps, ribbon
from onprem_csms.web.base import context, render

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Found:
    """What is on record about a charger, read in one view."""

    charger: Charger
    running: list[SessionView]
    recent: list[SessionView]
    tariffs: dict[Place, StoredTariff | None]
    quirks: list[Quirk]
    notices: list[Notice]
    attempt: RefusedAttempt | None
    statuses: list[StatusSpan]
    connections: list[ConnectionSpan]


@dataclass(frozen=True, slots=True)
class ChargerPage:
    """The overview of a charger; ``ribbons`` are the last 24 hours by connector."""

    found: Found
    charger: Charger
    online: bool
    ribbons: list[tuple[Place, list[Piece]]]
    offline: list[Piece]


def _find(tx: Tx, charger_id: str) -> Found:
    charger = inventory.get(tx, charger_id)
    return Found(
        charger,
        sessions.find(tx, SessionFilter(charger_id=charger_id, state="active")),
        sessions.find(tx, SessionFilter(charger_id=charger_id, limit=8)),
        {one.place: tariffs.for_connector(tx, charger_id, one.place) for one in charger.connectors},
        records.quirks(tx, charger_id),
        records.notices(tx, charger_id, limit=8),
        inventory.refused_attempt_of(tx, charger_id),
        records.statuses(tx, charger_id, tx.now - DAY, tx.now),
        records.connections(tx, charger_id, tx.now - DAY, tx.now),
    )


async def show(request: web.Request) -> web.StreamResponse:
    """Show a charger's live state."""
    ctx = context(request)
    found = await ctx.read(_find, request.match_info["id"])
    now = ctx.clock.now()
    places = sorted({span.place for span in found.statuses if span.connector})
    page = ChargerPage(
        found=found,
        charger=found.charger,
        online=ctx.stations.online(found.charger.id),
        ribbons=[
            (place, ribbon((span for span in found.statuses if span.place == place), now - DAY, now))
            for place in places
        ],
        offline=gaps(found.connections, now - DAY, now),
    )
    return render(request, "admin/charger.html", page)
