"""People: who carries the cards."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from onprem_csms.db.cards import cards, people
from onprem_csms.db.cards.people import PersonRecord, PersonValues
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.core import audit
from onprem_csms.services.core.search import matches

LONGEST_FIELD = 200
LONGEST_NOTE = 2000
LANGUAGES = ("", "en", "hu")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What is told of a person; ``language`` is "en", "hu" or empty for the site's own."""

    name: str
    email: str = ""
    phone: str = ""
    note: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A person who is known to the site."""

    id: int
    name: str
    email: str
    phone: str
    note: str
    language: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PersonFilter:
    """Which people: every word of ``text`` is in name, address or phone; ``after``: the last id seen."""

    text: str = ""
    after: int = 0
    limit: int = 50


def create(tx: Tx, person: NewPerson) -> Person:
    """Add a person; Invalid with every fault."""
    person_id = people.insert(tx, _checked(person))
    audit.note(tx, "person.added", person_id, name=person.name.strip())
    tx.emit(Event("person", str(person_id)))
    return get(tx, person_id)


def get(tx: Tx, person_id: int) -> Person:
    """Return a person; NotFound."""
    record = people.by_id(tx, person_id)
    if record is None:
        raise NotFound("There is no person {id}.", id=person_id)
    return _person(record)


def find(tx: Tx, wanted: PersonFilter) -> list[Person]:
    """Return people in the order of their ids."""
    if not wanted.text.strip():
        return [_person(record) for record in people.page(tx, wanted.after, wanted.limit)]
    # SQLite compares letters beyond ASCII only as they are; a site's people are few enough to look at.
    everybody = people.page(tx, wanted.after, -1)
    hits = (one for one in everybody if matches(wanted.text, one.name, one.email, one.phone))
    return [_person(record) for record in islice(hits, wanted.limit)]


def change(tx: Tx, person_id: int, changes: Mapping[str, str]) -> Person:
    """Change some fields of ``NewPerson``; NotFound, Invalid with every fault."""
    person = get(tx, person_id)
    now = NewPerson(person.name, person.email, person.phone, person.note, person.language)
    checked = _checked(replace(now, **changes))
    people.update(tx, person_id, checked)
    if changed := audit.differences(now, checked):
        audit.note(tx, "person.changed", person_id, **changed)
    tx.emit(Event("person", str(person_id)))
    return get(tx, person_id)


def archive(tx: Tx, person_id: int) -> None:
    """Archive a person; NotFound, or Conflict while they carry cards."""
    get(tx, person_id)
    if cards.count_of_person(tx, person_id):
        raise Conflict("This person still has cards. Give them to somebody else or remove them first.")
    people.archive(tx, person_id)
    audit.note(tx, "person.archived", person_id)
    tx.emit(Event("person", str(person_id)))


def _checked(person: NewPerson) -> PersonValues:
    told = (person.name, person.email, person.phone, person.note, person.language)
    values = PersonValues(*(text.strip() for text in told))
    faults = [(fault.path, fault.message) for fault in _faults(values)]
    if faults:
        raise Invalid("The person's data has faults.", faults=faults)
    return values


def _faults(values: PersonValues) -> Iterator[Invalid]:
    if not values.name:
        yield Invalid("A person needs a name.", path="name")
    if values.email and not _EMAIL.fullmatch(values.email):
        yield Invalid("This is no e-mail address.", path="email")
    if values.language not in LANGUAGES:
        yield Invalid("The language must be en or hu.", path="language")
    for field, text in values._asdict().items():
        if len(text) > (LONGEST_NOTE if field == "note" else LONGEST_FIELD):
            yield Invalid("This text is too long.", path=field)


def _person(record: PersonRecord) -> Person:
    return Person(*record)
