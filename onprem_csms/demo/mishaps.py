"""What went wrong in the month before the demo, so that the review list has something to say."""

from collections.abc import Callable
from datetime import timedelta

from onprem_csms.demo.scenery import AWAY, UNLUCKY_CARD
from onprem_csms.demo.till import at_desk
from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.services.charging import presence, reports, review
from onprem_csms.services.core.context import Tx


def offline_session(tx: Tx) -> None:
    """The depot's charger is back for a moment and tells of a session that cost more than the balance."""
    interval = presence.connected(tx, AWAY, "ocpp1.6", "192.168.10.99")
    began, ended = tx.now - timedelta(hours=7), tx.now - timedelta(hours=4)
    card = Token(UNLUCKY_CARD)
    begin = Report(AWAY, "begin", None, Place(0, 1), began, token=card, register_wh=5_120_000)
    reference = reports.take(tx, begin).reference
    reports.take(tx, Report(AWAY, "end", reference, None, ended, token=card, register_wh=5_149_300))
    presence.disconnected(tx, AWAY, interval, "lost")


def unknown_end(tx: Tx) -> None:
    """A charger reports the end of a session that nobody knows."""
    stranger = Token("04FEEDFACE0180")
    reports.take(tx, Report("GATE-2", "end", "815", None, tx.now, token=stranger, register_wh=1_204_000))


def looked_at(tx: Tx) -> None:
    """Somebody went through the list."""
    with at_desk(tx):
        for item in review.find(tx):
            review.resolve(tx, item.id, "Seen; spoke to the driver.")


ALL: tuple[tuple[timedelta, Callable[[Tx], None]], ...] = (
    (timedelta(days=20), unknown_end),
    (timedelta(days=10), looked_at),
    (timedelta(days=3), unknown_end),
    (timedelta(days=1), offline_session),
)
