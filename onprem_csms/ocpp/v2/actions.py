"""OCPP 2.0.1: what a charger may say, one small function for each message (part 2, edition 3, section 1).

A function turns the payload into neutral values, calls one service and returns the answer's payload. Each message
of the specification is answered: what is not supported yet with the refusal that the message has for it.
"""

from typing import Any

from onprem_csms.domain.chargers.chargers import Boot, StatusChange
from onprem_csms.domain.chargers.places import WHOLE_CHARGER
from onprem_csms.domain.charging.reports import Report, ReportAnswer
from onprem_csms.domain.charging.sessions import AuthorizeRequest, Verdict
from onprem_csms.ocpp.link.incoming import Action, Handler, Incoming
from onprem_csms.ocpp.rpc import moments
from onprem_csms.ocpp.v2 import events, meter, transactions, variables, words
from onprem_csms.services.chargers import configuration, inventory
from onprem_csms.services.charging import authorization, presence, reports, reservations
from onprem_csms.services.core.context import Tx

Payload = dict[str, Any]

_LONGEST_NOTICE = 2000


async def authorize(call: Incoming) -> Payload:
    """C01: may this token charge. A contract's certificate can't be checked here yet (C07)."""
    payload = call.payload
    token = words.token(payload["idToken"]) or words.NO_TOKEN
    if token == words.NO_TOKEN:
        verdict = Verdict("accepted")
    else:
        request = AuthorizeRequest(call.charger_id, token.value)
        verdict = await call.ctx.write(authorization.authorize, request)
    answer: Payload = {"idTokenInfo": words.token_info(verdict, _now(call))}
    if "certificate" in payload or "iso15118CertificateHashData" in payload:
        answer["certificateStatus"] = "NoCertificateAvailable"
    return answer


async def boot_notification(call: Incoming) -> Payload:
    """B01 to B03: a charger has started and asks whether it may work here."""
    station = call.payload.get("chargingStation")
    station = station if isinstance(station, dict) else {}
    boot = Boot(
        call.charger_id,
        words.text(station.get("vendorName"), 50),
        words.text(station.get("model"), 50),
        words.text(station.get("serialNumber"), 50),
        words.text(station.get("firmwareVersion"), 50),
        call.payload,
    )
    answer = await call.ctx.write(presence.booted, boot)
    call.station.registered(answer.registration)
    return {
        "currentTime": _now(call),
        "interval": answer.interval_s,
        "status": words.REGISTRATIONS[answer.registration],
    }


async def heartbeat(call: Incoming) -> Payload:
    """G02: still here, and what time is it. Nothing is written."""
    return {"currentTime": _now(call)}


async def transaction_event(call: Incoming) -> Payload:
    """E01 to E12: a transaction began, went on or ended."""
    event = transactions.event(call)
    told = await call.ctx.write(take, event)
    began = call.payload.get("eventType") == "Started"
    return transactions.answer(began, words.token(call.payload.get("idToken")), told, _now(call))


def take(tx: Tx, event: transactions.Event) -> ReportAnswer:
    """Keep what an event reports, and let the connector show it."""
    answer = reports.take(tx, event.report)
    if event.shown is not None:
        presence.session_shows(tx, event.report.charger_id, answer, event.shown, event.report.at)
    return answer


async def meter_values(call: Incoming) -> Payload:
    """J01: readings that name no transaction; they belong to what runs at their EVSE, if anything."""
    readings, quirks, clock = meter.decode(call.payload.get("meterValue"), call.window)
    evse = words.number(call.payload.get("evseId"))
    if evse is None:
        call.broken = True
    report = Report(
        call.charger_id,
        "update",
        None,
        WHOLE_CHARGER if evse is None else WHOLE_CHARGER._replace(evse=evse),
        call.window.received,
        readings=readings,
        flags=call.flags(quirks, clock=clock) if quirks or call.broken else (),
    )
    await call.ctx.write(reports.take, report)
    return {}


async def status_notification(call: Incoming) -> Payload:
    """G01: a connector is in this state."""
    change = events.status(call)
    if change is not None:
        await call.ctx.write(presence.status_changed, change)
    return {}


