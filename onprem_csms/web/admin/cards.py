"""Cards: the list, a new one, one card with its balance, movements and sessions."""

from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from onprem_csms.domain.cards.numbers import desk_uid
from onprem_csms.domain.secrets import choose_pin
from onprem_csms.services.cards import cards, people
from onprem_csms.services.cards.cards import Card, CardFilter, NewCard
from onprem_csms.services.cards.people import Person, PersonFilter
from onprem_csms.services.charging import sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.hashing import in_thread
from onprem_csms.services.money import wallets
from onprem_csms.services.money.wallets import Movement
from onprem_csms.web.admin.common import link, whole
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import NO_FORM, Form, posted
from onprem_csms.web.languages import N_

PER_PAGE = 50
MOST_PEOPLE = 1000


@dataclass(frozen=True, slots=True)
class CardsPage:
    """The list that fits the filter."""

    cards: list[Card]
    form: Form
    filtered: bool
    next: str


@dataclass(frozen=True, slots=True)
class NewCardPage:
    """The form of a new card."""

    people: list[Person]
    form: Form


@dataclass(frozen=True, slots=True)
class CardPage:
    """A card with what was paid with it."""

    card: Card
    movements: list[Movement]
    sessions: list[SessionView]
    people: list[Person]
    form: Form


async def show_list(request: web.Request) -> web.StreamResponse:
    """List cards."""
    form = Form(dict(request.query))
    asked = form.typed
    kinds: dict[str, Any] = {
        "kind": asked.get("type") if asked.get("type") in ("personal", "prepaid") else None,
        "status": asked.get("status") if asked.get("status") in ("active", "blocked", "lost") else None,
    }
    wanted = CardFilter(asked.get("text", ""), after=asked.get("after", ""), limit=PER_PAGE + 1, **kinds)
    found = await context(request).read(cards.find, wanted)
    more = link(request, after=found[PER_PAGE - 1].uid) if len(found) > PER_PAGE else ""
    filtered = any(value for name, value in asked.items() if name != "after")
    return render(request, "admin/cards.html", CardsPage(found[:PER_PAGE], form, filtered, more))


async def show_new(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the form of a new card, for a person when the address names one."""
    offered = await context(request).read(people.find, PersonFilter(limit=MOST_PEOPLE))
    if form is NO_FORM and "person" in request.query:
        form = Form({"person_id": request.query["person"]})
    return render(request, "admin/card_new.html", NewCardPage(offered, form), form.status)


@posted(show_new)
async def create(request: web.Request, form: Form) -> web.StreamResponse:
    """Issue a card; a prepaid one gets an empty balance."""
    form.text("uid", max_length=60)
    values = await _read(request, form)
    form.check()
    new = NewCard(uid=desk_uid(form.text("uid")), **values)
    card = await context(request).write(cards.create, new)
    return redirect(request, f"/admin/cards/{card.uid}", said=N_("The card was issued."))


def _find_one(tx: Tx, uid: str) -> tuple[Card, list[Movement], list[SessionView], list[Person]]:
    card = cards.get(tx, uid)
    return (
        card,
        wallets.movements(tx, card.wallet.id, limit=20) if card.wallet else [],
        sessions.find(tx, SessionFilter(card_id=card.id, limit=20)),
        people.find(tx, PersonFilter(limit=MOST_PEOPLE)),
    )


async def show(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show a card."""
    found = await context(request).read(_find_one, request.match_info["uid"])
    return render(request, "admin/card.html", CardPage(*found, form), form.status)


@posted(show)
async def save(request: web.Request, form: Form) -> web.StreamResponse:
    """Change a card."""
    uid, values = request.match_info["uid"], await _read(request, form)
    form.check()
    await context(request).write(cards.change, uid, values)
    return redirect(request, f"/admin/cards/{uid}", said=N_("Saved."))


@posted(show)
async def block(request: web.Request, form: Form) -> web.StreamResponse:
    """Let a card charge no more."""
    uid = request.match_info["uid"]
    reason = form.text("reason", required=False)
    status = form.choice("status", ("blocked", "lost"), "blocked")
    form.check()
    lost: Literal["blocked", "lost"] = "lost" if status == "lost" else "blocked"
    await context(request).write(cards.block, uid, reason, lost)
    return redirect(request, f"/admin/cards/{uid}", said=N_("The card is blocked. Its balance stays."))


async def unblock(request: web.Request) -> web.StreamResponse:
    """Let a card charge again."""
    uid = request.match_info["uid"]
    await context(request).write(cards.unblock, uid)
    return redirect(request, f"/admin/cards/{uid}", said=N_("The card may charge again."))


async def archive(request: web.Request) -> web.StreamResponse:
    """Archive a card."""
    uid = request.match_info["uid"]
    await context(request).write(cards.archive, uid)
    return redirect(request, "/admin/cards", said=N_("The card was archived."))


async def _read(request: web.Request, form: Form) -> dict[str, Any]:
    """Read the fields that a new card and a changed one share; a PIN only when one was typed."""
    timezone = context(request).settings.timezone
    values: dict[str, Any] = {
        "kind": form.choice("type", ("prepaid", "personal")),
        "person_id": whole(form.typed.get("person_id", "")),
        "label": form.text("label", required=False),
        "group": form.text("group", required=False) or None,
        "expires_at": form.moment("expires_at", timezone),
    }
    pin = form.typed.get("pin", "").strip()
    if pin:
        values["pin_hash"] = await in_thread("driver", choose_pin, pin)
    return values
