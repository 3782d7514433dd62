"""Prepaid charging: the hold at the start, and the stop before the money is gone."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from onprem_csms.clock import to_text
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import WHOLE_CHARGER
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import CLOCK, StopReason, VerdictStatus
from onprem_csms.domain.money import pricing
from onprem_csms.domain.money.tariffs import Tariff
from onprem_csms.events import Event
from onprem_csms.services.charging import authorization, billing, live
from onprem_csms.services.charging.authorization import Recognised
from onprem_csms.services.money import holds, wallets

# A forecast that moves by less is not written again.
SAME_FORECAST_S = 5
LONGEST_SAMPLE_S = 900
# Much less power than the forecast assumed would stop the session too early.
LITTLE_LESS = 0.9
LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Funds:
    """What pays a session: nothing (a personal card), or a wallet with what is held of it."""

    verdict: VerdictStatus
    currency: str
    wallet_id: int | None = None
    hold_id: int | None = None
    tariff: Tariff | None = None


def fund(tx: Tx, report: Report, found: Recognised, order: Row | None, late: Row | None = None) -> Funds:
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
        return Funds(_unless_busy(tx, found, status), tx.settings.currency)
    wallet = wallets.get(tx, card.wallet_id)
    payer = authorization.payer_of(card)
    tariff = billing.tariff_for(tx, report.charger_id, place, wallet.currency, payer)
    if order is not None:
        # The driver's money was set aside before the charger was asked.
        return Funds("accepted", wallet.currency, wallet.id, order["hold_id"], tariff)
    verdict = _unless_busy(tx, found, authorization.judge_card(card, tx.now).status)
    if verdict == "accepted" and not authorization.covers(tx, report.charger_id, place, wallet, payer):
        verdict = "no_credit"
    if verdict != "accepted":
        return Funds(verdict, wallet.currency, wallet.id, None, tariff)
    least = authorization.least(tx, report.charger_id, place, wallet.currency, payer)
    amount = holds.to_begin(tx, wallet.id, least)
    if late is not None:
        amount = min(wallet.available, late["amount"])
    hold_id = holds.hold(tx, wallet.id, amount, _purpose(report))
    return Funds("accepted", wallet.currency, wallet.id, hold_id, tariff)


def _purpose(report: Report) -> str:
    # Named once: a second hold for the same start would break the UNIQUE of the table. The time comes
    # first, so that the index grows at its end.
    moment = report.told or to_text(report.at)
    if CLOCK in report.flags:
        moment = secrets.token_hex(8)  # without a clock each session is told in the same words
    place, uid = report.place or WHOLE_CHARGER, "" if report.token is None else report.token.value
    said = report.reference or f"{place.evse}.{place.connector}:{uid}:{report.register_wh}"
    return f"start:{to_text(report.at)}:{moment}:{report.charger_id}:{said}"


def _unless_busy(tx: Tx, found: Recognised, verdict: VerdictStatus) -> VerdictStatus:
    if verdict == "accepted" and found.card is not None and rows.active_of_card(tx, found.card.id):
        return "concurrent"
    return verdict


def watch(tx: Tx, session: Row, state: live.Live) -> live.Live:
    """Look at what is left after a reading: want a stop in time, and forecast the moment it is gone."""
    if session["verdict"] != "accepted" and not state.stop_wanted and state.meter.energy_wh > 0:
        return _want(tx, state, "deauthorized")
    if state.spendable is None or state.running is None or state.stop_wanted or _holds(state):
        return state
    while _is_time(tx, state):
        # A hold that grows in steps may need several of them.
        before, state = state, _extend(tx, session, state)
        if state.spendable == before.spendable:
            return _want(tx, state, "balance_used_up")
    return _forecast(tx, state)


def _extend(tx: Tx, session: Row, state: live.Live) -> live.Live:
    """Hold what was topped up since the start; an order's amount is what its driver chose and stays."""
    if session["order_id"] is not None or session["hold_id"] is None or state.spendable is None:
        return state
    more = holds.extend(tx, session["hold_id"])
    return state._replace(spendable=state.spendable + more)


def look_again(tx: Tx, session: Row) -> None:
    """The forecast moment has come without a reading: go on with what was topped up since, or want the stop."""
    before = live.of(tx, session)
    state = _extend(tx, session, before)
    if state.spendable == before.spendable:
        want_stop(tx, session["id"], "balance_used_up")
    else:
        live.STATES.set(tx, session["id"], _forecast(tx, state))


def _holds(state: live.Live) -> bool:
    """Tell whether the last forecast still holds: about the same power, and not yet half of time and money gone."""
    power, assumed = state.power_w or 0, state.forecast_power_w
    return (
        assumed * LITTLE_LESS <= power <= assumed
        and state.at < state.forecast_until
        and state.cost < state.forecast_cost
    )


def _is_time(tx: Tx, state: live.Live) -> bool:
    """Stop when what is left is spent before the next reading can be acted upon."""
    assert state.spendable is not None  # noqa: S101 - the caller looked
    left = state.spendable - state.cost
    if left <= 0:
        return True
    if state.running is None or not state.power_w:
        return False
    settings = tx.settings.prepaid
    sample = min(state.interval_s or settings.sample_interval_s, LONGEST_SAMPLE_S)
    rate = pricing.rate_per_hour(state.running, state.power_w)
    return left * 3600 <= rate * round(sample + settings.stop_latency_s)


def _forecast(tx: Tx, state: live.Live) -> live.Live:
    assert state.running is not None  # noqa: S101 - the caller looked
    assert state.spendable is not None  # noqa: S101
    moment = pricing.exhaustion(state.running, state.spendable, state.power_w or 0, state.at)
    if moment is not None:
        moment -= timedelta(seconds=tx.settings.prepaid.stop_latency_s)
    state = state._replace(
        forecast_power_w=state.power_w or 0,
        forecast_until=_believed_until(tx, state, moment),
        forecast_cost=state.cost + (state.spendable - state.cost) // 2,
    )
    if _same(moment, state.exhausts_at):
        return state
    rows.update(tx, state.id, {"exhausts_at": None if moment is None else to_text(moment)})
    return state._replace(exhausts_at=moment)


def _believed_until(tx: Tx, state: live.Live, moment: datetime | None) -> datetime:
    """Half of the time that is left; none of it when that is only a few readings away."""
    if moment is None:
        return state.at + LOOK_AGAIN
    half = (moment - state.at) / 2
    few = 2 * (state.interval_s + tx.settings.prepaid.stop_latency_s)
    return state.at + min(half, LOOK_AGAIN) if half.total_seconds() > few else state.at


def _same(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs((one - other).total_seconds()) < SAME_FORECAST_S


def _want(tx: Tx, state: live.Live, reason: StopReason) -> live.Live:
    want_stop(tx, state.id, reason)
    return state._replace(stop_wanted=True)


def want_stop(tx: Tx, session_id: int, reason: StopReason) -> bool:
    """Note that an active session should stop; the supervisor asks the charger until it does. Once only."""
    session = rows.get(tx, session_id)
    if session is None or session["state"] != "active" or session["stop_wanted"] is not None:
        return False
    rows.update(tx, session_id, {"stop_wanted": reason, "stop_wanted_at": tx.now_text})
    live.STATES.drop(tx, session_id)
    rows.ACTIVE.drop(tx, (session["charger_id"], session["transaction_id"]))
    tx.emit(Event("stop", str(session_id)))
    tx.emit(Event("session", str(session_id)))
    return True
