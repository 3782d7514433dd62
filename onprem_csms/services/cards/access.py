"""Ending what the holder of a card could see and do, once the card, its holder or its PIN is another."""

from collections.abc import Callable

from onprem_csms.db.engine.database import Tx
from onprem_csms.services.core import logins
from onprem_csms.services.core.logins import Owner

Ending = Callable[[Tx, int], None]
# What belongs to the packages above this one; they can't be imported here.
_endings: list[Ending] = []


def also_ends(ending: Ending) -> Ending:
    """Have a function of another package called with the card's id when the access of its holder ends."""
    if ending not in _endings:
        _endings.append(ending)
    return ending


def end_access(tx: Tx, card_id: int) -> None:
    """Sign every phone of a card out, end its streams and pages, and give the money of its open orders back.

    To be called whenever the holder or the secret of a card changed: it was issued anew or replaced, lost,
    blocked or archived, given to somebody else, or its PIN changed. A session that runs goes on.
    """
    logins.end_all(tx, Owner("driver", card_id=card_id))
    for ending in _endings:
        ending(tx, card_id)
