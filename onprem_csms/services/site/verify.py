"""Proof that the books are right: every balance, hold and bill is counted again from what it came from."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money.ledger import Head
from onprem_csms.services.charging.auditing import audit_session
from onprem_csms.services.money import auditing, heads
from onprem_csms.services.money.auditing import Booked, LedgerAudit


@dataclass(slots=True)
class Findings:
    """What was counted and what is wrong; no ``faults`` means that all agrees."""

    entries: int = 0
    sessions: int = 0
    faults: list[str] = field(default_factory=list)


def verify(tx: Tx, head: Head | None = None) -> Findings:
    """Check the chain up to the head kept outside, balances, VAT, holds, and the bill of every ended session.

    The head must have been read before the view of ``tx`` began.
    """
    findings, ledger = Findings(), LedgerAudit()
    findings.faults += ledger.entries(tx)
    findings.entries = ledger.number
    if fault := heads.broken(tx, head):
        findings.faults.append(fault)
    findings.faults += ledger.balances(tx)
    findings.faults += _sessions(tx, findings)
    return findings


def _sessions(tx: Tx, findings: Findings) -> Iterator[str]:
    """Go through sessions and what was booked for them side by side, both in the order of ids."""
    booked = auditing.by_session(tx)
    next_booked = next(booked, None)
    for session in session_rows.in_order(tx):
        while next_booked is not None and next_booked.session_id < session.id:
            yield f"session {next_booked.session_id}: it is missing, and {next_booked.gross} was charged for it"
            next_booked = next(booked, None)
        own = Booked(session.id, None, 0, 0, None)
        if next_booked is not None and next_booked.session_id == session.id:
            own, next_booked = next_booked, next(booked, None)
        if not session.active:
            findings.sessions += 1
            yield from (f"session {session.id}: {fault}" for fault in audit_session(tx, session, own))
    for left in (next_booked, *booked) if next_booked is not None else ():
        yield f"session {left.session_id}: it is missing, and {left.gross} was charged for it"
