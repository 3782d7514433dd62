"""Tariffs: price lists with their versions, and which one holds where and for whom.

A version is never changed: whoever changes prices makes the next one, and a session keeps the id of the
version it began with. ``version(tx, id)`` reads one again at any time, also of an archived tariff; the
writer remembers the ones in use.

The nearest word counts: the person's, the card's group's, the connector's, the charger's, the site's.
Connectors and chargers are named a tariff in their own settings; an assignment with its date goes before that.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from onprem_csms.clock import from_millis, to_millis
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import currencies, tariffs
from onprem_csms.db.money.tariffs import AssignmentRow, Key, Priced, TariffRow, VersionRow
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.domain.money.tariffs import Tariff, tariff_from_json, tariff_to_json
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.core import audit

Scope = Literal["person", "group", "connector", "charger", "site"]


class Subject(NamedTuple):
    """Whom or what an assignment is for: ``name`` is a person's id, a group, a charger's identity, '' for the site."""

    scope: Scope
    name: str = ""
    evse: int = 0
    connector: int = 0


class Payer(NamedTuple):
    """Who charges, as far as a tariff depends on it."""

    person_id: int | None = None
    group: str | None = None


ANYBODY = Payer()


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """The prices of a tariff from ``valid_from`` on; unchangeable."""

    id: int
    tariff_id: int
    number: int
    valid_from: datetime
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class StoredTariff:
    """A tariff with its number and its present version; ``is_default`` where nothing else is named."""

    id: int
    name: str
    currency: str
    tariff: Tariff
    is_default: bool
    created_at: datetime
    updated_at: datetime
    version_id: int
    version: int
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """A subject's tariff from a moment on, None for no tariff of its own any more."""

    subject: Subject
    tariff_id: int | None
    valid_from: datetime


def create(tx: Tx, tariff: Tariff, *, is_default: bool = False) -> StoredTariff:
    """Store a tariff; the first one is the default, so that nobody charges for nothing by oversight."""
    first = tariffs.default(tx) is None
    currencies.keep(tx, currency_of(tariff.currency))
    tariff_id = tariffs.insert(tx, tariff.name, tariff.currency)
    tariffs.insert_version(tx, tariff_id, to_millis(tx.now), _definition(tariff))
    if is_default or first:
        tariffs.make_default(tx, tariff_id)
    audit.note(tx, "tariff.added", tariff_id, **tariff_to_json(tariff))
    return _changed(tx, tariff_id)


def get(tx: Tx, tariff_id: int) -> StoredTariff:
    """Return a tariff; NotFound."""
    return _present(tx, _priced(tx, tariff_id))


def find(tx: Tx, after: int = 0, limit: int = 200) -> list[StoredTariff]:
    """Return tariffs in the order of their ids."""
    return [get(tx, row.id) for row in tariffs.page(tx, after, limit)]


def change(tx: Tx, tariff_id: int, tariff: Tariff, valid_from: datetime | None = None) -> StoredTariff:
    """Give a tariff its next version, from now on or from a later moment; NotFound, Invalid for an earlier one.

    Sessions keep the version they began with. What changes nothing makes no version.
    """
    stored = get(tx, tariff_id)
    begin = tx.now if valid_from is None else valid_from
    if begin < tx.now:
        raise Invalid("Prices can't be changed for the past.", path="valid_from")
    if valid_from is None and tariff == stored.tariff:
        return stored
    tariffs.insert_version(tx, tariff_id, to_millis(begin), _definition(tariff))
    if begin == tx.now:
        currencies.keep(tx, currency_of(tariff.currency))
        tariffs.rename(tx, tariff_id, tariff.name, tariff.currency)
    changed = audit.differences(tariff_to_json(stored.tariff), tariff_to_json(tariff))
    audit.note(tx, "tariff.changed", tariff_id, valid_from=begin.isoformat(), **changed)
    return _changed(tx, tariff_id)


def versions(tx: Tx, tariff_id: int) -> list[TariffVersion]:
    """Return every version of a tariff, the first one first, those to come too; NotFound."""
    return [_version(row) for row in _priced(tx, tariff_id).versions]


def version(tx: Tx, version_id: int) -> TariffVersion:
    """Return a version by its id, also of an archived tariff; NotFound. The writer remembers it."""
    row = tariffs.version(tx, version_id)
    if row is None:
        raise NotFound("There is no tariff version {id}.", id=version_id)
    return _version(row)


def make_default(tx: Tx, tariff_id: int) -> StoredTariff:
    """Let this tariff hold wherever no other is named; NotFound."""
    get(tx, tariff_id)
    tariffs.make_default(tx, tariff_id)
    audit.note(tx, "tariff.default", tariff_id)
    return _changed(tx, tariff_id)


def archive(tx: Tx, tariff_id: int) -> None:
    """Archive a tariff; NotFound, Conflict while it is in use or the default beside others."""
    stored = get(tx, tariff_id)
    users = [*tariffs.users(tx, tariff_id), *_assigned(tx, tariff_id)]
    if users:
        raise Conflict("This tariff is in use at {chargers}.", chargers=", ".join(users))
    if stored.is_default and tariffs.count(tx) > 1:
        raise Conflict("This is the default tariff. Make another one the default first.")
    tariffs.archive(tx, tariff_id)
    audit.note(tx, "tariff.archived", tariff_id)
    tx.emit(Event("tariff", str(tariff_id)))