async def notify_event(call: Incoming) -> Payload:
    """N07: something happened; kept as it is, and what it says of a connector's state counts."""
    await call.ctx.write(_happened, call.charger_id, tuple(events.changes(call)), _detail(call))
    return {}


def _happened(tx: Tx, charger_id: str, changes: tuple[StatusChange, ...], detail: Payload) -> None:
    for change in changes:
        presence.status_changed(tx, change)
    presence.noticed(tx, charger_id, "NotifyEvent", detail)


async def notify_report(call: Incoming) -> Payload:
    """B07, B08: a part of the device model; parts may come in any order, or never."""
    data = call.payload.get("reportData")
    told = tuple(variables.reported(data))
    await call.ctx.write(_reported, call.charger_id, told, frozenset(variables.places(data)))
    return {}


def _reported(tx: Tx, charger_id: str, told: tuple[Any, ...], places: frozenset[Any]) -> None:
    configuration.report(tx, charger_id, told)
    for place in sorted(places):
        inventory.ensure_connector(tx, charger_id, place)


async def reservation_status_update(call: Incoming) -> Payload:
    """H04: a reservation ended at the charger."""
    number = words.number(call.payload.get("reservationId"))
    if number is not None:
        await call.ctx.write(reservations.cancelled, call.charger_id, number)
    await _keep(call)
    return {}


async def data_transfer(call: Incoming) -> Payload:
    """P02: something of the maker's own; kept, and no maker is known yet."""
    await _keep(call)
    return {"status": "UnknownVendorId"}


async def notice(call: Incoming) -> Payload:
    """Keep what is told as it is; there is nothing to answer."""
    await _keep(call)
    return {}


def _kept_and_answered(answer: Payload) -> Handler:
    async def keep(call: Incoming) -> Payload:
        await _keep(call)
        return answer

    return keep


async def _keep(call: Incoming) -> None:
    await call.ctx.write(presence.noticed, call.charger_id, call.action, _detail(call))


def _detail(call: Incoming) -> Payload:
    return {name: str(value)[:_LONGEST_NOTICE] for name, value in call.payload.items()}


def _now(call: Incoming) -> str:
    return moments.wire(call.ctx.clock.now())


def _nothing(_: int) -> Payload:
    return {}


_NOTICE = Action(notice, lenient=True)

ACTIONS: dict[str, Action] = {
    "Authorize": Action(authorize),
    "BootNotification": Action(boot_notification, before_accepted=True, lenient=True),
    "ClearedChargingLimit": _NOTICE,
    "DataTransfer": Action(data_transfer, lenient=True),
    "FirmwareStatusNotification": _NOTICE,
    "Get15118EVCertificate": Action(
        _kept_and_answered({"status": "Failed", "exiResponse": ""}), lenient=True
    ),
    "GetCertificateStatus": Action(_kept_and_answered({"status": "Failed"}), lenient=True),
    "Heartbeat": Action(heartbeat),
    "LogStatusNotification": _NOTICE,
    "MeterValues": Action(meter_values, must_answer=_nothing),
    "NotifyChargingLimit": _NOTICE,
    "NotifyCustomerInformation": _NOTICE,
    "NotifyDisplayMessages": _NOTICE,
    "NotifyEVChargingNeeds": Action(_kept_and_answered({"status": "Rejected"}), lenient=True),
    "NotifyEVChargingSchedule": Action(_kept_and_answered({"status": "Accepted"}), lenient=True),
    "NotifyEvent": Action(notify_event, lenient=True),
    "NotifyMonitoringReport": Action(notice, lenient=True),
    "NotifyReport": Action(notify_report, before_accepted=True, lenient=True),
    "PublishFirmwareStatusNotification": _NOTICE,
    "ReportChargingProfiles": _NOTICE,
    "ReservationStatusUpdate": Action(reservation_status_update, lenient=True),
    "SecurityEventNotification": _NOTICE,
    "SignCertificate": Action(_kept_and_answered({"status": "Rejected"}), lenient=True),
    "StatusNotification": Action(status_notification, lenient=True),
    "TransactionEvent": Action(transaction_event, must_answer=_nothing),
}
