"""OCPP 1.6: what a charger may say, one small function for each message (OCPP 1.6 edition 2, section 4).

A function turns the payload into neutral values, calls one service and returns the answer's payload,
its members in the order of the specification. Messages that carry a transaction come here however broken
they are; what is missing then has a stand-in and the flag ``broken``.
"""

from typing import Any

from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.chargers import Boot, ConnectorStatus, StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report, ReportAnswer
from onprem_csms.domain.charging.sessions import AuthorizeRequest, StopReason, Verdict, VerdictStatus
from onprem_csms.ocpp import metering
from onprem_csms.ocpp.link.incoming import Action, Incoming
from onprem_csms.ocpp.rpc import moments
from onprem_csms.services.charging import authorization, presence, reports

Payload = dict[str, Any]

STATUSES: dict[str, ConnectorStatus] = {
    "Available": "available",
    "Preparing": "preparing",
    "Charging": "charging",
    "SuspendedEVSE": "suspended_charger",
    "SuspendedEV": "suspended_vehicle",
    "Finishing": "finishing",
    "Reserved": "reserved",
    "Unavailable": "unavailable",
    "Faulted": "faulted",
    "Occupied": "occupied",  # 1.5's word
}
REASONS: dict[str, StopReason] = {
    "Local": "local",
    "Remote": "remote",
    "EVDisconnected": "ev_disconnected",
    "DeAuthorized": "deauthorized",
    "EmergencyStop": "emergency",
    "PowerLoss": "power_loss",
    "Reboot": "reboot",
    "HardReset": "hard_reset",
    "SoftReset": "soft_reset",
    "UnlockCommand": "unlock",
}
_VERDICTS: dict[VerdictStatus, str] = {
    "accepted": "Accepted",
    "blocked": "Blocked",
    "expired": "Expired",
    "invalid": "Invalid",
    "concurrent": "ConcurrentTx",
    "no_credit": "Blocked",
}
_REGISTRATIONS = {"accepted": "Accepted", "pending": "Pending", "rejected": "Rejected"}
_LONGEST_TOKEN = 20
_LONGEST_NOTICE = 2000
_LEAST_REGISTER = -(2**53)
"""A register below zero is kept as it came; the services judge it."""


async def authorize(call: Incoming) -> Payload:
    """4.1: may this card charge."""
    connector = call.payload.get("connectorId")  # no field of 1.6, but some chargers name it
    place = Place(0, connector) if type(connector) is int and connector > 0 else None
    request = AuthorizeRequest(call.charger_id, call.payload["idTag"], place)
    return authorize_answer(await call.ctx.write(authorization.authorize, request))


def authorize_answer(verdict: Verdict) -> Payload:
    """Answer an Authorize; ConcurrentTx is an answer to a start only (7.2)."""
    word = "Invalid" if verdict.status == "concurrent" else _VERDICTS[verdict.status]
    return {"idTagInfo": _token_info(verdict, word)}


async def boot_notification(call: Incoming) -> Payload:
    """4.2: a charger has started and asks whether it may work here."""
    payload = call.payload
    boot = Boot(
        call.charger_id,
        call.text("chargePointVendor", 50),
        call.text("chargePointModel", 50),
        call.text("chargePointSerialNumber", 50) or call.text("chargeBoxSerialNumber", 50),
        call.text("firmwareVersion", 50),
        payload,
    )
    answer = await call.ctx.write(presence.booted, boot)
    call.station.registered(answer.registration)
    return {
        "currentTime": moments.wire(call.ctx.clock.now()),
        "interval": answer.interval_s,
        "status": _REGISTRATIONS[answer.registration],
    }


async def data_transfer(call: Incoming) -> Payload:
    """4.3: something of the maker's own; kept, and no maker is known yet."""
    await _notice(call)
    return {"status": "UnknownVendorId"}


async def heartbeat(call: Incoming) -> Payload:
    """4.6: still here, and what time is it. Nothing is written."""
    return {"currentTime": moments.wire(call.ctx.clock.now())}


async def meter_values(call: Incoming) -> Payload:
    """4.7: readings, of a session or of none."""
    payload = call.payload
    readings, quirks, clock = metering.decode(payload.get("meterValue", ()), call.window)
    place = Place(0, call.whole("connectorId") or 0)
    transaction = payload.get("transactionId")
    report = Report(
        call.charger_id,
        "update",
        # Zero and below stand for no session.
        str(transaction) if transaction is not None and transaction > 0 else None,
        place,
        call.window.received,
        readings=readings,
        flags=call.flags(quirks, clock=clock) if quirks or call.broken else (),
    )
    await call.ctx.write(reports.take, report)
    return {}


