"""The table ``cards``: a row for each issue of a card; its number is unique among those in use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from onprem_csms.clock import from_millis, maybe_from_millis, maybe_millis, to_millis
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.tx import Tx

CardKind = Literal["personal", "prepaid"]
CardStatus = Literal["active", "blocked", "lost"]

_SELECT = """
    SELECT
        cards.id,
        cards.uid,
        cards.kind,
        cards.status,
        cards.status_reason,
        cards.expires_at,
        cards.group_name,
        cards.label,
        cards.person_id,
        people.name AS person_name,
        cards.holder_since,
        cards.wallet_id,
        cards.pin_hash,
        cards.created_at,
        cards.archived_at
    FROM cards
    LEFT JOIN people ON people.id = cards.person_id
"""


class CardValues(NamedTuple):
    """What can be written of a card; ``holder_since`` is when the present holder got it from another one."""

    uid: str
    kind: CardKind
    status: CardStatus
    status_reason: str
    expires_at: datetime | None
    group: str | None
    label: str
    person_id: int | None
    holder_since: datetime
    wallet_id: int | None
    pin_hash: str | None


class CardRecord(NamedTuple):
    """A card as it is stored; ``archived_at`` is None while it is in use."""

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
    wallet_id: int | None
    pin_hash: str | None
    created_at: datetime
    archived_at: datetime | None


class CardCriteria(NamedTuple):
    """Which cards in use, by number: from beyond ``after``, at most ``limit`` (-1: all); None does not matter."""

    after: str = ""
    kind: CardKind | None = None
    status: CardStatus | None = None
    person_id: int | None = None
    wallet_id: int | None = None
    limit: int = -1


# Four times in every session; whoever writes a card or a person's name drops it.
_BY_ID: Cache[int, CardRecord] = Cache("cards by id", 20_000)
_BY_UID: Cache[str, CardRecord] = Cache("cards by number", 20_000)


def insert(tx: Tx, values: CardValues) -> int:
    """Add a card; returns its id."""
    card_id = tx.insert(
        """
        INSERT INTO cards (
            uid,
            kind,
            status,
            status_reason,
            expires_at,
            group_name,
            label,
            person_id,
            holder_since,
            wallet_id,
            pin_hash,
            created_at,
            updated_at
        )
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (values.uid, *_columns(values), to_millis(tx.now), to_millis(tx.now)),
    )
    changed(tx, card_id, values.uid)
    return card_id


def by_uid(tx: Tx, uid: str) -> CardRecord | None:
    """Return the card in use that has a number."""
    known = _BY_UID.get(tx, uid)
    if known is None:
        row = tx.one(_SELECT + "WHERE cards.uid = ? AND cards.archived_at IS NULL", (uid,))
        if row is not None:
            known = _card(row)
            _BY_UID.set(tx, uid, known)
    return known


def by_id(tx: Tx, card_id: int) -> CardRecord | None:
    """Return a card, in use or archived."""
    known = _BY_ID.get(tx, card_id)
    if known is None:
        row = tx.one(_SELECT + "WHERE cards.id = ?", (card_id,))
        if row is not None:
            known = _card(row)
            _BY_ID.set(tx, card_id, known)
    return known


def changed(tx: Tx, card_id: int, uid: str) -> None:
    """Forget what is remembered of a card."""
    _BY_UID.drop(tx, uid)
    _BY_ID.drop(tx, card_id)


def all_changed(tx: Tx) -> None:
    """Forget what is remembered of every card, as when a holder's name changed."""
    _BY_UID.clear(tx)
    _BY_ID.clear(tx)


def beginning_with(tx: Tx, prefix: str, limit: int) -> list[CardRecord]:
    """Return cards in use whose number begins so."""
    return _cards(
        tx.all(
            _SELECT
            + """
            WHERE cards.uid >= ? AND cards.uid < ? AND cards.archived_at IS NULL
            ORDER BY cards.uid
            LIMIT ?
            """,
            (prefix, prefix + "\U0010ffff", limit),
        )
    )


