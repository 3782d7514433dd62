"""Slowing down those who guess; kept in the database, so that a restart is no fresh start."""

import math
from collections.abc import Mapping

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


def keep(tx: Tx, kind: Kind, places: Mapping[str, float]) -> None:
    """Keep tries that are counted in memory: for each place in how many seconds all of them will be there again."""
    for place, seconds in places.items():
        rows.set_free_at(tx, f"{kind} {place}", to_millis(tx.now) + round(seconds * 1000))
    rows.trim(tx)


def kept(tx: Tx, kind: Kind) -> dict[str, float]:
    """Return what ``keep`` kept, as it is now."""
    now, begin_at = to_millis(tx.now), len(kind) + 1
    found = rows.all_of(tx, kind)
    return {place[begin_at:]: (free_at - now) / 1000 for place, free_at in found.items() if free_at > now}
