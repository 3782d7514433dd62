"""People: the list, one person with cards and sessions."""

from dataclasses import asdict, dataclass

from aiohttp import web

from onprem_csms.services.cards import cards, people
from onprem_csms.services.cards.cards import Card, CardFilter
from onprem_csms.services.cards.people import NewPerson, Person, PersonFilter
from onprem_csms.services.charging import sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Tx
from onprem_csms.services.money import wallets
from onprem_csms.services.money.wallets import Wallet, WalletFilter
from onprem_csms.web.admin.common import id_of, link, whole
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import NO_FORM, Form, posted
from onprem_csms.web.languages import N_

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """The list that fits the search, each with the cards."""

    people: list[tuple[Person, list[Card]]]
    form: Form
    next: str


@dataclass(frozen=True, slots=True)
class NewPersonPage:
    """The form of a new person."""

    form: Form


@dataclass(frozen=True, slots=True)
class PersonPage:
    """A person with what belongs to them."""

    person: Person
    cards: list[Card]
    wallets: list[Wallet]
    sessions: list[SessionView]
    form: Form


def _find(tx: Tx, wanted: PersonFilter) -> list[tuple[Person, list[Card]]]:
    return [
        (person, cards.find(tx, CardFilter(person_id=person.id, limit=10)))
        for person in people.find(tx, wanted)
    ]


async def show_list(request: web.Request) -> web.StreamResponse:
    """List people."""
    form = Form(dict(request.query))
    wanted = PersonFilter(form.typed.get("text", ""), whole(form.typed.get("after", "")) or 0, PER_PAGE + 1)
    found = await context(request).read(_find, wanted)
    more = link(request, after=found[PER_PAGE - 1][0].id) if len(found) > PER_PAGE else ""
    return render(request, "admin/people.html", PeoplePage(found[:PER_PAGE], form, more))


async def show_new(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the form of a new person."""
    return render(request, "admin/person_new.html", NewPersonPage(form), form.status)


@posted(show_new)
async def create(request: web.Request, form: Form) -> web.StreamResponse:
    """Add a person."""
    new = _read(form)
    person = await context(request).write(people.create, new)
    return redirect(request, f"/admin/people/{person.id}", said=N_("The person was added."))


def _find_one(tx: Tx, person_id: int) -> tuple[Person, list[Card], list[Wallet], list[SessionView]]:
    return (
        people.get(tx, person_id),
        cards.find(tx, CardFilter(person_id=person_id)),
        wallets.find(tx, WalletFilter(person_id=person_id)),
        sessions.find(tx, SessionFilter(person_id=person_id, limit=10)),
    )


async def show(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show a person."""
    found = await context(request).read(_find_one, id_of(request))
    return render(request, "admin/person.html", PersonPage(*found, form), form.status)


@posted(show)
async def save(request: web.Request, form: Form) -> web.StreamResponse:
    """Change what is known of a person."""
    person_id, changed = id_of(request), _read(form)
    await context(request).write(people.change, person_id, asdict(changed))
    return redirect(request, f"/admin/people/{person_id}", said=N_("Saved."))


async def archive(request: web.Request) -> web.StreamResponse:
    """Archive a person."""
    person_id = id_of(request)
    await context(request).write(people.archive, person_id)
    return redirect(request, "/admin/people", said=N_("The person was archived."))


def _read(form: Form) -> NewPerson:
    person = NewPerson(
        name=form.text("name"),
        email=form.text("email", required=False),
        phone=form.text("phone", required=False),
        note=form.text("note", required=False, max_length=2000),
        language=form.choice("language", people.LANGUAGES),
    )
    form.check()
    return person
