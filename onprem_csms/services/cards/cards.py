"""Cards: who carries them, what they pay from, whether they may charge.

A card has an identity of its own: its number issued again, or another card in its place, is another card.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from onprem_csms.db.cards import cards as rows
from onprem_csms.db.cards.cards import CardCriteria, CardKind, CardRecord, CardStatus, CardValues
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.cards.numbers import canonical_uid
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.cards import people
from onprem_csms.services.cards.access import end_access
from onprem_csms.services.core import audit, search, tries
from onprem_csms.services.core.audit import Change
from onprem_csms.services.money import wallets
from onprem_csms.services.money.wallets import Wallet

LONGEST_TEXT = 200
# OCPP 1.6 IdToken, 2.0.1 IdTokenType: what a group's name may be on the wire.
LONGEST_GROUP = 20


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to issue; ``group`` is whose members may stop each other's sessions.

    A prepaid one without ``wallet_id`` gets an empty wallet in ``currency`` (else the site's). ``pin_hash``
    is what ``hash_pin`` made.
    """

    uid: str
    kind: CardKind
    status: CardStatus = "active"
    expires_at: datetime | None = None
    group: str | None = None
    label: str = ""
    person_id: int | None = None
    wallet_id: int | None = None
    currency: str | None = None
    pin_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A card that was issued; ``wallet`` is what a prepaid one pays from.

    ``holder_since``: what came before it concerns another holder. ``archived``: out of use for good.
    """

    id: int
    uid: str
    kind: CardKind
    status: CardStatus
    status_reason: str
    expires_at: datetime | None
    group: str | None
    label: str
    person_id: int | None
    person_name: str | None
    holder_since: datetime
    wallet: Wallet | None
    has_pin: bool
    created_at: datetime
    archived: bool


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Which cards: every word of ``text`` is in number, label, group or holder; ``after``: the last seen."""

    text: str = ""
    kind: CardKind | None = None
    status: CardStatus | None = None
    person_id: int | None = None
    wallet_id: int | None = None
    after: str = ""
    limit: int = 50


def create(tx: Tx, card: NewCard) -> Card:
    """Issue a card; Invalid with its path, Conflict when its number is issued already."""
    uid = canonical_uid(card.uid)
    if rows.by_uid(tx, uid) is not None:
        raise Conflict("This card is already issued.", path="uid")
    values = _values(tx, _checked(tx, replace(card, uid=uid)))
    card_id = rows.insert(tx, values)
    audit.note(
        tx, "card.issue", uid, kind=values.kind, person_id=values.person_id, wallet_id=values.wallet_id
    )
    return _changed(tx, card_id)


def get(tx: Tx, uid: str) -> Card:
    """Return the card in use that has a number; NotFound."""
    return _card(tx, _record(tx, uid))


def by_id(tx: Tx, card_id: int) -> Card:
    """Return a card by its identity, archived ones too; NotFound."""
    record = rows.by_id(tx, card_id)
    if record is None:
        raise NotFound("There is no card {id}.", id=card_id)
    return _card(tx, record)


def find(tx: Tx, wanted: CardFilter) -> list[Card]:
    """Return cards in the order of their numbers."""
    text = wanted.text.strip()
    limit = -1 if text else wanted.limit
    owner = (wanted.person_id, wanted.wallet_id)
    found = rows.page(tx, CardCriteria(wanted.after, wanted.kind, wanted.status, *owner, limit))
    hits = (record for record in found if not text or _mentions(record, text))
    return [_card(tx, record) for record in islice(hits, wanted.limit)]


def change(tx: Tx, uid: str, changes: Mapping[str, Any]) -> Card:
    """Change fields of ``NewCard`` (not the number) and ``status_reason``; NotFound, Invalid with its path.

    A card that becomes prepaid gets a wallet unless one is given. The reason of a state goes with it.
    """
    before = _record(tx, uid)
    fields = dict(changes)
    reason = fields.pop("status_reason", None)
    wanted = replace(_new_card(before), **fields)
    if wanted.wallet_id is None and wanted.kind == before.kind == "prepaid":
        raise Invalid("A prepaid card needs a wallet.", path="wallet_id")
    if reason is None:
        reason = before.status_reason if wanted.status == before.status else ""
    values = _values(tx, _checked(tx, wanted), before)
    return _write(tx, before, values._replace(status_reason=reason.strip()[:LONGEST_TEXT]))


def block(tx: Tx, uid: str, reason: str, status: Literal["blocked", "lost"] = "blocked") -> Card:
    """Let a card charge no more, and say why; its balance stays. NotFound."""
    return set_status(tx, _record(tx, uid), status, reason.strip())


def unblock(tx: Tx, uid: str) -> Card:
    """Let a card charge again; NotFound."""
    return set_status(tx, _record(tx, uid), "active", "")


def set_status(tx: Tx, record: CardRecord, status: CardStatus, reason: str) -> Card:
    """Give a card another state; the access of its holder ends with any but an active one."""
    rows.set_status(tx, record, status, reason[:LONGEST_TEXT])
    deed = "card.unblock" if status == "active" else "card.block"
    audit.note(tx, deed, record.uid, status=Change(record.status, status), reason=reason[:LONGEST_TEXT])
    if status != "active":
        end_access(tx, record.id)
    return _changed(tx, record.id)


