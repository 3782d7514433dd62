"""What pays a session: the judgement on its card, and the hold at the start."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from onprem_csms.clock import to_millis
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.orders import OrderRecord
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import WHOLE_CHARGER
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import CLOCK, VerdictStatus
from onprem_csms.services.charging import authorization, billing, live
from onprem_csms.services.charging.authorization import Recognised
from onprem_csms.services.money import holds, wallets
from onprem_csms.services.money.tariffs import StoredTariff
from onprem_csms.services.money.wallets import Wallet


@dataclass(frozen=True, slots=True)
class Funds:
    """What pays a session: nothing (a personal card), or a wallet with what is held of it."""

    verdict: VerdictStatus
    currency: str
    wallet_id: int | None = None
    hold_id: int | None = None
    tariff: StoredTariff | None = None


def fund(
    tx: Tx, report: Report, found: Recognised, order: OrderRecord | None, late: OrderRecord | None = None
) -> Funds:
    """Judge the card of a start and set its money aside; two starts on one balance: one gets it.

    A refused start keeps wallet and tariff: what the charger delivers all the same is booked. For a
    ``late`` order, whose money went back already, no more is held than its driver chose.
    """
    card = found.card
    place = report.place or WHOLE_CHARGER
    if card is None:
        return Funds("invalid", tx.settings.currency)
    if card.kind == "personal" or card.wallet_id is None:
        status = authorization.judge_card(card, tx.now).status
        return Funds(_unless_busy(tx, found, status, report), tx.settings.currency)
    wallet = wallets.get(tx, card.wallet_id)
    payer = authorization.payer_of(card)
    tariff = billing.tariff_for(tx, report.charger_id, place, wallet.currency, payer)
    if order is not None:
        # The driver's money was set aside before the charger was asked.
        return Funds("accepted", wallet.currency, wallet.id, order.hold_id, tariff)
    verdict = _unless_busy(tx, found, authorization.judge_card(card, tx.now).status, report)
    then = _at_the_time(tx, wallet, found, report)
    if verdict == "accepted" and not authorization.covers(tx, report.charger_id, place, then, payer):
        verdict = "no_credit"
    if verdict != "accepted":
        return Funds(verdict, wallet.currency, wallet.id, None, tariff)
    least = authorization.least(tx, report.charger_id, place, wallet.currency, payer)
    amount = holds.to_begin(tx, wallet.id, least)
    if late is not None:
        amount = min(wallet.available, late.amount)
    hold_id = holds.hold(tx, wallet.id, amount, _purpose(tx, report))
    return Funds("accepted", wallet.currency, wallet.id, hold_id, tariff)


def _purpose(tx: Tx, report: Report) -> str:
    # Named once; the time comes first, so that the index grows at its end. Without a clock each session is told in the
    # same words, and two can begin within a millisecond.
    again = secrets.token_hex(8) if CLOCK in report.flags else to_millis(tx.now)
    place, uid = report.place or WHOLE_CHARGER, "" if report.token is None else report.token.value
    said = report.reference or f"{place.evse}.{place.connector}:{uid}:{report.register_wh}"
    return f"start:{to_millis(report.at)}:{again}:{report.charger_id}:{said}"


def _unless_busy(tx: Tx, found: Recognised, verdict: VerdictStatus, report: Report) -> VerdictStatus:
    """Refuse a card of which a session ran when this one began: sessions that began later do not count."""
    if verdict != "accepted" or found.card is None:
        return verdict
    running = rows.active_of_card(tx, found.card.id)
    return "concurrent" if any(one.began <= to_millis(report.at) for one in running) else verdict


def _at_the_time(tx: Tx, wallet: Wallet, found: Recognised, report: Report) -> Wallet:
    """Return a wallet without what is held for sessions of the card that began after the start that is judged."""
    if found.card is None or wallet.held == 0:
        return wallet
    later = [one for one in rows.active_of_card(tx, found.card.id) if one.began > to_millis(report.at)]
    return replace(wallet, held=wallet.held - sum(live.spendable(tx, one) or 0 for one in later))


def given_back_since(tx: Tx) -> timedelta:
    """Return how long an order that was given back may still be meant by a late start."""
    return timedelta(seconds=2 * tx.settings.prepaid.start_timeout_s)
