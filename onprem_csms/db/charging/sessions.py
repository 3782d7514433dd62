"""The table ``sessions``: one row each. What their meters showed stands in ``facts``. Moments are UTC milliseconds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from onprem_csms.clock import to_millis
from onprem_csms.db.charging import transaction_key
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.tx import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging import numbers
from onprem_csms.domain.charging.sessions import (
    Activity,
    ClosedBy,
    Doubt,
    SessionState,
    StopReason,
    VerdictStatus,
)


class Session(NamedTuple):
    """A session as it is stored; ``reference`` is the charger's own, None where ours is made of the id.

    ``first_activity`` is the state that it began in. ``cost`` and ``vat`` are what it cost in the end, minor units; of
    one that was opened again, what was booked before. ``doubt`` is why it may be over, since ``doubted_at``.
    ``fee_taken``: the session before it paid the start fee. ``time_unsure``: its begin was told by a clock that was
    wrong, perhaps long after.
    """

    id: int
    charger_id: str
    evse: int
    connector: int
    reference: str | None
    uid: str
    token_type: str
    card_id: int | None
    wallet_id: int | None
    hold_id: int | None
    order_id: str | None
    state: SessionState
    closed_by: ClosedBy
    verdict: VerdictStatus
    began: int
    ended: int | None
    received: int
    reason: StopReason | None
    meter_start_wh: int
    meter_stop_wh: int | None
    max_power_w: int
    allowance_wh: int
    first_activity: Activity
    energy_wh: int
    soc_percent: int | None
    tariff_version_id: int | None
    currency: str
    cost: int
    vat: int
    exhausts: int | None
    stop_wanted: StopReason | None
    stop_wanted_at: int | None
    stop_tries: int
    stop_tried_at: int | None
    doubt: Doubt | None
    doubted_at: int | None
    fee_taken: int
    time_unsure: int
    review: str

    @property
    def place(self) -> Place:
        """Where it charges."""
        return Place(self.evse, self.connector)

    @property
    def active(self) -> bool:
        """Tell whether it has not ended."""
        return self.state == "active"

    @property
    def settled(self) -> bool:
        """Tell whether its bill is booked: it has ended and waits for nobody."""
        return self.state == "ended"


COLUMNS = ", ".join(f"s.{name}" for name in Session._fields)
_SELECT = f"SELECT {COLUMNS} FROM sessions s "  # noqa: S608 - own names
_ON = "WHERE s.charger_id = ? AND s.evse = ? AND s.connector = ? "
_ACTIVE: Cache[int, Session] = Cache("active sessions", 50_000)
_AT_CHARGER: Cache[str, tuple[int, ...]] = Cache("active sessions of chargers", 20_000)
_OF_CARD: Cache[int, tuple[int, ...]] = Cache("active sessions of cards", 20_000)
_NEWEST: Cache[str, tuple[Session, ...]] = Cache("newest sessions of chargers", 5_000)
NEWEST = 8
"""So many of the newest sessions of a charger are remembered."""


def insert(tx: Tx, values: Mapping[str, Any]) -> Session:
    """Write a new session, active, and return it. The keys are names of columns, never input."""
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    id = tx.insert(f"INSERT INTO sessions ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
    session = _DEFAULTS._replace(id=id, **values)
    _ACTIVE.set(tx, id, session)
    known = _AT_CHARGER.get(tx, session.charger_id)
    if known is not None:
        _AT_CHARGER.set(tx, session.charger_id, (*known, id))
    _of_card(tx, session, runs=session.verdict == "accepted")
    _keep_newest(tx, session)
    return session


def draft(values: Mapping[str, Any]) -> Session:
    """Return a session that is not written yet, with the columns' defaults."""
    return _DEFAULTS._replace(**values)


# fmt: off
_DEFAULTS = Session(
    0, "", 0, 0, None, "", "", None, None, None, None, "active", "", "invalid", 0, None, 0, None, 0,
    None, 0, 0, "charging", 0, None, None, "", 0, 0, None, None, None, 0, None, None, None, 0, 0,
    "none",
)
# fmt: on


def update(tx: Tx, session: Session, **values: Any) -> Session:
    """Change columns of a session and return it as it is then."""
    names = ", ".join(f"{name} = ?" for name in values)
    tx.execute(f"UPDATE sessions SET {names} WHERE id = ?", (*values.values(), session.id))  # noqa: S608 - own names
    after = session._replace(**values)
    if after.active:
        _ACTIVE.set(tx, session.id, after)
    else:
        _ACTIVE.drop(tx, session.id)
    known = _AT_CHARGER.get(tx, session.charger_id) if "state" in values else None
    if known is not None:
        others = tuple(id for id in known if id != session.id)
        _AT_CHARGER.set(tx, session.charger_id, (*others, session.id) if after.active else others)
    if not values.keys().isdisjoint(("state", "verdict", "card_id")):
        _of_card(tx, session, runs=False)
        _of_card(tx, after, runs=after.active and after.verdict == "accepted")
    _keep_newest(tx, after)
    return after


