"""``/people``: who carries the cards."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from onprem_csms.services.cards import people
from onprem_csms.web.api.fields import Given, Page, Paged, Text, Words, after, given, page, shown
from onprem_csms.web.api.route import Call, Created, place

Language = Annotated[Literal["", "en", "hu"], Meta(description="Empty: the site's language.")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Person(Struct, frozen=True, kw_only=True):
    """A person who is known to the site."""

    id: int
    name: str
    email: str
    phone: str
    note: str
    language: str
    created_at: datetime


class NewPerson(Given, frozen=True, kw_only=True):
    """A person to add."""

    name: Name
    email: Text = ""
    phone: Text = ""
    note: Text = ""
    language: Language = ""


class PersonChange(Given, frozen=True, kw_only=True):
    """What changes of a person."""

    name: Name | UnsetType = UNSET
    email: Text | UnsetType = UNSET
    phone: Text | UnsetType = UNSET
    note: Text | UnsetType = UNSET
    language: Language | UnsetType = UNSET


class PeopleQuery(Paged, frozen=True, kw_only=True):
    """Which people: ``text`` are words of name, e-mail address or phone."""

    text: Words = ""


async def find(call: Call[None, PeopleQuery]) -> Page[Person]:
    """List people."""
    query = call.query
    wanted = people.PersonFilter(query.text, after(query), query.limit + 1)
    found = await call.read(people.find, wanted)
    return page(found, query.limit, show, lambda person: person.id)


async def get(call: Call[None, None]) -> Person:
    """Show one person."""
    return show(await call.read(people.get, call.number()))


async def create(call: Call[NewPerson, None]) -> Created[Person]:
    """Add a person."""
    person = await call.write(people.create, people.NewPerson(**given(call.body)))
    return Created(show(person), place("people", person.id))


async def change(call: Call[PersonChange, None]) -> Person:
    """Change some fields of a person."""
    return show(await call.write(people.change, call.number(), given(call.body)))


async def remove(call: Call[None, None]) -> None:
    """Archive a person."""
    await call.write(people.archive, call.number())


def show(person: people.Person) -> Person:
    """Show a person as JSON."""
    return shown(person, Person)
