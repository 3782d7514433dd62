"""Sessions: the list, one session with its curve, its end."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aiohttp import web

from onprem_csms.domain.site import ChargerName
from onprem_csms.services.charging import corrections, review, sessions
from onprem_csms.services.charging.corrections import Past
from onprem_csms.services.charging.review import ReviewItem
from onprem_csms.services.charging.sessions import Curve, Point, SessionFilter, SessionView
from onprem_csms.services.core.context import Tx
from onprem_csms.services.site import overview
from onprem_csms.web.admin.common import id_of, link, whole
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import Form
from onprem_csms.web.languages import N_

PER_PAGE = 50
# The table beside the curve: enough to follow it, few enough to read.
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """The list that fits the filter."""

    sessions: list[SessionView]
    chargers: list[ChargerName]
    form: Form
    filtered: bool
    next: str


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line of a bill to read: ``quantity`` in Wh, seconds or times, ``price`` in minor units."""

    kind: str
    quantity: float
    price: Fraction
    vat_percent: Fraction
    gross: int


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One session; ``points`` are those of the table."""

    session: SessionView
    lines: list[BillLine]
    items: list[ReviewItem]
    points: list[Point]
    seconds: float
    past: list[Past]


def _find(tx: Tx, wanted: SessionFilter) -> tuple[list[SessionView], list[ChargerName]]:
    return sessions.find(tx, wanted), overview.chargers(tx)


async def show_list(request: web.Request) -> web.StreamResponse:
    """List sessions, newest first."""
    form = Form(dict(request.query))
    asked = form.typed
    wanted = SessionFilter(
        charger_id=asked.get("charger") or None,
        uid=asked.get("card", "").strip().upper() or None,
        person_id=whole(asked.get("person", "")),
        state=asked.get("state") or None,
        review=asked.get("review") or None,
        before=whole(asked.get("before", "")),
        limit=PER_PAGE + 1,
    )
    found, offered = await context(request).read(_find, wanted)
    more = link(request, before=found[PER_PAGE - 1].id) if len(found) > PER_PAGE else ""
    filtered = any(value for name, value in asked.items() if name != "before")
    page = SessionsPage(found[:PER_PAGE], offered, form, filtered, more)
    return render(request, "admin/sessions.html", page)


def _find_one(tx: Tx, session_id: int) -> tuple[SessionView, list[ReviewItem], Curve, list[Past]]:
    return (
        sessions.get(tx, session_id),
        review.of_session(tx, session_id),
        sessions.curve(tx, session_id),
        corrections.of_session(tx, session_id),
    )


async def show(request: web.Request) -> web.StreamResponse:
    """Show a session with its figures, its bill and its curve."""
    ctx = context(request)
    session, items, curve, past = await ctx.read(_find_one, id_of(request))
    step = max(1, -(-len(curve.points) // MOST_ROWS))
    points = [*curve.points[::step], *curve.points[-1:]] if step > 1 else list(curve.points)
    until = session.ended_at or ctx.clock.now()
    seconds = (until - session.began_at).total_seconds()
    page = SessionPage(session, bill_lines(session.bill), items, points, seconds, past)
    return render(request, "admin/session.html", page)


async def curve(request: web.Request) -> web.StreamResponse:
    """Return a session's points for the chart: seconds since 1970, W, Wh, minor units."""
    found = await context(request).read(sessions.curve, id_of(request))
    points = found.points
    return web.json_response(
        {
            "at": [point.at.timestamp() for point in points],
            "power_w": [point.power_w for point in points],
            "energy_wh": [point.energy_wh for point in points],
            "cost": [point.cost for point in points],
        }
    )


async def stop(request: web.Request) -> web.StreamResponse:
    """Ask for the end of a running session; the charger is told until it reports it."""
    session_id = id_of(request)
    await context(request).write(sessions.want_stop, session_id)
    said = N_("The charger is being told to stop. The session ends when it reports so.")
    return redirect(request, f"/admin/sessions/{session_id}", said=said)


async def close(request: web.Request) -> web.StreamResponse:
    """End a stale session without a message to the charger."""
    session_id = id_of(request)
    await context(request).write(sessions.close, session_id)
    return redirect(request, f"/admin/sessions/{session_id}", said=N_("The session was closed."))


def bill_lines(bill: dict[str, Any] | None) -> list[BillLine]:
    """Read the lines of a kept bill."""
    return [
        BillLine(
            line["kind"],
            float(Fraction(line["quantity"])),
            Fraction(line["price"]),
            Fraction(line["vat_percent"]),
            line["gross"],
        )
        for line in (bill or {}).get("lines", ())
    ]