def page(tx: Tx, wanted: CardCriteria) -> list[CardRecord]:
    """Return cards in use, by number."""
    return _cards(
        tx.all(
            _SELECT
            + """
            WHERE cards.uid > :after
                AND cards.archived_at IS NULL
                AND (:kind IS NULL OR cards.kind = :kind)
                AND (:status IS NULL OR cards.status = :status)
                AND (:person_id IS NULL OR cards.person_id = :person_id)
                AND (:wallet_id IS NULL OR cards.wallet_id = :wallet_id)
            ORDER BY cards.uid
            LIMIT :limit
            """,
            wanted._asdict(),
        )
    )


def blocked_of_wallet(tx: Tx, wallet_id: int, reason: str) -> list[CardRecord]:
    """Return the cards in use of a wallet that are blocked for just this reason."""
    return _cards(
        tx.all(
            _SELECT
            + """
            WHERE cards.wallet_id = ?
                AND cards.status = 'blocked'
                AND cards.status_reason = ?
                AND cards.archived_at IS NULL
            """,
            (wallet_id, reason),
        )
    )


def update(tx: Tx, card_id: int, values: CardValues) -> None:
    """Write everything that can change of a card; its number stays."""
    tx.execute(
        """
        UPDATE cards
        SET
            kind = ?,
            status = ?,
            status_reason = ?,
            expires_at = ?,
            group_name = ?,
            label = ?,
            person_id = ?,
            holder_since = ?,
            wallet_id = ?,
            pin_hash = ?,
            updated_at = ?
        WHERE id = ?
        """,
        (*_columns(values), to_millis(tx.now), card_id),
    )
    changed(tx, card_id, values.uid)


def archive(tx: Tx, card: CardRecord) -> None:
    """Take a card off every list; it authorises nothing any more and its number is free."""
    tx.execute("UPDATE cards SET archived_at = ? WHERE id = ?", (to_millis(tx.now), card.id))
    changed(tx, card.id, card.uid)


def set_replaced_by(tx: Tx, card: CardRecord, successor: int) -> None:
    """Note which card took the place of an archived one."""
    tx.execute("UPDATE cards SET replaced_by = ? WHERE id = ?", (successor, card.id))


def set_status(tx: Tx, card: CardRecord, status: CardStatus, reason: str) -> None:
    """Block a card, or let it work again."""
    tx.execute(
        "UPDATE cards SET status = ?, status_reason = ?, updated_at = ? WHERE id = ?",
        (status, reason, to_millis(tx.now), card.id),
    )
    changed(tx, card.id, card.uid)


def count_of_person(tx: Tx, person_id: int) -> int:
    """Count the cards that a person carries."""
    count: int = tx.value(
        "SELECT count(*) FROM cards WHERE person_id = ? AND archived_at IS NULL", (person_id,)
    )
    return count


def _columns(values: CardValues) -> Sequence[Any]:
    return (
        values.kind,
        values.status,
        values.status_reason,
        maybe_millis(values.expires_at),
        values.group,
        values.label,
        values.person_id,
        to_millis(values.holder_since),
        values.wallet_id,
        values.pin_hash,
    )


def _cards(rows: Sequence[Row]) -> list[CardRecord]:
    return [_card(row) for row in rows]


def _card(row: Row) -> CardRecord:
    return CardRecord(
        id=row["id"],
        uid=row["uid"],
        kind=row["kind"],
        status=row["status"],
        status_reason=row["status_reason"],
        expires_at=maybe_from_millis(row["expires_at"]),
        group=row["group_name"],
        label=row["label"],
        person_id=row["person_id"],
        person_name=row["person_name"],
        holder_since=from_millis(row["holder_since"]),
        wallet_id=row["wallet_id"],
        pin_hash=row["pin_hash"],
        created_at=from_millis(row["created_at"]),
        archived_at=maybe_from_millis(row["archived_at"]),
    )
