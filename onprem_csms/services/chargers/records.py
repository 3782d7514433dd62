"""What is on record about a charger: raw messages, deviations, notices, its days as intervals."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from onprem_csms.clock import from_millis, from_text, maybe_from_text, to_millis, to_text
from onprem_csms.db.chargers import chargers as rows
from onprem_csms.db.chargers import intervals
from onprem_csms.db.chargers import messages as message_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place

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


@dataclass(frozen=True, slots=True)
class Quirk:
    """How often a charger deviated in one way; the kinds are listed in docs/chargers.md."""

    kind: str
    times: int
    first_at: datetime
    last_at: datetime
    example: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a charger told of itself, in its own words."""

    id: int
    at: datetime
    kind: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StatusSpan:
    """A connector was in one status; ``until`` None: it still is."""

    evse: int
    connector: int
    status: str
    error_code: str
    since: datetime
    until: datetime | None

    @property
    def place(self) -> Place:
        """Of which connector."""
        return Place(self.evse, self.connector)


@dataclass(frozen=True, slots=True)
class ConnectionSpan:
    """A charger was connected; ``until`` None: it still is."""

    protocol: str
    remote: str
    since: datetime
    until: datetime | None
    reason: str


def messages(tx: Tx, charger_id: str, *, before: int | None = None, limit: int = 100) -> list[RawMessage]:
    """Return raw messages, newest first."""
    return search_messages(tx, charger_id, MessageFilter(before=before, limit=limit))


def search_messages(tx: Tx, charger_id: str, wanted: MessageFilter) -> list[RawMessage]:
    """Return raw messages that fit a filter, newest first."""
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
    return [
        Quirk(
            row["kind"], row["times"], from_text(row["first_at"]), from_text(row["last_at"]), row["example"]
        )
        for row in rows.quirks(tx, charger_id)
    ]


def notices(tx: Tx, charger_id: str, *, before: int | None = None, limit: int = 50) -> list[Notice]:
    """Return what a charger told of itself, newest first."""
    found = rows.notices(tx, charger_id, before=_NEWEST if before is None else before, limit=limit)
    return [Notice(row["id"], from_text(row["at"]), row["kind"], json.loads(row["detail"])) for row in found]


def statuses(tx: Tx, charger_id: str, since: datetime, until: datetime) -> list[StatusSpan]:
    """Return the statuses of all connectors that touch a span, by connector and begin."""
    return [
        StatusSpan(
            row["evse"],
            row["connector"],
            row["status"],
            row["error_code"],
            from_text(row["from_at"]),
            maybe_from_text(row["until_at"]),
        )
        for row in intervals.statuses(tx, charger_id, to_text(since), to_text(until))
    ]


def connections(tx: Tx, charger_id: str, since: datetime, until: datetime) -> list[ConnectionSpan]:
    """Return the connections that touch a span, by begin."""
    return [
        ConnectionSpan(
            row["protocol"],
            row["remote"],
            from_text(row["from_at"]),
            maybe_from_text(row["until_at"]),
            row["reason"],
        )
        for row in intervals.connections(tx, charger_id, to_text(since), to_text(until))
    ]
