"""What is on record about a charger: raw messages, deviations, notices, its days as intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from onprem_csms.clock import from_millis, to_millis
from onprem_csms.db.chargers import chargers as rows
from onprem_csms.db.chargers import intervals
from onprem_csms.db.chargers import messages as message_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import Charger
from onprem_csms.domain.chargers.records import ConnectionSpan, Notice, Quirk, StatusSpan
from onprem_csms.services.chargers import inventory

_NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it was on the wire; ``in`` came from the charger."""

    id: int
    at: datetime
    direction: Literal["in", "out"]
    text: str


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages: of one direction (empty: both), that hold a text, before an id, since a time."""

    direction: Literal["", "in", "out"] = ""
    text: str = ""
    before: int | None = None
    since: datetime | None = None
    limit: int = 100

    @property
    def searches(self) -> bool:
        """Whether many messages have to be looked at for few: no matter for the pages' reader."""
        return bool(self.text or self.direction)


@dataclass(frozen=True, slots=True)
class Record:
    """A charger, and how it deviates from its protocol, the most frequent first."""

    charger: Charger
    quirks: Sequence[Quirk]


def record(tx: Tx, charger_id: str) -> Record:
    """Return one charger with its deviations; NotFound."""
    return Record(inventory.get(tx, charger_id), rows.quirks(tx, charger_id))


def find_records(tx: Tx, text: str, after: str, limit: int) -> list[Record]:
    """Return chargers with their deviations, see ``inventory.find``."""
    found = inventory.find(tx, text=text, after=after, limit=limit)
    return [Record(charger, rows.quirks(tx, charger.id)) for charger in found]


def messages(tx: Tx, charger_id: str, *, before: int | None = None, limit: int = 100) -> list[RawMessage]:
    """Return raw messages, newest first."""
    return search_messages(tx, charger_id, MessageFilter(before=before, limit=limit))


def search_messages(tx: Tx, charger_id: str, wanted: MessageFilter) -> list[RawMessage]:
    """Return raw messages that fit a filter, newest first; NotFound where there is no such charger."""
    inventory.check_known(tx, charger_id)
    search = message_rows.Search(
        incoming={"in": True, "out": False}.get(wanted.direction),
        text=wanted.text,
        before=message_rows.NEWEST if wanted.before is None else wanted.before,
        since_millis=0 if wanted.since is None else to_millis(wanted.since),
        limit=wanted.limit,
    )
    return [
        RawMessage(row.id, from_millis(row.millis), "in" if row.incoming else "out", row.text)
        for row in message_rows.find(tx, charger_id, search)
    ]


def quirks(tx: Tx, charger_id: str) -> list[Quirk]:
    """Return how a charger deviates from its protocol, the most frequent first."""
    return rows.quirks(tx, charger_id)


def notices(tx: Tx, charger_id: str, *, before: int | None = None, limit: int = 50) -> list[Notice]:
    """Return what a charger told of itself, newest first."""
    return rows.notices(tx, charger_id, before=_NEWEST if before is None else before, limit=limit)


def statuses(tx: Tx, charger_id: str, since: datetime, until: datetime) -> list[StatusSpan]:
    """Return the statuses of all connectors that touch a span, by connector and begin."""
    return intervals.statuses(tx, charger_id, since, until)


def connections(tx: Tx, charger_id: str, since: datetime, until: datetime) -> list[ConnectionSpan]:
    """Return the connections that touch a span, by begin."""
    return intervals.connections(tx, charger_id, since, until)
