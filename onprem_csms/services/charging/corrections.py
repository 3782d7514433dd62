"""What a person decides of a session that has ended: its times, registers, tariff and payer, with a reason.

A bill that waits is booked so, and one that was booked is corrected, as often as needed: each is a new ledger entry,
VAT and revenue move with it, and what it was before is kept.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from onprem_csms.clock import from_millis, maybe_from_millis, to_millis
from onprem_csms.db.charging import corrections as rows
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.charging import session_life
from onprem_csms.domain.charging.sessions import SessionState
from onprem_csms.domain.money.pricing import Bill
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.charging import billing, ending, live, prepaid, registers, review
from onprem_csms.services.core import audit
from onprem_csms.services.money import charges, holds, tariffs, wallets
from onprem_csms.services.money.charges import Correction

LONGEST_REASON = 500
LARGEST_REGISTER_WH = 10**12


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to hold of a session; None: as it stands. Registers in Wh.

    ``tariff_id`` 0: it costs nothing. ``wallet_id`` 0: nobody pays.
    """

    reason: str
    began_at: datetime | None = None
    ended_at: datetime | None = None
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    tariff_id: int | None = None
    wallet_id: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """A session as it stands or would stand: registers and energy in Wh, money in minor units."""

    state: SessionState
    began_at: datetime
    ended_at: datetime | None
    meter_start_wh: int
    meter_stop_wh: int | None
    energy_wh: int
    tariff_version_id: int | None
    wallet_id: int | None
    currency: str
    cost: int
    vat: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a decision would make of a session; ``bill`` is a document, None where nothing is owed."""

    before: Figures
    after: Figures
    bill: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Past:
    """A decision that was made: when, by whom, why, and the figures before and after as they were kept."""

    number: int
    at: datetime
    actor: str
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def of_session(tx: Tx, session_id: int) -> list[Past]:
    """Return what was decided of a session, the first decision first."""
    return [
        Past(
            row.number,
            from_millis(row.at),
            row.actor,
            row.reason,
            json.loads(row.before),
            json.loads(row.after),
        )
        for row in rows.of_session(tx, session_id)
    ]


def propose(tx: Tx, session_id: int, decision: Decision) -> Proposal:
    """Return what a decision would make of a session, and book nothing; the errors are those of ``decide``."""
    session = _ended(tx, session_id)
    after, bill = _decided(tx, session, decision)
    return Proposal(_figures(session), _figures(after), None if bill is None else billing.bill_document(bill))


def decide(tx: Tx, session_id: int, decision: Decision, *, only: SessionState | None = None) -> None:
    """Book a session that waits, or correct one that was booked; the same decision again changes nothing.

    NotFound; Conflict while it runs, or where ``only`` names another state; Invalid with the path of what can't be.
    """
    session = _ended(tx, session_id)
    if only is not None and session.state != only:
        if session.settled:
            raise Conflict("The bill of this session does not wait: correct it.")
        raise Conflict("The bill of this session waits: book it first.")
    reason = decision.reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Invalid("Say why, in at most {most} characters.", path="reason", most=LONGEST_REASON)
    after, bill = _decided(tx, session, decision)
    if after == session:
        return
    _book(tx, session, after, bill, reason)
    columns = {name: value for name, value in after._asdict().items() if value != getattr(session, name)}
    session_rows.update(tx, session, **columns)
    _note(tx, session, after, reason)
    state = live.ended(tx, after)
    registers.session_ended(tx, after, state)
    billing.look_at_balance(tx, after)
    for wallet_id in {session.wallet_id, after.wallet_id} - {None}:
        prepaid.money_changed(tx, wallet_id or 0, besides=session.id)
    tx.emit(Event("session", str(session.id)))
    tx.emit(Event("charger", session.charger_id))


def _note(tx: Tx, session: Session, after: Session, reason: str) -> None:
    before, now = _kept(_figures(session)), _kept(_figures(after))
    rows.insert(tx, session.id, reason, json.dumps(before), json.dumps(now))
    deed = "session.corrected" if session.settled else "session.booked"
    audit.note(tx, deed, session.id, reason=reason, **audit.differences(before, now))
    review.settled(tx, after, ending.WAITS, reason)


def _ended(tx: Tx, session_id: int) -> Session:
    session = session_rows.get(tx, session_id)
    if session is None:
        raise NotFound("There is no session {id}.", id=session_id)
    if not session_life.can((session.state, session.closed_by), "decided"):
        raise Conflict("This session still runs.")
    return session


def _decided(tx: Tx, session: Session, decision: Decision) -> tuple[Session, Bill | None]:
    """Return a session as a decision makes it, with its bill."""
    state, closed_by = session_life.after((session.state, session.closed_by), "decided")
    after = _payer(tx, _priced(tx, _measured(tx, session, decision), decision), decision)
    after = after._replace(state=state, closed_by=closed_by)
    running = live.ended(tx, after).running
    bill = (
        None if running is None or billing.owes_nothing(after, running) else billing.bill_of(after, running)
    )
    energy = (after.meter_stop_wh or 0) - after.meter_start_wh
    gross, vat = (0, 0) if bill is None else (bill.gross, bill.vat)
    return after._replace(energy_wh=energy, cost=gross, vat=vat), bill


def _measured(tx: Tx, session: Session, decision: Decision) -> Session:
    """Return a session with its times and registers as they are chosen; Invalid for what can't be."""
    began = session.began if decision.began_at is None else to_millis(decision.began_at)
    ended = (session.ended or began) if decision.ended_at is None else to_millis(decision.ended_at)
    if ended < began:
        raise Invalid("The end lies before the begin.", path="ended_at")
    if ended > to_millis(tx.now):
        raise Invalid("The end lies in the future.", path="ended_at")
    start = session.meter_start_wh if decision.meter_start_wh is None else decision.meter_start_wh
    stop = decision.meter_stop_wh
    if stop is None:
        # What counts now: the register told at the end may be the very thing that is wrong.
        stop = start + session.energy_wh
    if not 0 <= start <= LARGEST_REGISTER_WH:
        raise Invalid("This is no meter reading.", path="meter_start_wh")
    if not start <= stop <= LARGEST_REGISTER_WH:
        raise Invalid("The meter at the end is below the one at the begin.", path="meter_stop_wh")
    return session._replace(began=began, ended=ended, meter_start_wh=start, meter_stop_wh=stop)