async def start_transaction(call: Incoming) -> Payload:
    """4.8: a session began. It always gets its id, with the verdict on the card."""
    payload = call.payload
    raw = payload.get("timestamp")
    at, quirk, replaced = moments.read(raw, call.window)
    report = Report(
        call.charger_id,
        "begin",
        None,
        Place(0, call.whole("connectorId") or 0),
        at,
        "" if raw is None else str(raw),
        token=Token(payload.get("idTag", "")),
        register_wh=call.whole("meterStart", least=_LEAST_REGISTER) or 0,
        reservation_id=call.optional("reservationId"),
        flags=call.flags((quirk,) if quirk else (), clock=replaced),
    )
    return start_answer(await call.ctx.write(reports.take, report))


def start_answer(answer: ReportAnswer) -> Payload:
    """Answer a StartTransaction: it always gets its id, with the verdict on the card."""
    verdict = answer.verdict or Verdict("invalid")
    return {
        "idTagInfo": _token_info(verdict, _VERDICTS[verdict.status]),
        "transactionId": int(answer.reference or 0),
    }


async def status_notification(call: Incoming) -> Payload:
    """4.9: a connector, or with number 0 the charger, is in this state."""
    payload = call.payload
    status = STATUSES.get(payload["status"])
    if status is None:
        call.station.quirk("unknown_status", call.raw)
        return {}
    at = call.ctx.clock.now()
    if "timestamp" in payload:
        at, quirk, _ = moments.read(payload["timestamp"], call.window)
        if quirk:
            call.station.quirk(quirk, call.raw)
    error = payload.get("errorCode", "NoError")
    details = (call.text("info", 50), call.text("vendorErrorCode", 50))
    change = StatusChange(
        call.charger_id,
        Place(0, payload["connectorId"]),
        status,
        at,
        "" if error == "NoError" else error[:50],
        " ".join(filter(None, details)),
    )
    await call.ctx.write(presence.status_changed, change)
    return {}


async def stop_transaction(call: Incoming) -> Payload:
    """4.10: a session ended."""
    payload = call.payload
    window = call.window
    at, quirk, replaced = moments.read(payload.get("timestamp"), window)
    readings, quirks, _ = metering.decode(payload.get("transactionData", ()), window)
    if quirk:
        quirks = (quirk, *quirks)
    register_wh = call.whole("meterStop", least=_LEAST_REGISTER)
    report = Report(
        call.charger_id,
        "end",
        str(payload.get("transactionId", "")),
        None,
        at,
        token=Token(payload["idTag"]) if payload.get("idTag") else None,
        register_wh=register_wh,
        readings=readings,
        reason=REASONS.get(payload.get("reason", "Local"), "other"),
        flags=call.flags(quirks, clock=replaced),
    )
    return stop_answer(await call.ctx.write(reports.take, report))


def stop_answer(answer: ReportAnswer) -> Payload:
    """Answer a StopTransaction: with a verdict where a card was shown."""
    if answer.verdict is None:
        return {}
    return {"idTagInfo": _token_info(answer.verdict, _VERDICTS[answer.verdict.status])}


async def notice(call: Incoming) -> Payload:
    """4.4, 4.5 and the white paper's notices: firmware, diagnostics, logs, security; kept as they are."""
    await _notice(call)
    return {}


async def sign_certificate(call: Incoming) -> Payload:
    """White paper A02: a charger asks for a certificate; none is issued here yet."""
    await _notice(call)
    return {"status": "Rejected"}


async def _notice(call: Incoming) -> None:
    detail = {name: str(value)[:_LONGEST_NOTICE] for name, value in call.payload.items()}
    await call.ctx.write(presence.noticed, call.charger_id, call.action, detail)


def _token_info(verdict: Verdict, word: str) -> Payload:
    """Make an IdTagInfo (7.27)."""
    info: Payload = {}
    if verdict.expires_at is not None:
        info["expiryDate"] = moments.wire(verdict.expires_at)
    if verdict.group:
        info["parentIdTag"] = verdict.group[:_LONGEST_TOKEN]
    info["status"] = word
    return info


def _start_stand_in(transaction_id: int) -> Payload:
    return {"idTagInfo": {"status": "Invalid"}, "transactionId": transaction_id}


ACTIONS: dict[str, Action] = {
    "Authorize": Action(authorize, also=("connectorId",)),
    "BootNotification": Action(
        boot_notification,
        before_accepted=True,
        stand_ins={"chargePointVendor": "", "chargePointModel": ""},
    ),
    "DataTransfer": Action(data_transfer),
    "DiagnosticsStatusNotification": Action(notice, before_accepted=True),
    "FirmwareStatusNotification": Action(notice, before_accepted=True),
    "Heartbeat": Action(heartbeat),
    "LogStatusNotification": Action(notice, before_accepted=True),
    "MeterValues": Action(meter_values, must_answer=lambda _: {}),
    "SecurityEventNotification": Action(notice, before_accepted=True),
    "SignCertificate": Action(sign_certificate, before_accepted=True),
    "SignedFirmwareStatusNotification": Action(notice, before_accepted=True),
    "StartTransaction": Action(start_transaction, must_answer=_start_stand_in),
    "StatusNotification": Action(status_notification, stand_ins={"errorCode": "NoError"}),
    "StopTransaction": Action(stop_transaction, must_answer=lambda _: {}),
}