def _of_card(tx: Tx, session: Session, *, runs: bool) -> None:
    known = None if session.card_id is None else _OF_CARD.get(tx, session.card_id)
    if session.card_id is not None and known is not None:
        others = tuple(id for id in known if id != session.id)
        _OF_CARD.set(tx, session.card_id, (*others, session.id) if runs else others)


def set_review(tx: Tx, session_id: int, review: str) -> None:
    """Note whether somebody should look at a session (none, open, done)."""
    tx.execute("UPDATE sessions SET review = ? WHERE id = ?", (review, session_id))
    known = get(tx, session_id)
    if known is not None:
        after = known._replace(review=review)
        if after.active:
            _ACTIVE.set(tx, session_id, after)
        _keep_newest(tx, after)


def get(tx: Tx, session_id: int) -> Session | None:
    """Return a session."""
    known = _ACTIVE.get(tx, session_id)
    if known is None:
        row = tx.one(_SELECT + "WHERE s.id = ?", (session_id,))
        known = None if row is None else Session(*row)
        if known is not None and known.active:
            _ACTIVE.set(tx, session_id, known)
    return known


def number(tx: Tx, session: Session) -> str:
    """Return the transaction's id as the charger knows it."""
    return session.reference or str(numbers.number_of(session.id, transaction_key.get(tx)))


def by_reference(tx: Tx, charger_id: str, reference: str) -> Session | None:
    """Return the session of a charger's transaction, whoever chose its id."""
    id = (
        numbers.id_of(int(reference), transaction_key.get(tx))
        if reference.isdecimal() and len(reference) <= 10
        else None
    )
    session = None if id is None else get(tx, id)
    if session is not None and session.charger_id == charger_id and session.reference is None:
        return session
    running = next((one for one in active_of_charger(tx, charger_id) if one.reference == reference), None)
    if running is not None:
        return running
    found = tx.value(
        "SELECT id FROM sessions WHERE charger_id = ? AND reference = ?", (charger_id, reference)
    )
    return None if found is None else get(tx, found)


def id_of(tx: Tx, transaction: str) -> int | None:
    """Return the id that a number of ours stands for, of whichever charger; None where it is none."""
    if not transaction.isdecimal() or len(transaction) > 10:
        return None
    return numbers.id_of(int(transaction), transaction_key.get(tx))


def _keep_newest(tx: Tx, session: Session) -> None:
    known = _NEWEST.get(tx, session.charger_id)
    if known is None:
        return
    others = [one for one in known if one.id != session.id]
    if len(known) < NEWEST or len(others) < len(known) or session.began >= known[-1].began:
        kept = sorted((*others, session), key=_order, reverse=True)
        _NEWEST.set(tx, session.charger_id, tuple(kept[:NEWEST]))


def _order(session: Session) -> tuple[int, int]:
    return session.began, session.id


def newest_of(tx: Tx, charger_id: str) -> tuple[Session, ...]:
    """Return the newest sessions of a charger by their begin, ``NEWEST`` at most, the newest first."""
    known = _NEWEST.get(tx, charger_id)
    if known is None:
        which = "WHERE s.charger_id = ? ORDER BY s.began DESC, s.id DESC LIMIT ?"
        known = tuple(_all(tx, which, (charger_id, NEWEST)))
        _NEWEST.set(tx, charger_id, known)
    return known


def begun_about(tx: Tx, charger_id: str, since: int, until: int, *, last: bool = False) -> Sequence[Session]:
    """Return a charger's sessions that began in a span, the newest first; with ``last`` the last ``NEWEST`` do."""
    newest = newest_of(tx, charger_id)
    if len(newest) < NEWEST or since > newest[-1].began or (last and until >= newest[0].began):
        return [one for one in newest if since <= one.began <= until]
    which = "WHERE s.charger_id = ? AND s.began BETWEEN ? AND ? ORDER BY s.began DESC, s.id DESC LIMIT ?"
    return _all(tx, which, (charger_id, since, until, NEWEST if last else -1))


def next_on(tx: Tx, session: Session) -> Session | None:
    """Return the session that began next at the same place."""
    newest = _NEWEST.get(tx, session.charger_id)
    if newest and newest[0].began <= session.began:
        return None
    row = tx.one(
        _SELECT + _ON + "AND (s.began, s.id) > (?, ?) ORDER BY s.began, s.id LIMIT 1",
        (session.charger_id, *session.place, session.began, session.id),
    )
    return None if row is None else Session(*row)


def last_ended_on(tx: Tx, charger_id: str, place: Place) -> Session | None:
    """Return the session that ended last at a place."""
    row = tx.one(
        _SELECT + _ON + "AND s.state <> 'active' ORDER BY s.began DESC, s.id DESC LIMIT 1",
        (charger_id, *place),
    )
    return None if row is None else Session(*row)


