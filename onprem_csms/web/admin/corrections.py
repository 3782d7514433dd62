"""Booking a session that waits, and correcting one that was booked: its times, registers, tariff and payer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from aiohttp import web

from onprem_csms.clock import from_millis
from onprem_csms.domain.charging.facts import Fact
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.services.cards import cards
from onprem_csms.services.charging import corrections, review, sessions
from onprem_csms.services.charging.corrections import Decision, Past, Proposal
from onprem_csms.services.charging.review import ReviewItem
from onprem_csms.services.charging.sessions import SessionView
from onprem_csms.services.core.context import Tx
from onprem_csms.services.money import tariffs
from onprem_csms.web.admin.common import id_of
from onprem_csms.web.admin.pictures import Readings, Told, readings
from onprem_csms.web.admin.sessions import BillLine, bill_lines
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import NO_FORM, STATUS, Form, posted
from onprem_csms.web.languages import N_


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    """A session that has ended, what its meter told, what was decided before, and what a decision would make of it.

    ``begin``, ``end`` and ``payer`` are what their fields show, ``tariffs`` what may be chosen.
    """

    session: SessionView
    picture: Readings | None
    readings: list[Told]
    items: list[ReviewItem]
    past: list[Past]
    tariffs: list[tuple[str, str]]
    proposal: Proposal | None
    lines: list[BillLine]
    form: Form
    begin: str
    end: str
    payer: str


def told(facts: Iterable[Fact]) -> list[Told]:
    """Return what a meter told, in time."""
    found = [
        Told(from_millis(fact.at), fact.register_wh, fact.power_w)
        for fact in facts
        if fact.register_wh is not None or fact.power_w is not None
    ]
    return sorted(found, key=lambda one: one.at)


def _find(
    tx: Tx, session_id: int
) -> tuple[SessionView, list[Told], list[ReviewItem], list[Past], list[tuple[str, str]]]:
    offered = [(str(one.id), one.name) for one in tariffs.find(tx)]
    return (
        sessions.get(tx, session_id),
        told(sessions.told(tx, session_id)),
        review.of_session(tx, session_id),
        corrections.of_session(tx, session_id),
        offered,
    )


async def show(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the form; with its fields in the address, what they would make of the session too."""
    ctx, session_id = context(request), id_of(request)
    session, points, items, past, offered = await ctx.read(_find, session_id)
    if session.state == "active":
        raise Conflict("This session still runs.")
    proposal = None
    if form is NO_FORM and request.query:
        form = Form(dict(request.query))
        proposal = await _proposal(request, form)
    page = CorrectionPage(
        session,
        readings(points),
        points,
        [item for item in items if not item.resolved_at],
        past,
        offered,
        proposal,
        bill_lines(proposal.bill if proposal else None),
        form,
        local_text(session.began_at, ctx.settings.timezone),
        local_text(session.ended_at, ctx.settings.timezone),
        paying_card(session),
    )
    return render(request, "admin/correction.html", page, form.status)


async def _proposal(request: web.Request, form: Form) -> Proposal | None:
    try:
        return await context(request).read(_propose, id_of(request), form, context(request).settings.timezone)
    except (Invalid, Conflict, NotFound) as error:
        form.refuse(error, STATUS[type(error)])
        return None


def _propose(tx: Tx, session_id: int, form: Form, timezone: str) -> Proposal:
    decision = _read(tx, sessions.get(tx, session_id), form, timezone)
    return corrections.propose(tx, session_id, decision)


@posted(show, also=(NotFound,))
async def save(request: web.Request, form: Form) -> web.StreamResponse:
    """Book what was decided."""
    session_id = id_of(request)
    await context(request).write(_decide, session_id, form, context(request).settings.timezone)
    return redirect(request, f"/admin/sessions/{session_id}", said=N_("Booked as you decided."))


def _decide(tx: Tx, session_id: int, form: Form, timezone: str) -> None:
    form.text("reason", max_length=corrections.LONGEST_REASON)
    decision = _read(tx, sessions.get(tx, session_id), form, timezone)
    corrections.decide(tx, session_id, decision)


def _read(tx: Tx, session: SessionView, form: Form, timezone: str) -> Decision:
    """Make a decision of the form; a field that shows what holds changes nothing. Invalid with every fault by field."""
    decision = Decision(
        form.typed.get("reason", ""),
        _moment(form, "began_at", session.began_at, timezone),
        _moment(form, "ended_at", session.ended_at, timezone),
        _register(form, "meter_start", session.meter_start_wh),
        _register(form, "meter_stop", None),
        form.number_or_none("tariff"),
        _payer(tx, session, form),
    )
    form.check()
    return decision


def _moment(form: Form, name: str, holds: datetime | None, timezone: str) -> datetime | None:
    typed = form.typed.get(name, "").strip()
    if not typed or (holds is not None and typed == local_text(holds, timezone)):
        return None
    return form.moment(name, timezone)


def _register(form: Form, name: str, holds_wh: int | None) -> int | None:
    """Read kWh as Wh."""
    if not form.typed.get(name, "").strip():
        return None
    wh = int(Decimal(form.decimal(name)) * 1000)
    return None if wh == holds_wh else wh


def _payer(tx: Tx, session: SessionView, form: Form) -> int | None:
    """Return the wallet of the card that pays: 0 for nobody, None where it stays."""
    typed = form.typed.get("payer", "").strip().upper()
    if typed == paying_card(session):
        return None
    if not typed:
        return 0
    card = cards.get(tx, typed)
    if card.wallet is None:
        form.fault("payer", N_("This card has no wallet."))
        return None
    return card.wallet.id


def paying_card(session: SessionView) -> str:
    """Return the number of the card that a session names as its payer; empty: nobody pays."""
    return "" if session.wallet_id is None else session.card_uid or session.uid


def local_text(at: datetime | None, timezone: str) -> str:
    """Write a moment for a field of local date and time."""
    return "" if at is None else at.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%dT%H:%M:%S")
