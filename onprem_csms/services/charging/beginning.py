"""The begin of a session, the card that pays it, and what the charger is told."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from onprem_csms.clock import to_text
from onprem_csms.db.cards import cards as card_rows
from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place
from onprem_csms.domain.charging.reports import Report, ReportAnswer
from onprem_csms.domain.charging.sessions import CLOCK, Verdict
from onprem_csms.events import Event
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import authorization, billing, ending, live, prepaid, review
from onprem_csms.services.charging.authorization import Recognised

LARGEST_ID = 2**31 - 1
NO_TOKEN = Token("", "none")


def begin(tx: Tx, report: Report) -> ReportAnswer:
    """Begin a session and return its reference; a repeated begin gets the same one.

    A card that may not charge gets a transaction too, with the verdict that says no (OCPP 1.6, 4.8).
    """
    repeated = _repeated(tx, report)
    if repeated is not None:
        return answer(tx, repeated, _verdict(tx, repeated))
    found = authorization.recognise(tx, report.charger_id, (report.token or NO_TOKEN).value)
    place = inventory.named_place(tx, report.charger_id, report.place or WHOLE_CHARGER)
    inventory.ensure_connector(tx, report.charger_id, place)
    report = replace(report, place=place)
    _supersede(tx, report, place)
    session = _begin(tx, report, found)
    session_id = session["id"]
    live.STATES.set(tx, session_id, live.begin(tx, session))
    rows.ACTIVE.set(tx, (report.charger_id, session["transaction_id"]), session)
    _flag(tx, session, report)
    if report.reservation_id is not None:
        rows.use_reservation(tx, report.charger_id, report.reservation_id, session_id)
    tx.emit(Event("session", str(session_id)))
    tx.emit(Event("charger", report.charger_id))
    return answer(tx, session, _verdict(tx, session))


def answer(tx: Tx, session: Row, verdict: Verdict | None) -> ReportAnswer:
    """Return what a charger is told of a session: its reference, the verdict, and the money so far."""
    state = live.known(tx, session["id"])
    return ReportAnswer(
        session["id"],
        session["transaction_id"],
        verdict,
        session["cost"] if state is None else state.cost,
        None if state is None else state.spendable,
        session["currency"],
        stop=state is not None and state.stop_wanted,
    )


def shown(tx: Tx, session: Row, report: Report) -> tuple[Row, Verdict]:
    """Judge a card that was shown during a session: it becomes the card of one that began without.

    Returns the session and the verdict on the card.
    """
    report = replace(report, place=Place(session["evse"], session["connector"]))
    found = authorization.recognise(tx, report.charger_id, (report.token or NO_TOKEN).value)
    if session["uid"] or session["state"] == "ended":
        if found.card is None:
            return session, Verdict("invalid")
        return session, authorization.judge_card(found.card, tx.now)
    order, late = _order_for(tx, report, found)
    funds = prepaid.fund(tx, report, found, order, late)
    columns = _paid_by(report, found, funds)
    columns["order_id"] = _paying(order or late, funds)
    if live.of(tx, session).meter.energy_wh == 0:
        # What is billed starts with the card or the first energy, not with the cable (2.x, TxStartPoint).
        columns["began_at"] = max(session["began_at"], to_text(report.at))
    rows.update(tx, session["id"], columns)
    rows.ACTIVE.drop(tx, (report.charger_id, session["transaction_id"]))
    live.STATES.drop(tx, session["id"])
    after = rows.get(tx, session["id"])
    assert after is not None  # noqa: S101 - it was updated just now
    _take_order(tx, after, funds)
    return after, _verdict(tx, after)


def _start_key(report: Report) -> str:
    # The time first, so that the index grows at its end and not at a hundred places.
    place, token = report.place or WHOLE_CHARGER, report.token or NO_TOKEN
    return f"{report.told or to_text(report.at)}|{_where(place)}|{token.value}|{report.register_wh or 0}"


def _where(place: Place) -> str:
    return f"{place.evse}.{place.connector}" if place.evse else str(place.connector)


def _repeated(tx: Tx, report: Report) -> Row | None:
    if report.reference is not None:
        return rows.by_transaction(tx, report.charger_id, report.reference)
    row = rows.by_start(tx, report.charger_id, _start_key(report))
    # A charger without a clock says the same words for each session; then only a running one is the same.
    if row is None or (row["state"] == "ended" and CLOCK in report.flags):
        return None
    return row


def _verdict(tx: Tx, session: Row) -> Verdict:
    card = None if session["card_id"] is None else card_rows.by_id(tx, session["card_id"])
    if card is None:
        return Verdict(session["verdict"])
    return Verdict(session["verdict"], card.expires_at, card.group, ask_again=card.kind == "prepaid")


def _supersede(tx: Tx, report: Report, place: Place) -> None:
    """End what still runs on the connector: it can only hold one session. An old start in a backlog ends nothing."""
    if place.whole_charger:
        return
    for row in rows.active_on(tx, report.charger_id, place):
        if row["began_at"] <= to_text(report.at):
            ending.close(tx, row, "never_reported")
            review.flag_session(tx, row, "superseded")


def _begin(tx: Tx, report: Report, found: Recognised) -> Row:
    order, late = _order_for(tx, report, found)
    funds = prepaid.fund(tx, report, found, order, late)
    place = report.place or WHOLE_CHARGER
    session = _write(
        tx,
        {
            "charger_id": report.charger_id,
            "evse": place.evse,
            "connector": place.connector,
            "transaction_id": report.reference,
            "start_key": _start_key(report),
            "state": "active",
            "began_at": to_text(report.at),
            "meter_start_wh": max(0, _first_register(report)),
            **live.limits(tx, report.charger_id),
            **_paid_by(report, found, funds),
            "order_id": _paying(order or late, funds),
            "received_at": tx.now_text,
        },
    )
    _take_order(tx, session, funds)
    return session


def _first_register(report: Report) -> int:
    """Return the register at the begin, in Wh: told with it, or the first that came."""
    if report.register_wh is not None:
        return report.register_wh
    return next((reading.energy_wh for reading in report.readings if reading.energy_wh is not None), 0)


def _paid_by(report: Report, found: Recognised, funds: prepaid.Funds) -> dict[str, Any]:
    """Return the columns of who pays a session and what for."""
    return {
        "uid": found.uid,
        "card_id": found.card_id,
        "wallet_id": funds.wallet_id,
        "hold_id": funds.hold_id,
        "verdict": funds.verdict,
        "tariff": None if funds.tariff is None else billing.dump_tariff(funds.tariff),
        "currency": funds.currency,
        "cost": billing.at_start(funds.tariff, report.at) if funds.verdict == "accepted" else 0,
    }


def _order_for(tx: Tx, report: Report, found: Recognised) -> tuple[Row | None, Row | None]:
    """Return the open order that a begin serves, and else the one whose charger still waited for the cable."""
    if found.card is None:
        return None, None
    order = order_rows.open_for(tx, report.charger_id, found.card.id)
    if order is not None and _serves(order, report, found, tx.now):
        return order, None
    since = tx.now - timedelta(seconds=2 * tx.settings.prepaid.start_timeout_s)
    place = (report.charger_id, *(report.place or WHOLE_CHARGER), found.card.id)
    return None, order_rows.given_back(tx, place, to_text(since))


def _paying(order: Row | None, funds: prepaid.Funds) -> str | None:
    """Return the id of an order whose money pays the session; a personal card's order has none."""
    if order is None or (funds.hold_id is None and order["hold_id"] is not None):
        return None
    order_id: str = order["id"]
    return order_id


