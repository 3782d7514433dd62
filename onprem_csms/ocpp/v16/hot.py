"""OCPP 1.6: the calls that come by the thousand, from a typed struct; ``actions`` reads the same with tolerance."""

from typing import Any

from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.chargers import StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import AuthorizeRequest
from onprem_csms.ocpp import metering
from onprem_csms.ocpp.link.fast import Deed, FastAction, Heard
from onprem_csms.ocpp.link.incoming import printable
from onprem_csms.ocpp.rpc import moments, typed
from onprem_csms.ocpp.v16 import actions
from onprem_csms.services.charging import authorization, presence, reports


def _nothing(_: object) -> dict[str, Any]:
    return {}


def heartbeat(call: Heard) -> Deed | None:
    """4.6: still here."""
    now = call.now
    return Deed(None, None, lambda _: {"currentTime": moments.wire(now)})


def authorize(call: Heard) -> Deed | None:
    """4.1: may this card charge."""
    request = AuthorizeRequest(call.charger_id, call.payload.idTag)
    return Deed(authorization.authorize, request, actions.authorize_answer)


def status_notification(call: Heard) -> Deed | None:
    """4.9: a connector is in this state."""
    payload, at = call.payload, call.now
    if payload.timestamp is not None:
        at, quirk, _ = moments.read(payload.timestamp, call.window)
        if quirk:
            return None
    error = payload.errorCode
    details = (printable(payload.info or "", 50), printable(payload.vendorErrorCode or "", 50))
    change = StatusChange(
        call.charger_id,
        Place(0, payload.connectorId),
        actions.STATUSES[payload.status],
        at,
        "" if error == "NoError" else error,
        " ".join(filter(None, details)),
    )
    return Deed(presence.status_changed, change, _nothing)


def start_transaction(call: Heard) -> Deed | None:
    """4.8: a session began."""
    payload = call.payload
    at, quirk, _ = moments.read(payload.timestamp, call.window)
    if quirk or payload.connectorId < 0:
        return None
    reservation = payload.reservationId
    report = Report(
        call.charger_id,
        "begin",
        None,
        Place(0, payload.connectorId),
        at,
        payload.timestamp,
        token=Token(payload.idTag),
        register_wh=payload.meterStart,
        reservation_id=reservation if reservation is not None and reservation > 0 else None,
    )
    return Deed(reports.take, report, actions.start_answer)


def meter_values(call: Heard) -> Deed | None:
    """4.7: readings."""
    payload = call.payload
    readings = metering.quick(payload.meterValue, call.window)
    if readings is None or payload.connectorId < 0:
        return None
    transaction = payload.transactionId
    report = Report(
        call.charger_id,
        "update",
        str(transaction) if transaction is not None and transaction > 0 else None,
        Place(0, payload.connectorId),
        call.window.received,
        readings=readings,
    )
    return Deed(reports.take, report, _nothing)


def stop_transaction(call: Heard) -> Deed | None:
    """4.10: a session ended."""
    payload = call.payload
    at, quirk, _ = moments.read(payload.timestamp, call.window)
    readings = metering.quick(payload.transactionData or (), call.window)
    if quirk or readings is None:
        return None
    report = Report(
        call.charger_id,
        "end",
        str(payload.transactionId),
        None,
        at,
        token=Token(payload.idTag) if payload.idTag else None,
        register_wh=payload.meterStop,
        readings=readings,
        reason=actions.REASONS.get(payload.reason or "Local", "other"),
    )
    return Deed(reports.take, report, actions.stop_answer)


FAST: dict[str, FastAction] = {
    name: FastAction(typed.decoder("v16", name), read)
    for name, read in {
        "Authorize": authorize,
        "Heartbeat": heartbeat,
        "MeterValues": meter_values,
        "StartTransaction": start_transaction,
        "StatusNotification": status_notification,
        "StopTransaction": stop_transaction,
    }.items()
}