def _priced(tx: Tx, session: Session, decision: Decision) -> Session:
    """Return a session with the tariff that is chosen, in the version that held at its begin."""
    if decision.tariff_id is None:
        return session
    if decision.tariff_id == 0:
        return session._replace(tariff_version_id=None)
    held = [
        one for one in tariffs.versions(tx, decision.tariff_id) if to_millis(one.valid_from) <= session.began
    ]
    version = (held or tariffs.versions(tx, decision.tariff_id))[-1 if held else 0]
    current = session.tariff_version_id
    if current is not None and tariffs.version(tx, current).tariff_id == decision.tariff_id:
        return session
    return session._replace(tariff_version_id=version.id)


def _payer(tx: Tx, session: Session, decision: Decision) -> Session:
    """Return a session with the wallet that is chosen; tariff, wallet and what was booked are of one currency."""
    wallet_id = session.wallet_id if decision.wallet_id is None else (decision.wallet_id or None)
    if wallet_id is None:
        if decision.tariff_id:
            raise Invalid("Name who pays.", path="wallet")
        return session._replace(wallet_id=None, tariff_version_id=None)
    wallet = wallets.get(tx, wallet_id)
    tariff = (
        None if session.tariff_version_id is None else tariffs.version(tx, session.tariff_version_id).tariff
    )
    currency = session.currency if tariff is None else tariff.currency
    if wallet.currency != currency:
        raise Invalid("The wallet is in {currency}.", path="wallet", currency=wallet.currency)
    if currency != session.currency and session.cost:
        raise Invalid("What was booked is in {currency}.", path="tariff", currency=session.currency)
    return session._replace(wallet_id=wallet_id, currency=currency)


def _book(tx: Tx, session: Session, after: Session, bill: Bill | None, reason: str) -> None:
    """Book what changes: the first bill of one that waited, else the difference, or both sides of another payer."""
    document = {"bill": None if bill is None else billing.bill_document(bill), "decided": reason}
    same = session.wallet_id == after.wallet_id
    if not session.settled and session.hold_id is not None and (not same or session.cost or bill is None):
        holds.release(tx, session.hold_id)
    if not session.settled and not session.cost:
        if bill is not None:
            billing.charge(tx, after._replace(hold_id=session.hold_id if same else None), document)
    elif same:
        _correct(tx, after, (after.cost - session.cost, after.vat - session.vat), document)
    else:
        _correct(tx, session, (-session.cost, -session.vat), document)
        _correct(tx, after, (after.cost, after.vat), document)


def _correct(tx: Tx, session: Session, by: tuple[int, int], document: Mapping[str, Any]) -> None:
    if session.wallet_id is not None:
        change = Correction(
            session.id, session.wallet_id, session.currency, *by, str(document["decided"]), document
        )
        charges.correct(tx, change)


def _figures(session: Session) -> Figures:
    return Figures(
        session.state,
        from_millis(session.began),
        maybe_from_millis(session.ended),
        session.meter_start_wh,
        session.meter_stop_wh,
        session.energy_wh,
        session.tariff_version_id,
        session.wallet_id,
        session.currency,
        session.cost,
        session.vat,
    )


def _kept(figures: Figures) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(figures).items()}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
