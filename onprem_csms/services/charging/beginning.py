"""The begin of a session, the card that pays it, and what the charger is told."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from onprem_csms.clock import from_millis, from_text, to_millis, to_text
from onprem_csms.db.cards import cards as card_rows
from onprem_csms.db.chargers import connectors as connector_rows
from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.charging.orders import OrderRecord
from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report, ReportAnswer
from onprem_csms.domain.charging.sessions import ACTIVITIES_SHOWN, CLOCK, Activity, Verdict
from onprem_csms.domain.money import pricing
from onprem_csms.events import Event
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import (
    authorization,
    ending,
    funding,
    live,
    prepaid,
    registers,
    repeats,
    reservations,
    review,
    starts,
)
from onprem_csms.services.charging.authorization import Recognised
from onprem_csms.services.charging.funding import Funds

NO_TOKEN = Token("", "none")


def begin(tx: Tx, report: Report) -> ReportAnswer:
    """Begin a session and return its reference; a repeated begin gets the same one.

    A card that may not charge gets a transaction too, with the verdict that says no (OCPP 1.6, 4.8).
    """
    token = report.token or NO_TOKEN
    found = authorization.recognise(tx, report.charger_id, token.value)
    place = starts.place_of(tx, report)
    report = starts.believed(tx, report if place == report.place else replace(report, place=place))
    repeated = repeats.of_begin(tx, report, found.uid)
    if repeated is not None:
        return answer(tx, repeated, _verdict(tx, repeated))
    inventory.ensure_connector(tx, report.charger_id, place)
    _supersede(tx, report, place)
    session = _begin(tx, report, found, place)
    registers.session_begins(tx, session)
    _flag(tx, session, report)
    if report.reservation_id is not None:
        reservations.used(tx, report.charger_id, report.reservation_id, session.id)
    tx.emit(Event("session", str(session.id)))
    tx.emit(Event("charger", report.charger_id))
    return answer(tx, session, _verdict(tx, session))


def answer(tx: Tx, session: Session, verdict: Verdict | None) -> ReportAnswer:
    """Return what a charger is told of a session: its reference, the verdict, and the money so far."""
    cost = limit = None
    # Only those who chose their reference are told a cost; it is not computed for nothing.
    if session.reference is not None:
        cost, limit = _cost(tx, session), live.spendable(tx, session) if session.active else None
    return ReportAnswer(
        session.id,
        rows.number(tx, session),
        verdict,
        cost,
        limit,
        session.currency,
        stop=session.active and session.stop_wanted is not None,
        place=session.place,
        active=session.active,
    )


def _cost(tx: Tx, session: Session) -> int:
    now = live.known(tx, session.id)
    if now is None:
        return session.cost
    return 0 if now.state.running is None else pricing.total(now.state.running)


def placed(tx: Tx, session: Session, place: Place | None) -> Session:
    """Remember the place of a session whose begin named none, or only the EVSE."""
    if place is None or not session.active or session.connector or place == session.place:
        return session
    if session.evse not in {0, place.evse}:
        return session
    inventory.ensure_connector(tx, session.charger_id, place)
    return rows.update(tx, session, evse=place.evse, connector=place.connector)


def shown(tx: Tx, session: Session, report: Report) -> tuple[Session, Verdict]:
    """Judge a card that was shown during a session: it becomes the card of one that began without.

    Returns the session and the verdict on the card.
    """
    report = replace(report, place=session.place)
    found = authorization.recognise(tx, report.charger_id, (report.token or NO_TOKEN).value)
    if session.uid or not session.active:
        if found.card is None:
            return session, Verdict("invalid")
        return session, authorization.judge_card(found.card, tx.now)
    order, late = _order_for(tx, report, found, session.place)
    funds = funding.fund(tx, report, found, order, late)
    columns = _paid_by(report, found, funds) | {"order_id": _paying(order or late, funds)}
    columns["exhausts"] = to_millis(tx.now)
    if live.of(tx, session).state.energy_wh == 0:
        # What is billed starts with the card or the first energy, not with the cable (2.x, TxStartPoint).
        columns["began"] = max(session.began, to_millis(report.at))
    after = rows.update(tx, session, **columns)
    live.again(tx, after)
    _take_order(tx, after, funds)
    return after, _verdict(tx, after)


def _verdict(tx: Tx, session: Session) -> Verdict:
    card = None if session.card_id is None else card_rows.by_id(tx, session.card_id)
    if card is None:
        return Verdict(session.verdict)
    return authorization.verdict_on(card, session.verdict)


def _supersede(tx: Tx, report: Report, place: Place) -> None:
    """End what still runs on the connector: it can only hold one session. An old start in a backlog ends nothing."""
    if place.whole_charger:
        return
    for session in rows.active_on(tx, report.charger_id, place):
        if session.began <= to_millis(report.at):
            ending.close(tx, session, "never_reported")
            review.flag_session(tx, session, "superseded")


def _begin(tx: Tx, report: Report, found: Recognised, place: Place) -> Session:
    order, late = _order_for(tx, report, found, place)
    funds = funding.fund(tx, report, found, order, late)
    columns = {
        "charger_id": report.charger_id,
        "evse": place.evse,
        "connector": place.connector,
        "reference": report.reference,
        "token_type": (report.token or NO_TOKEN).type,
        "began": to_millis(report.at),
        "received": to_millis(tx.now),
        "meter_start_wh": max(0, _first_register(report)),
        "first_activity": _shown_activity(tx, report, place),
        **live.limits(tx, report.charger_id),
        "time_unsure": int(CLOCK in report.flags and not starts.told_at_once(tx, report.charger_id)),
        "fee_taken": int(starts.fee_was_taken(tx, report, found.uid)),
        **_paid_by(report, found, funds),
        "order_id": _paying(order or late, funds),
    }
    offline = starts.was_offline(tx, report)
    columns["exhausts"] = prepaid.first_look(tx, rows.draft(columns), offline=offline)
    session = rows.insert(tx, columns)
    live.begin(tx, session, offline=offline)
    _take_order(tx, session, funds)
    return session


def _shown_activity(tx: Tx, report: Report, place: Place) -> Activity:
    """Return the activity that the connector showed when a session began; nothing said means that it charges.

    What was shown during the session before says nothing of this one.
    """
    key = (report.charger_id, *place)
    shown = connector_rows.SHOWN.get(tx, key)
    if shown is None and not place.whole_charger:
        shown = connector_rows.shown(tx, report.charger_id, place)
    if shown is None or not shown.at or from_text(shown.at) > report.at:
        return "charging"
    if shown.status in ACTIVITIES_SHOWN and to_millis(from_text(shown.at)) < registers.last_end(
        tx, report.charger_id, place
    ):
        return "charging"
    return ACTIVITIES_SHOWN.get(shown.status, "charging")


def _first_register(report: Report) -> int:
    """Return the register at the begin, in Wh: told with it, or the first that came."""
    if report.register_wh is not None:
        return report.register_wh
    return next((reading.energy_wh for reading in report.readings if reading.energy_wh is not None), 0)


def _paid_by(report: Report, found: Recognised, funds: Funds) -> dict[str, Any]:
    """Return the columns of who pays a session and what for."""
    return {
        "uid": found.uid,
        "card_id": found.card_id,
        "wallet_id": funds.wallet_id,
        "hold_id": funds.hold_id,
        "verdict": funds.verdict,
        "tariff_version_id": None if funds.tariff is None else funds.tariff.version_id,
        "currency": funds.currency,
    }


def _order_for(
    tx: Tx, report: Report, found: Recognised, place: Place
) -> tuple[OrderRecord | None, OrderRecord | None]:
    """Return the open order that a begin serves, and else the one whose charger still waited for the cable."""
    if found.card is None:
        return None, None
    order = order_rows.open_for(tx, report.charger_id, found.card.id)
    if order is not None and _serves(order, found, place, tx.now):
        return order, None
    since = to_text(tx.now - funding.given_back_since(tx))
    late = order_rows.given_back(tx, report.charger_id, found.card.id, since)
    return None, late if late is not None and place.shares_outlet(late.place) else None


def _paying(order: OrderRecord | None, funds: Funds) -> str | None:
    """Return the id of an order whose money pays the session; a personal card's order has none."""
    if order is None or (funds.hold_id is None and order.hold_id is not None):
        return None
    return order.id


def _take_order(tx: Tx, session: Session, funds: Funds) -> None:
    order_id = session.order_id
    if order_id is not None and order_rows.began(tx, order_id, session.id, funds.hold_id):
        tx.emit(Event("order", order_id))


def _serves(order: OrderRecord, found: Recognised, place: Place, now: datetime) -> bool:
    """Tell whether an order is for this connector, and its card was not blocked since; else its money goes back."""
    if found.card is None or not place.shares_outlet(order.place):
        return False
    return authorization.judge_card(found.card, now).status == "accepted"


def _flag(tx: Tx, session: Session, report: Report) -> None:
    if (report.register_wh or 0) < 0:
        review.flag_session(tx, session, "negative_register")
    if (tx.now - from_millis(session.began)).total_seconds() > tx.settings.sessions.late_after_s:
        review.flag_session(tx, session, "late")
    if session.fee_taken:
        review.flag_session(tx, session, "repeated_sessions")
    if session.wallet_id is not None and session.tariff_version_id is None:
        review.flag_session(tx, session, "no_tariff")
    if CLOCK in report.flags:
        review.flag_session(tx, session, CLOCK, {"told": report.told})
    review.flag_words(tx, session, report.flags)