def active_of_charger(tx: Tx, charger_id: str) -> list[Session]:
    """Return the active sessions of a charger, the newest first."""
    ids = _AT_CHARGER.get(tx, charger_id)
    if ids is None:
        rows = tx.all("SELECT id FROM sessions WHERE charger_id = ? AND state = 'active'", (charger_id,))
        ids = tuple(row[0] for row in rows)
        _AT_CHARGER.set(tx, charger_id, ids)
    found = [session for id in ids if (session := get(tx, id)) is not None]
    if len(found) > 1:
        found.sort(key=_order, reverse=True)
    return found


def runs_alone(tx: Tx, session: Session) -> bool:
    """Tell whether an active session is known to be the only one of its charger."""
    return _AT_CHARGER.get(tx, session.charger_id) == (session.id,)


def active_on(tx: Tx, charger_id: str, place: Place) -> list[Session]:
    """Return the active sessions of a place, the newest first. An EVSE has one for all of its connectors."""
    return [one for one in active_of_charger(tx, charger_id) if place.shares_outlet(one.place)]


def active_of_card(tx: Tx, card_id: int) -> list[Session]:
    """Return the active sessions that a card was allowed to begin."""
    ids = _OF_CARD.get(tx, card_id)
    if ids is None:
        # Left to itself SQLite goes through every session that the card ever had.
        rows = tx.all(
            """
            SELECT id
            FROM sessions INDEXED BY sessions_active_by_card
            WHERE card_id = ?
            AND state = 'active'
            AND verdict = 'accepted'
            """,
            (card_id,),
        )
        ids = tuple(row[0] for row in rows)
        _OF_CARD.set(tx, card_id, ids)
    return [session for id in ids if (session := get(tx, id)) is not None]


def active_of_group(tx: Tx, charger_id: str, group: str) -> bool:
    """Tell whether a session is active on a charger that a card of this group was allowed to begin."""
    row = tx.one(
        """
        SELECT 1
        FROM sessions s INDEXED BY sessions_active
        JOIN cards k ON k.id = s.card_id
        WHERE s.charger_id = ?
        AND s.state = 'active'
        AND s.verdict = 'accepted'
        AND k.group_name = ?
        """,
        (charger_id, group),
    )
    return row is not None


def active(tx: Tx) -> list[Session]:
    """Return every active session."""
    return _all(tx, "WHERE s.state = 'active'")


def to_stop(tx: Tx, before: int) -> list[Session]:
    """Return every active session that should be stopped and was not asked to since ``before``.

    All of them: with a limit, those of chargers that can't be reached would keep the others from their turn.
    """
    return _all(
        tx,
        """
        WHERE s.state = 'active'
        AND s.stop_wanted IS NOT NULL
        AND (s.stop_tried_at IS NULL OR s.stop_tried_at < ?)
        ORDER BY s.stop_wanted_at
        """,
        (before,),
    )


def stops_wanted(tx: Tx) -> list[Session]:
    """Return every active session that should be stopped."""
    return _all(tx, "WHERE s.state = 'active' AND s.stop_wanted IS NOT NULL")


def of_ended_cards(tx: Tx) -> list[Session]:
    """Return active sessions that were allowed and whose card would not be any more, for its own state."""
    return _all(
        tx,
        """
        JOIN cards c ON c.id = s.card_id
        WHERE s.state = 'active'
        AND s.verdict = 'accepted'
        AND s.stop_wanted IS NULL
        AND (c.status <> 'active' OR c.expires_at <= ?)
        """,
        (to_millis(tx.now),),
    )


def exhausted(tx: Tx) -> list[Session]:
    """Return active sessions that should be looked at by now, for their money, and that no stop is wanted for yet."""
    return _all(
        tx,
        """
        WHERE s.state = 'active'
        AND s.exhausts IS NOT NULL
        AND s.exhausts <= ?
        AND s.stop_wanted IS NULL
        ORDER BY s.exhausts
        LIMIT 1000
        """,
        (to_millis(tx.now),),
    )


def doubted(tx: Tx, doubt: Doubt, before: int) -> list[Session]:
    """Return active sessions that may be over for this reason, and were heard of last before a moment."""
    which = "WHERE s.doubted_at < ? AND s.doubt = ? AND s.state = 'active' LIMIT 100"
    return _all(tx, which, (before, doubt))


def active_of_wallet(tx: Tx, wallet_id: int) -> list[Session]:
    """Return the active sessions that a wallet pays."""
    return [one for one in active(tx) if one.wallet_id == wallet_id]


def in_order(tx: Tx) -> Iterator[Session]:
    """Go through every session in the order of their ids."""
    return (Session(*row) for row in tx.each(_SELECT + "ORDER BY s.id"))


def _all(tx: Tx, which: str, params: Sequence[Any] = ()) -> list[Session]:
    return [Session(*row) for row in tx.all(_SELECT + which, params)]