def assign(tx: Tx, assignment: Assignment) -> None:
    """Let a tariff hold for a subject from a moment on; NotFound, Invalid for a moment that is past.

    What was assigned before holds until then, so that a later look at an older session finds the same answer.
    """
    if assignment.tariff_id is not None:
        get(tx, assignment.tariff_id)
    if assignment.valid_from < tx.now:
        raise Invalid("A tariff can't be assigned for the past.", path="valid_from")
    tariffs.assign(
        tx, AssignmentRow(0, *assignment.subject, to_millis(assignment.valid_from), assignment.tariff_id)
    )
    whom = " ".join(str(part) for part in assignment.subject if part)
    audit.note(
        tx, "tariff.assigned", whom, tariff=assignment.tariff_id, since=assignment.valid_from.isoformat()
    )
    tx.emit(Event("tariff", str(assignment.tariff_id or "")))


def assignments(tx: Tx) -> list[Assignment]:
    """Return every assignment, those that are over or to come too."""
    return [
        Assignment(Subject(*key), row.tariff_id, from_millis(row.valid_from))  # type: ignore[arg-type]
        for key, dated in tariffs.assignments(tx).items()
        for row in dated
    ]


def for_connector(tx: Tx, charger_id: str, place: Place) -> StoredTariff | None:
    """Return what holds for anybody at a place."""
    return price_for(tx, charger_id, place)


def price_for(tx: Tx, charger_id: str, place: Place, payer: Payer = ANYBODY) -> StoredTariff | None:
    """Return the tariff, in its present version, that holds for somebody at a place; None when there is none.

    An archived tariff that something still names does not hold; the next nearest does.
    """
    for tariff_id in _candidates(tx, charger_id, place, payer):
        priced = tariffs.priced(tx, tariff_id)
        if priced is not None:
            return _present(tx, priced)
    return None


def _candidates(tx: Tx, charger_id: str, place: Place, payer: Payer) -> Iterator[int]:
    """Name what holds, the nearest first."""
    connector, charger = tariffs.named(tx, charger_id, place)
    dated, now = tariffs.assignments(tx), to_millis(tx.now)
    steps: tuple[tuple[Key, int | None], ...] = (
        (("person", str(payer.person_id), 0, 0), None),
        (("group", payer.group or "", 0, 0), None),
        (("connector", charger_id, *place), connector),
        (("charger", charger_id, 0, 0), charger),
        (("site", "", 0, 0), tariffs.default(tx)),
    )
    for key, otherwise in steps:
        assigned = _holding(dated[key], now) if key in dated else None
        if assigned is not None:
            yield assigned
        if otherwise is not None:
            yield otherwise


def _holding(dated: Iterable[AssignmentRow], now: int) -> int | None:
    found = None
    for row in dated:
        if row.valid_from <= now:
            found = row.tariff_id
    return found


def _assigned(tx: Tx, tariff_id: int) -> list[str]:
    """Name the subjects for which a tariff holds now or later."""
    now, found = to_millis(tx.now), []
    for (scope, subject, _, _), dated in tariffs.assignments(tx).items():
        later = {row.tariff_id for row in dated if row.valid_from > now}
        if tariff_id in later or tariff_id == _holding(dated, now):
            found.append(f"{scope} {subject}".strip())
    return found


def _priced(tx: Tx, tariff_id: int) -> Priced:
    priced = tariffs.priced(tx, tariff_id)
    if priced is None:
        raise NotFound("There is no tariff {id}.", id=tariff_id)
    return priced


def _changed(tx: Tx, tariff_id: int) -> StoredTariff:
    tx.emit(Event("tariff", str(tariff_id)))
    return get(tx, tariff_id)


def _definition(tariff: Tariff) -> str:
    return json.dumps(tariff_to_json(tariff), ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=256)
def _parsed(definition: str) -> Tariff:
    # Every start of a session asks for one of a few tariffs.
    return tariff_from_json(json.loads(definition))


def _version(row: VersionRow) -> TariffVersion:
    return TariffVersion(
        row.id, row.tariff_id, row.version, from_millis(row.valid_from), _parsed(row.definition)
    )


def _present(tx: Tx, priced: Priced) -> StoredTariff:
    now = to_millis(tx.now)
    # A clock that was set back leaves no version that has begun: the first one holds.
    begun = [one for one in priced.versions if one.valid_from <= now] or priced.versions[:1]
    return _stored(priced.tariff, max(begun, key=lambda one: (one.valid_from, one.version)))


@lru_cache(maxsize=256)
def _stored(row: TariffRow, present: VersionRow) -> StoredTariff:
    tariff = _parsed(present.definition)
    return StoredTariff(
        id=row.id,
        name=tariff.name,
        currency=tariff.currency,
        tariff=tariff,
        is_default=row.is_default,
        created_at=from_millis(row.created_at),
        updated_at=from_millis(present.created_at),
        version_id=present.id,
        version=present.version,
        valid_from=from_millis(present.valid_from),
    )