def archive(tx: Tx, uid: str) -> None:
    """Archive a card; its wallet and its sessions stay. NotFound."""
    _archive(tx, _record(tx, uid))


def replace_card(tx: Tx, uid: str, new_uid: str) -> Card:
    """Issue another card in the place of a lost or broken one, with its holder, wallet and group, without its PIN.

    The same number again is the same plastic issued anew. NotFound, Invalid, Conflict as ``create``.
    """
    former = _record(tx, uid)
    _archive(tx, former)
    card = create(tx, replace(_new_card(former), uid=new_uid, status="active", pin_hash=None))
    rows.set_replaced_by(tx, former, card.id)
    audit.note(tx, "card.replaced", former.uid, uid=Change(former.uid, card.uid))
    return card


def _archive(tx: Tx, record: CardRecord) -> None:
    rows.archive(tx, record)
    audit.note(tx, "card.archived", record.uid)
    end_access(tx, record.id)
    tx.emit(Event("token", record.uid))


def _write(tx: Tx, before: CardRecord, values: CardValues) -> Card:
    rows.update(tx, before.id, values)
    changed = audit.differences(before, values)
    if changed:
        audit.note(tx, "card.pin" if set(changed) == {"pin_hash"} else "card.changed", before.uid, **changed)
    stopped = values.status not in {before.status, "active"}
    if values.pin_hash != before.pin_hash:
        tries.forget(tx, "driver", before.uid)
    if stopped or (values.person_id, values.pin_hash) != (before.person_id, before.pin_hash):
        end_access(tx, before.id)
    return _changed(tx, before.id)


def _record(tx: Tx, uid: str) -> CardRecord:
    record = rows.by_uid(tx, uid) or rows.by_uid(tx, uid.strip().upper())
    if record is None:
        raise NotFound("There is no card {uid}.", uid=uid)
    return record


def _changed(tx: Tx, card_id: int) -> Card:
    card = by_id(tx, card_id)
    tx.emit(Event("token", card.uid))
    return card


def _checked(tx: Tx, card: NewCard) -> NewCard:
    """Return a card that may be stored so, with the wallet that a prepaid one lacked; Invalid with every fault."""
    faults = [(fault.path, fault.message) for fault in _faults(tx, card)]
    if faults:
        raise Invalid("The card's data has faults.", faults=faults)
    if card.kind == "prepaid" and card.wallet_id is None:
        currency = card.currency or tx.settings.currency
        card = replace(card, wallet_id=wallets.create(tx, currency, card.label.strip(), card.person_id))
    return card


def _faults(tx: Tx, card: NewCard) -> Iterator[Invalid]:
    if len((card.group or "").strip()) > LONGEST_GROUP:
        yield Invalid("A group's name has 20 characters at most.", path="group")
    if len(card.label.strip()) > LONGEST_TEXT:
        yield Invalid("This text is too long.", path="label")
    if card.person_id is not None and not _exists(people.get, tx, card.person_id):
        yield Invalid("There is no such person.", path="person_id")
    if card.wallet_id is not None and not _exists(wallets.get, tx, card.wallet_id):
        yield Invalid("There is no such wallet.", path="wallet_id")


def _exists(get_one: Callable[[Tx, int], object], tx: Tx, number: int) -> bool:
    try:
        get_one(tx, number)
    except NotFound:
        return False
    return True


def _values(tx: Tx, card: NewCard, before: CardRecord | None = None) -> CardValues:
    same_holder = before is not None and before.person_id in (None, card.person_id)
    return CardValues(
        uid=card.uid,
        kind=card.kind,
        status=card.status,
        status_reason="",
        expires_at=card.expires_at,
        group=(card.group or "").strip() or None,
        label=card.label.strip(),
        person_id=card.person_id,
        holder_since=before.holder_since if before is not None and same_holder else tx.now,
        wallet_id=card.wallet_id,
        pin_hash=card.pin_hash,
    )


def _new_card(record: CardRecord) -> NewCard:
    return NewCard(
        uid=record.uid,
        kind=record.kind,
        status=record.status,
        expires_at=record.expires_at,
        group=record.group,
        label=record.label,
        person_id=record.person_id,
        wallet_id=record.wallet_id,
        pin_hash=record.pin_hash,
    )


def _card(tx: Tx, record: CardRecord) -> Card:
    return Card(
        id=record.id,
        uid=record.uid,
        kind=record.kind,
        status=record.status,
        status_reason=record.status_reason,
        expires_at=record.expires_at,
        group=record.group,
        label=record.label,
        person_id=record.person_id,
        person_name=record.person_name,
        holder_since=record.holder_since,
        wallet=None if record.wallet_id is None else wallets.get(tx, record.wallet_id),
        has_pin=record.pin_hash is not None,
        created_at=record.created_at,
        archived=record.archived_at is not None,
    )


def _mentions(record: CardRecord, text: str) -> bool:
    return search.matches(text, record.uid, record.label, record.group, record.person_name)