def _take_order(tx: Tx, session: Row, funds: prepaid.Funds) -> None:
    order_id = session["order_id"]
    if order_id is not None and order_rows.began(tx, order_id, session["id"], funds.hold_id):
        tx.emit(Event("order", order_id))


def _serves(order: Row, report: Report, found: Recognised, now: datetime) -> bool:
    """Tell whether an order is for this connector, and its card was not blocked since; else its money goes back."""
    place = report.place or WHOLE_CHARGER
    if found.card is None or not place.shares_outlet(Place(order["evse"], order["connector"])):
        return False
    return authorization.judge_card(found.card, now).status == "accepted"


def _write(tx: Tx, values: dict[str, Any]) -> Row:
    """Write a session, with a transaction id of ours where the charger has not chosen one."""
    given = values["transaction_id"]
    while True:
        # Random, so that one charger can't guess another's transaction; 31 bits, because some keep them in an int.
        values["transaction_id"] = given or str(1 + secrets.randbelow(LARGEST_ID))
        session = rows.insert(tx, values)
        if session is not None:
            return session
        if given:
            message = f"the transaction {given} was looked up and is there all the same"
            raise RuntimeError(message)


def _flag(tx: Tx, session: Row, report: Report) -> None:
    if (report.register_wh or 0) < 0:
        review.flag_session(tx, session, "negative_register")
    if (tx.now - report.at).total_seconds() > tx.settings.sessions.late_after_s:
        review.flag_session(tx, session, "late")
    if session["wallet_id"] is not None and session["tariff"] is None:
        review.flag_session(tx, session, "no_tariff")
    review.flag_words(tx, session, report.flags)
