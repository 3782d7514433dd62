"""The review list: sessions and messages that were kept and booked, and that a person should look at."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from onprem_csms.clock import from_text, maybe_from_text
from onprem_csms.db.charging import review as rows
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.charging.review import ReviewRecord
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import N_, NotFound
from onprem_csms.events import Event
from onprem_csms.services.core import audit

KINDS: dict[str, str] = {
    "waits": N_(
        "The bill is beyond what can be, or its time is not known. Nothing is booked until a person books it."
    ),
    "late": N_("The session was reported long after it began."),
    "superseded": N_("A new session began before the charger reported the end of this one."),
    "rebooted": N_("The charger restarted and never reported the end; closed at the last reading."),
    "connector_free": N_("The connector became free before the charger reported the end of the session."),
    "reopened": N_("The charger went on with a session that had been closed here; it was opened again."),
    "repeated_sessions": N_(
        "The same card began again at once; the start fee was taken once. The charger may be faulty."
    ),
    "reached_into_next": N_(
        "The end was told of a time or a meter reading of the next session; it counts to where that began."
    ),
    "corrected": N_("A late report changed the bill of a session that had been closed here."),
    "second_stop": N_("The charger reported the end a second time with another meter reading."),
    "power_without_energy": N_("The charger reported power while its meter stood still."),
    "unit_suspected": N_(
        "The energy is a thousandth of what the reported power gives: the unit may be wrong."
    ),
    "register_gap": N_(
        "The meter does not go on from where it stood: energy before the session, or a register set back."
    ),
    "energy_without_session": N_("Energy flowed while no session ran on the connector."),
    "shared_meter": N_("Two connectors show the same register: they may have one meter."),
    "never_begun": N_(
        "The charger never reported the begin of this session; it counts from its first report."
    ),
    "orphan_stop": N_("The charger reported the end of a session that is not known."),
    "matched_stop": N_("The end came with a wrong transaction; it was matched by card and time."),
    "orphan_readings": N_("The charger sent readings of a session that is not known."),
    "not_allowed": N_("The charger delivered energy although the card was refused."),
    "not_stopping": N_(
        "The charger does not stop this session although it was told to. Limit it, put it out of service, or go there."
    ),
    "below_zero": N_("The session cost more than the balance; the card is blocked."),
    "no_tariff": N_("There was no tariff for a prepaid session; nothing was charged."),
    "broken": N_("The message was broken; what could be read was kept."),
    "clock": N_("The charger's clock was wrong; the time at which its message came counts."),
    "no_meter_stop": N_("The end came without a meter reading; the last reading counts."),
    "negative_register": N_("The meter showed a value below zero."),
    "implausible_energy": N_(
        "The meter jumped further than the connector can deliver; the jump was not charged."
    ),
    "register_went_back": N_("The meter showed less than before; no energy was taken away or added."),
    "register_restarted": N_("The meter began anew in the middle of the session."),
    "faster_than_possible": N_("More energy came than the connector can deliver in the time."),
}


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One thing to look at; ``kind`` is a key of KINDS."""

    id: int
    kind: str
    session_id: int | None
    charger_id: str
    detail: dict[str, Any]
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str
    note: str


def flag_session(tx: Tx, session: Session, kind: str, detail: Mapping[str, Any] | None = None) -> None:
    """Put a session onto the list; each kind once a session."""
    place = (session.id, session.charger_id)
    if rows.insert(tx, f"session:{session.id}:{kind}", kind, place, detail or {}):
        session_rows.set_review(tx, session.id, "open")
        tx.emit(Event("review"))


def flag_words(tx: Tx, session: Session, flags: Iterable[str]) -> None:
    """Put a session onto the list for what was odd about a message of it."""
    for flag in flags:
        if flag in KINDS:
            flag_session(tx, session, flag)


def flag_message(tx: Tx, charger_id: str, kind: str, detail: Mapping[str, Any]) -> None:
    """Put a message of a charger onto the list; the same content once."""
    content = sha256(json.dumps(detail, sort_keys=True, default=str).encode()).hexdigest()[:24]
    if rows.insert(tx, f"message:{charger_id}:{kind}:{content}", kind, (None, charger_id), detail):
        tx.emit(Event("review"))


def follow(tx: Tx, charger_id: str, kind: str, about: str, detail: Mapping[str, Any]) -> None:
    """Put onto the list what goes on and has no session, once for each ``about``; the last detail counts."""
    dedupe = f"{kind}:{charger_id}:{about}"
    if rows.insert(tx, dedupe, kind, (None, charger_id), detail):
        tx.emit(Event("review"))
    else:
        rows.update_detail(tx, dedupe, detail)


def follow_session(tx: Tx, session: Session, kind: str, detail: Mapping[str, Any]) -> None:
    """Put a session onto the list for what goes on with it; the last detail counts."""
    flag_session(tx, session, kind, detail)
    rows.update_detail(tx, f"session:{session.id}:{kind}", detail)
    tx.emit(Event("session", str(session.id)))


def settled(tx: Tx, session: Session, kind: str, note: str = "") -> None:
    """Take away what was unsure of a session and has cleared up since, or what somebody has decided."""
    by = tx.actor.label if tx.actor.is_staff else ""
    for item in rows.of_session(tx, session.id):
        if item.kind == kind and rows.resolve(tx, item.id, by, note):
            if not rows.open_of_session(tx, session.id):
                session_rows.set_review(tx, session.id, "done")
            tx.emit(Event("review"))


def find(tx: Tx, *, open_only: bool = True, before: int | None = None, limit: int = 50) -> list[ReviewItem]:
    """Return the list, newest first."""
    newest = 2**62 if before is None else before
    return [_item(row) for row in rows.find(tx, open_only=open_only, before=newest, limit=limit)]


def of_session(tx: Tx, session_id: int) -> list[ReviewItem]:
    """Return what there is to look at in a session."""
    return [_item(row) for row in rows.of_session(tx, session_id)]


def get(tx: Tx, item_id: int) -> ReviewItem:
    """Return one item; NotFound."""
    row = rows.get(tx, item_id)
    if row is None:
        raise NotFound("There is no review item {id}.", id=item_id)
    return _item(row)


def count_open(tx: Tx) -> int:
    """Count what nobody has looked at."""
    return rows.count_open(tx)


def resolve(tx: Tx, item_id: int, note: str = "") -> ReviewItem:
    """Mark an item as looked at; doing it twice changes nothing. NotFound."""
    item = get(tx, item_id)
    if rows.resolve(tx, item_id, tx.actor.label, note):
        audit.note(tx, "review.resolved", item_id, note=note)
        if item.session_id is not None and not rows.open_of_session(tx, item.session_id):
            session_rows.set_review(tx, item.session_id, "done")
            tx.emit(Event("session", str(item.session_id)))
        tx.emit(Event("review"))
    return get(tx, item_id)


def _item(record: ReviewRecord) -> ReviewItem:
    return ReviewItem(
        record.id,
        record.kind,
        record.session_id,
        record.charger_id,
        json.loads(record.detail),
        from_text(record.created_at),
        maybe_from_text(record.resolved_at),
        record.resolved_by,
        record.note,
    )
