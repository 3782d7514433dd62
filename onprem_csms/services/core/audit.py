"""The record of what operators did."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar

from onprem_csms.clock import from_text
from onprem_csms.db.core import audit as db
from onprem_csms.db.engine.database import Tx

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class AuditLine:
    """``actor`` (an operator's name, an API key's, "system") did ``action`` to ``subject``."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What an operator does, to whom or what; see ``AuditLine``."""

    actor: str
    action: str
    subject: str
    detail: str = ""


def done(tx: Tx, deed: Deed, fn: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a service function and record the deed, both or neither."""
    result = fn(tx, *args, **kwargs)
    note(tx, deed.actor, deed.action, deed.subject, deed.detail)
    return result


def note(tx: Tx, actor: str, action: str, subject: str, detail: str = "") -> None:
    """Record an action, in the transaction that does it. Never hand in a secret."""
    db.insert(tx, actor, action, subject, detail)


def find(tx: Tx, before: int | None = None, limit: int = 50) -> list[AuditLine]:
    """Return lines, newest first; ``before`` is the id to go on from."""
    return [
        AuditLine(row["id"], from_text(row["at"]), row["actor"], row["action"], row["subject"], row["detail"])
        for row in db.find(tx, before, limit)
    ]
