"""Slowing down those who guess a PIN: after some wrong ones in a row each further one costs a wait.

Kept in the database: four digits would not outlast a guesser for whom every restart is a fresh start.
"""

import math
from datetime import timedelta

from onprem_csms.db.cards import pin_failures
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import Forbidden

FREE_ATTEMPTS = 5
FIRST_WAIT_S = 30
LONGEST_WAIT_S = 15 * 60


def begin(tx: Tx, card_id: int) -> None:
    """Count an attempt as failed before it is looked at; Forbidden while the card must wait.

    Counted first, so that a hundred guesses at the same moment are not a hundred free ones.
    """
    failures = pin_failures.of_card(tx, card_id)
    if failures is not None:
        over = failures.last_at + timedelta(seconds=wait_s(failures.times))
        left = (over - tx.now).total_seconds()
        if left > 0:
            raise Forbidden(
                "Too many wrong PINs. Wait {seconds} seconds, then try again.", seconds=math.ceil(left)
            )
    pin_failures.count(tx, card_id)


def succeed(tx: Tx, card_id: int) -> None:
    """The attempt was right after all: begin to count anew."""
    pin_failures.forget(tx, card_id)


def wait_s(times: int) -> int:
    """Seconds to wait after so many failures in a row: doubled by each, 15 minutes at most."""
    if times < FREE_ATTEMPTS:
        return 0
    doublings = min(times - FREE_ATTEMPTS, 10)
    wait: int = FIRST_WAIT_S * 2**doublings
    return min(wait, LONGEST_WAIT_S)
