"""Slowing down those who guess; kept in the database, so that a restart is no fresh start."""

import math

from onprem_csms.clock import to_millis
from onprem_csms.db.core import tries as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.access.tries import Kind, Trying, name_place
from onprem_csms.errors import Forbidden


def check(tx: Tx, trying: Trying) -> None:
    """Raise Forbidden while the try must wait; writes nothing, so that a refusal costs no disk."""
    now = to_millis(tx.now)
    wait = max(rule.wait_ms(rows.free_at(tx, place), now) for place, rule in trying.places())
    if wait > 0:
        raise Forbidden(
            "Too many wrong tries. Wait {seconds} seconds, then try again.", seconds=math.ceil(wait / 1000)
        )


def begin(tx: Tx, trying: Trying) -> None:
    """Count a try as wrong before it is looked at; Forbidden as ``check``.

    Counted first, so that a hundred guesses at the same moment are not a hundred free ones.
    """
    check(tx, trying)
    now = to_millis(tx.now)
    for place, rule in trying.places():
        rows.set_free_at(tx, place, rule.spend(rows.free_at(tx, place), now))
    rows.trim(tx)


def right(tx: Tx, trying: Trying) -> None:
    """The try was right after all: it alone is given back, those before it stay."""
    for place, rule in trying.places():
        rows.set_free_at(tx, place, rule.give_back(rows.free_at(tx, place)))


def forget(tx: Tx, kind: Kind, name: str) -> None:
    """Forget the tries on a name: it has another secret."""
    rows.forget(tx, name_place(kind, name))
