"""Proof that the books are right: every balance, hold and bill is counted again from what it came from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import ledger as ledger_rows
from onprem_csms.db.money import wallets as wallet_rows
from onprem_csms.domain.money import pricing
from onprem_csms.services.charging import billing, live

PAGE = 1_000


@dataclass(slots=True)
class Findings:
    """What was counted and what is wrong; no ``faults`` means that all agrees."""

    entries: int = 0
    sessions: int = 0
    faults: list[str] = field(default_factory=list)


def verify(tx: Tx) -> Findings:
    """Check the chain of hashes, the sum of postings, balances, holds, and the bill of every ended session."""
    findings = Findings()
    _check_chain(tx, findings)
    _check_balances(tx, findings)
    for session in _ended(tx):
        findings.sessions += 1
        findings.faults += _bill_faults(tx, session)
    return findings


def _check_chain(tx: Tx, findings: Findings) -> None:
    previous, last = ledger_rows.GENESIS, 0
    while page := ledger_rows.entries_after(tx, last, PAGE):
        for row in page:
            findings.entries += 1
            findings.faults += _entry_faults(tx, row, last, previous)
            previous, last = row["hash"], row["id"]


def _entry_faults(tx: Tx, row: Row, last: int, previous: str) -> Iterator[str]:
    postings = [
        (posting["account_id"], posting["amount"]) for posting in ledger_rows.postings_of(tx, row["id"])
    ]
    fields = (
        row["id"],
        row["at"],
        row["kind"],
        row["idempotency_key"],
        row["session_id"],
        row["operator"],
        row["document"],
        row["previous_hash"],
    )
    if row["id"] != last + 1:
        yield f"entry {row['id']}: entries between {last} and {row['id']} are missing"
    if row["previous_hash"] != previous:
        yield f"entry {row['id']}: the chain is broken before it"
    if ledger_rows.digest(fields, postings) != row["hash"]:
        yield f"entry {row['id']}: it was changed after it was booked"
    if sum(amount for _, amount in postings) != 0:
        yield f"entry {row['id']}: its postings do not add up to zero"


def _check_balances(tx: Tx, findings: Findings) -> None:
    total = ledger_rows.sum_of_postings(tx)
    if total:
        findings.faults.append(f"ledger: all postings add up to {total}, not to zero")
    for row in ledger_rows.unequal_accounts(tx):
        findings.faults.append(
            f"account {row['id']}: the balance {row['balance']} is not the sum of its postings {row['posted']}"
        )
    for row in wallet_rows.unequal_holds(tx):
        findings.faults.append(f"wallet {row['id']}: {row['held']} is held, its open holds are {row['open']}")
    for row in wallet_rows.holds_without_purpose(tx):
        findings.faults.append(f"hold {row['id']}: nothing needs it any more ({row['purpose']})")


def _ended(tx: Tx) -> Iterator[Row]:
    last = 0
    while page := session_rows.ended_after(tx, last, PAGE):
        yield from page
        last = page[-1]["id"]


def _bill_faults(tx: Tx, session: Row) -> Iterator[str]:
    name = f"session {session['id']}"
    state = live.fold(tx, session)
    if state.meter.energy_wh != session["energy_wh"]:
        yield f"{name}: {session['energy_wh']} Wh are billed, its readings give {state.meter.energy_wh}"
    if state.running is None or billing.owes_nothing(session, state.running):
        if session["bill"] is not None or session["cost"]:
            yield f"{name}: it has a bill and owes nothing"
        return
    document = billing.bill_document(pricing.bill(state.running))
    if session["bill"] is None or json.loads(session["bill"]) != document:
        yield f"{name}: the bill is not what tariff and readings give"
    charged = session_rows.charged(tx, session["id"])
    owed = document["gross"] if session["wallet_id"] is not None else 0
    if charged != owed:
        yield f"{name}: {charged} was charged, the bill is {owed}"
