"""The record of who did what: a line is written where the deed is done, in its transaction."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from typing import Any, NamedTuple

from onprem_csms.db.core import audit as db
from onprem_csms.db.engine.database import Tx

# What a field of these names holds is never written down, only that it changed.
_SECRET = ("password", "pin", "secret", "digest", "salt", "hash")
HIDDEN = "…"


class Change(NamedTuple):
    """A field before and after."""

    old: object
    new: object


@dataclass(frozen=True, slots=True)
class AuditLine:
    """``actor`` (an operator's name, an API key's, a charger's, "system") did ``action`` to ``subject``.

    ``detail`` tells what changed, from what to what; ``channel`` and ``address`` how the actor came.
    """

    id: int
    at: datetime
    actor: str
    actor_kind: str
    role: str
    channel: str
    address: str
    action: str
    subject: str
    detail: str


def note(tx: Tx, deed: str, subject: object, /, **changes: object) -> None:
    """Record what ``tx.actor`` does, in the transaction that does it; ``changes`` are values or ``Change``."""
    told = {name: _shown(name, value) for name, value in changes.items()}
    db.insert(tx, deed, str(subject), json.dumps(told, ensure_ascii=False, default=str))


def differences(before: Any, after: Any) -> dict[str, Change]:
    """Return the fields in which two records (or mappings of the same kind) differ."""
    old, new = _fields(before), _fields(after)
    return {name: Change(old.get(name), value) for name, value in new.items() if old.get(name) != value}


def find(tx: Tx, before: int | None = None, limit: int = 50) -> list[AuditLine]:
    """Return lines, newest first; ``before`` is the id to go on from."""
    return [
        AuditLine(**{**record._asdict(), "detail": _sentence(record.detail)})
        for record in db.find(tx, before, limit)
    ]


def _fields(record: Any) -> Mapping[str, Any]:
    if is_dataclass(record) and not isinstance(record, type):
        return asdict(record)
    fields: Mapping[str, Any] = record if isinstance(record, Mapping) else record._asdict()
    return fields


def _shown(name: str, value: object) -> object:
    if any(word in name for word in _SECRET):
        return HIDDEN
    return list(value) if isinstance(value, Change) else value


def _sentence(detail: str) -> str:
    try:
        told = json.loads(detail)
    except ValueError:
        return detail
    if not isinstance(told, dict):
        return detail
    return "; ".join(_phrase(name, value) for name, value in told.items() if value not in ("", None))


def _phrase(name: str, value: object) -> str:
    if isinstance(value, list) and len(value) == 2:
        old, new = ("–" if one in ("", None) else one for one in value)
        return f"{name}: {old} → {new}"
    return f"{name}: {value}"
