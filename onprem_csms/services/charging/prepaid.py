"""Prepaid charging: the hold at the start, and the stop before the money is gone."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from onprem_csms.clock import to_millis
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.orders import OrderRecord
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import WHOLE_CHARGER
from onprem_csms.domain.charging import forecast
from onprem_csms.domain.charging.forecast import Reaction
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import CLOCK, StopReason, VerdictStatus
from onprem_csms.domain.money import pricing
from onprem_csms.events import Event
from onprem_csms.services.charging import authorization, billing, live
from onprem_csms.services.charging.authorization import Recognised
from onprem_csms.services.charging.live import Live
from onprem_csms.services.money import holds, wallets
from onprem_csms.services.money.tariffs import StoredTariff
from onprem_csms.services.money.wallets import Wallet

# A forecast that moves by less is not written again.
SAME_FORECAST_MS = 5_000


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


def money_changed(tx: Tx, wallet_id: int, besides: int) -> None:
    """Something was booked on a wallet that its running sessions counted on: forecast them anew."""
    for session in rows.active_of_wallet(tx, wallet_id):
        if session.id != besides:
            live.remember(tx, session.id, watch(tx, session, live.of(tx, session)))


def watch(tx: Tx, session: Session, now: Live) -> Live:
    """Look at what is left after a reading: want a stop in time, and forecast the moment it is gone."""
    state = now.state
    if session.stop_wanted is not None:
        return now
    if session.verdict != "accepted" and state.energy_wh > 0:
        want_stop(tx, session, "deauthorized")
        return now
    spendable = live.spendable(tx, session)
    if spendable is None or state.running is None:
        return now
    power = forecast.power_of(now.folded)
    if forecast.holds(now.foreseen, now.folded, power, spendable):
        return now
    return _judge(tx, session, now, power)


def _judge(tx: Tx, session: Session, now: Live, power_w: int) -> Live:
    reaction, state = _reaction(tx), forecast.guarded(now.state)
    cost = 0 if state.running is None else pricing.total(state.running)
    while forecast.is_time(state, power_w, (live.spendable(tx, session) or 0) - cost, reaction):
        # A hold that grows in steps may need several of them.
        if not _extend(tx, session):
            want_stop(tx, session, "balance_used_up")
            return now
    return _forecast(tx, session, now, power_w)


def _reaction(tx: Tx) -> Reaction:
    settings = tx.settings.prepaid
    return Reaction(int(settings.sample_interval_s * 1000), int(settings.stop_latency_s * 1000))


def _extend(tx: Tx, session: Session) -> bool:
    """Hold more, by the wallet's policy; an order's amount is what its driver chose and stays. False: no more."""
    if session.order_id is not None or session.hold_id is None:
        return False
    return holds.extend(tx, session.hold_id) > 0


def look_again(tx: Tx, session: Session) -> None:
    """The forecast moment has come without a reading: go on with what was topped up since, or want the stop."""
    now = live.of(tx, session)
    if _extend(tx, session):
        live.remember(tx, session.id, _forecast(tx, session, now, forecast.power_of(now.folded)))
    else:
        want_stop(tx, session, "balance_used_up")


def _forecast(tx: Tx, session: Session, now: Live, power_w: int) -> Live:
    """Foresee when the money is gone, in our own time: the charger's clock may be wrong."""
    reaction, spendable = _reaction(tx), live.spendable(tx, session) or 0
    left = forecast.remaining(forecast.guarded(now.state), power_w, spendable, reaction)
    exhausts = None if left is None else to_millis(tx.now) + left
    if not _same(exhausts, session.exhausts):
        rows.update(tx, session, exhausts=exhausts)
    return now._replace(foreseen=forecast.foresee(now.state, power_w, (spendable, left), reaction))


def _same(one: int | None, other: int | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) < SAME_FORECAST_MS


def want_stop(tx: Tx, session: Session, reason: StopReason) -> bool:
    """Note that an active session should stop; the supervisor asks the charger until it does. Once only."""
    if not session.active or session.stop_wanted is not None:
        return False
    rows.update(tx, session, stop_wanted=reason, stop_wanted_at=to_millis(tx.now))
    tx.emit(Event("stop", str(session.id)))
    tx.emit(Event("session", str(session.id)))
    return True


def given_back_since(tx: Tx) -> timedelta:
    """Return how long an order that was given back may still be meant by a late start."""
    return timedelta(seconds=2 * tx.settings.prepaid.start_timeout_s)
