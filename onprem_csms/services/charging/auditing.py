"""Counts an ended session again: its energy and bill from what was reported, against what the ledger took for it."""

from collections.abc import Iterator

from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.money import pricing
from onprem_csms.services.charging import billing, live
from onprem_csms.services.money.auditing import Booked


def audit_session(tx: Tx, session: Session, booked: Booked) -> Iterator[str]:
    """Say what is wrong with an ended session; ``booked`` is what the ledger has of it, nothing if it has nothing."""
    if session.settled:
        yield from _settled_faults(tx, session, booked)
    elif booked.gross != session.cost:
        yield f"{booked.gross} was charged, it waits and has {session.cost}"


def _settled_faults(tx: Tx, session: Session, booked: Booked) -> Iterator[str]:
    state = live.ended(tx, session)
    if state.energy_wh != session.energy_wh:
        yield f"{session.energy_wh} Wh are billed, its readings give {state.energy_wh}"
    if state.running is None or billing.owes_nothing(session, state.running):
        if session.cost:
            yield "it has a bill and owes nothing"
        if booked.gross:
            yield f"{booked.gross} was charged, it owes nothing"
        return
    bill = pricing.bill(state.running)
    if (session.cost, session.vat) != (bill.gross, bill.vat):
        yield "the bill is not what tariff and readings give"
    if session.wallet_id is None:
        if booked.gross:
            yield f"{booked.gross} was charged, it has no wallet"
        return
    if booked.gross != bill.gross:
        yield f"{booked.gross} was charged, the bill is {bill.gross}"
    elif booked.gross and (booked.vat, booked.wallet_id) != (bill.vat, session.wallet_id):
        yield f"VAT {booked.vat} was booked, the bill says {bill.vat}, or another wallet paid"
