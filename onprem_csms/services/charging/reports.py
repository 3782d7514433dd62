"""The life of a session as its charger reports it: start, readings, stop.

Nothing that carries money is refused here: what is late, repeated, broken or unknown is kept, booked
where that is certain, and put onto the review list.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from onprem_csms.clock import maybe_from_text, maybe_text, to_text
from onprem_csms.db.cards import tokens as token_rows
from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.charging import readings as reading_rows
from onprem_csms.db.charging import sessions as rows
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.charging.sessions import (
    CLOCK,
    Activity,
    MeterBatch,
    Reading,
    StartAnswer,
    StartRequest,
    StopAnswer,
    StopRequest,
    Verdict,
)
from onprem_csms.events import Event
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import authorization, billing, ending, live, prepaid, review
from onprem_csms.services.charging.authorization import Recognised

LARGEST_ID = 2**31 - 1


def start_session(tx: Tx, start: StartRequest) -> StartAnswer:
    """Begin a session and return its transaction id; a repeated start gets the same one.

    A card that may not charge gets a transaction too, with the verdict that says no (OCPP 1.6, 4.8).
    """
    repeated = _repeated(tx, start)
    if repeated is not None:
        return _answer(tx, repeated)
    found = authorization.recognise(tx, start.charger_id, start.uid)
    inventory.ensure_connector(tx, start.charger_id, start.connector)
    _supersede(tx, start)
    session = _begin(tx, start, found)
    session_id = session["id"]
    live.STATES.set(tx, session_id, live.begin(tx, session))
    rows.ACTIVE.set(tx, (start.charger_id, session["transaction_id"]), session)
    _flag_start(tx, session, start)
    if start.reservation_id is not None:
        rows.use_reservation(tx, start.charger_id, start.reservation_id, session_id)
    tx.emit(Event("session", str(session_id)))
    tx.emit(Event("charger", start.charger_id))
    return _answer(tx, session)


def _start_key(start: StartRequest) -> str:
    # The time first, so that the index grows at its end and not at a hundred places.
    return f"{start.at_raw or to_text(start.at)}|{start.connector}|{start.uid}|{start.meter_start_wh}"


def _repeated(tx: Tx, start: StartRequest) -> Row | None:
    if start.transaction_id is not None:
        return rows.by_transaction(tx, start.charger_id, start.transaction_id)
    row = rows.by_start(tx, start.charger_id, _start_key(start))
    # A charger without a clock says the same words for each session; then only a running one is the same.
    if row is None or (row["state"] == "ended" and CLOCK in start.flags):
        return None
    return row


def _answer(tx: Tx, session: Row) -> StartAnswer:
    card = None if session["token_uid"] is None else token_rows.by_uid(tx, session["token_uid"])
    verdict = Verdict(session["verdict"])
    if card is not None:
        verdict = Verdict(session["verdict"], maybe_from_text(card["expires_at"]), card["group_name"])
    return StartAnswer(session["id"], session["transaction_id"], verdict)


def _supersede(tx: Tx, start: StartRequest) -> None:
    """End what still runs on the connector: it can only hold one session. An old start in a backlog ends nothing."""
    if start.connector == 0:
        return
    for row in rows.active_on(tx, start.charger_id, start.connector):
        if row["began_at"] <= to_text(start.at):
            ending.close(tx, row, "never_reported")
            review.flag_session(tx, row, "superseded")


def _begin(tx: Tx, start: StartRequest, found: Recognised) -> Row:
    order = None if found.card is None else order_rows.open_for(tx, start.charger_id, found.card["uid"])
    if order is not None and not _serves(order, start, found, tx.now):
        order = None
    late = _late_order(tx, start, found) if order is None else None
    funds = prepaid.fund(tx, start, found, order, late)
    if funds.hold_id is not None:
        order = order or late
    session = _write(
        tx,
        {
            "charger_id": start.charger_id,
            "connector": start.connector,
            "transaction_id": start.transaction_id,
            "start_key": _start_key(start),
            "uid": found.uid,
            "token_uid": found.token_uid,
            "wallet_id": funds.wallet_id,
            "hold_id": funds.hold_id,
            "order_id": None if order is None else order["id"],
            "state": "active",
            "verdict": funds.verdict,
            "began_at": to_text(start.at),
            "meter_start_wh": max(0, start.meter_start_wh),
            **live.limits(tx, start.charger_id),
            "tariff": None if funds.tariff is None else billing.dump_tariff(funds.tariff),
            "currency": funds.currency,
            "cost": billing.at_start(funds.tariff, start.at) if funds.verdict == "accepted" else 0,
            "received_at": tx.now_text,
        },
    )
    if order is not None and order_rows.began(tx, order["id"], session["id"], funds.hold_id):
        tx.emit(Event("order", order["id"]))
    return session


def _late_order(tx: Tx, start: StartRequest, found: Recognised) -> Row | None:
    """Find an order that was given back while its charger still waited for the cable: the start is its start."""
    if found.card is None:
        return None
    since = tx.now - timedelta(seconds=2 * tx.settings.prepaid.start_timeout_s)
    place = (start.charger_id, start.connector, found.card["uid"])
    return order_rows.given_back(tx, place, to_text(since))


def _serves(order: Row, start: StartRequest, found: Recognised, now: datetime) -> bool:
    """Tell whether an order is for this connector, and its card was not blocked since; else its money goes back."""
    if found.card is None or order["connector"] != start.connector:
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


def _flag_start(tx: Tx, session: Row, start: StartRequest) -> None:
    if start.meter_start_wh < 0:
        review.flag_session(tx, session, "negative_register")
    if (tx.now - start.at).total_seconds() > tx.settings.sessions.late_after_s:
        review.flag_session(tx, session, "late")
    if session["wallet_id"] is not None and session["tariff"] is None:
        review.flag_session(tx, session, "no_tariff")
    _flag_words(tx, session, start.flags)


def _flag_words(tx: Tx, session: Row, flags: Iterable[str]) -> None:
    for flag in flags:
        if flag in review.KINDS:
            review.flag_session(tx, session, flag)


def record_readings(tx: Tx, batch: MeterBatch) -> None:
    """Keep readings; those of a running session move its energy and cost and may want it stopped."""
    session = _session_of(tx, batch)
    if session is None:
        _record_loose(tx, batch)
    elif session["state"] == "ended":
        _record_after_end(tx, session, batch.readings)
    else:
        record_in(tx, session, batch.readings)
        _flag_words(tx, session, batch.flags)


def _session_of(tx: Tx, batch: MeterBatch) -> Row | None:
    if batch.transaction_id is not None:
        key = (batch.charger_id, batch.transaction_id)
        session = rows.ACTIVE.get(tx, key)
        if session is None:
            session = rows.by_transaction(tx, batch.charger_id, batch.transaction_id)
            if session is not None and session["state"] == "active":
                rows.ACTIVE.set(tx, key, session)
        return session
    # Without a transaction the connector's meter still measures whatever runs on it.
    active = rows.active_on(tx, batch.charger_id, batch.connector) if batch.connector else []
    if len(active) == 1 and all(to_text(reading.at) >= active[0]["began_at"] for reading in batch.readings):
        return active[0]
    return None


def _record_loose(tx: Tx, batch: MeterBatch) -> None:
    for reading in batch.readings:
        at = to_text(reading.at)
        reading_rows.insert_loose(
            tx, (batch.charger_id, batch.connector, at, reading.energy_wh, reading.power_w)
        )
    if batch.transaction_id is not None:
        detail = {"transaction_id": batch.transaction_id, "connector": batch.connector}
        review.flag_message(tx, batch.charger_id, "orphan_readings", detail)


def _record_after_end(tx: Tx, session: Row, readings: Iterable[Reading]) -> None:
    # Closing readings arrive after the stop; they are kept and change no bill.
    for reading in readings:
        at = to_text(reading.at)
        if reading.signed is not None:
            reading_rows.insert_signed(tx, session["id"], at, reading.signed)
        if at > session["ended_at"]:
            figures = (reading.energy_wh, session["energy_wh"], session["cost"], reading.power_w)
            more = (reading.current_ma, reading.voltage_mv, reading.soc_percent, "charging", reading.context)
            reading_rows.insert(tx, (session["id"], at, *figures, *more))


def record_in(tx: Tx, session: Row, readings: Iterable[Reading]) -> live.Live:
    """Fold readings into an active session; returns its state."""
    before = state = live.of(tx, session)
    for reading in sorted(readings, key=_moment):
        taken = live.take(tx, session["id"], state, reading)
        state = taken.live
        for flag in taken.flags:
            detail = {"at": to_text(reading.at), "register_wh": reading.energy_wh}
            review.flag_session(tx, session, flag, detail)
    if state is not before:
        state = prepaid.watch(tx, session, state)
        live.STATES.set(tx, session["id"], state)
        tx.emit(Event("session", str(session["id"])))
    return state


def _moment(reading: Reading) -> datetime:
    return reading.at


def change_activity(tx: Tx, charger_id: str, connector: int, at: datetime, activity: Activity) -> None:
    """The vehicle began or ceased to ask for power, or the charger paused; cut the running session there."""
    active = rows.active_on(tx, charger_id, connector)
    if len(active) != 1 or active[0]["activity"] == activity or to_text(at) < active[0]["began_at"]:
        return
    session = active[0]
    state = record_in(tx, session, (Reading(at, context="other"),))
    rows.update(tx, session["id"], {"activity": activity})
    live.STATES.set(tx, session["id"], state._replace(activity=activity))
    rows.ACTIVE.drop(tx, (charger_id, session["transaction_id"]))


def stop_session(tx: Tx, stop: StopRequest) -> StopAnswer:
    """End a session and book it; a repeated stop books nothing, a late one corrects what was closed here."""
    verdict = _stop_verdict(tx, stop)
    session = rows.by_transaction(tx, stop.charger_id, stop.transaction_id)
    if session is None:
        session = _match(tx, stop)
    if session is None:
        review.flag_message(tx, stop.charger_id, "orphan_stop", _content(stop))
        return StopAnswer(None, verdict)
    if session["state"] == "active" or session["closed_by"] == "house":
        _end_by(tx, session, stop)
    elif stop.meter_stop_wh is not None and stop.meter_stop_wh != session["meter_stop_wh"]:
        review.flag_session(tx, session, "second_stop", _content(stop))
    _flag_words(tx, session, stop.flags)
    return StopAnswer(session["id"], verdict)


def _end_by(tx: Tx, session: Row, stop: StopRequest) -> None:
    late = session["state"] == "ended"
    if stop.meter_stop_wh is None:
        review.flag_session(tx, session, "no_meter_stop")
    if (tx.now - stop.at).total_seconds() > tx.settings.sessions.late_after_s:
        review.flag_session(tx, session, "late")
    if not late:
        record_in(tx, session, (reading for reading in stop.readings if reading.at <= stop.at))
    end = ending.End(stop.at, stop.meter_stop_wh, stop.reason, "charger", stop.readings if late else ())
    ending.finish(tx, session, end)


def _stop_verdict(tx: Tx, stop: StopRequest) -> Verdict | None:
    """Judge the card shown at the end, without looking at money: whoever may not charge may still stop."""
    if not stop.uid:
        return None
    found = authorization.recognise(tx, stop.charger_id, stop.uid)
    return Verdict("invalid") if found.card is None else authorization.judge_card(found.card, tx.now)


def _match(tx: Tx, stop: StopRequest) -> Row | None:
    """Find the session that a stop with a wrong transaction means: by card, times and meter, only where unique."""
    if not stop.uid:
        return None
    found = authorization.recognise(tx, stop.charger_id, stop.uid)
    fitting = [
        row
        for row in rows.active_of_charger(tx, stop.charger_id)
        if row["uid"] == found.uid
        and row["began_at"] <= to_text(stop.at)
        and (stop.meter_stop_wh is None or stop.meter_stop_wh >= row["meter_start_wh"])
    ]
    if len(fitting) != 1:
        return None
    review.flag_session(tx, fitting[0], "matched_stop", _content(stop))
    return fitting[0]


def _content(stop: StopRequest) -> dict[str, Any]:
    fields = asdict(stop)
    fields.pop("flags")
    text = json.dumps(
        fields, default=lambda value: maybe_text(value) if isinstance(value, datetime) else str(value)
    )
    content: dict[str, Any] = json.loads(text)
    return content
