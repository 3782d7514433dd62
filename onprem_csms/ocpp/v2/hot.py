"""OCPP 2.0.1: the calls that come by the thousand, from a typed struct; ``actions`` reads the same with tolerance."""

from collections.abc import Iterable
from typing import Any

from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.chargers import StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report, ReportAnswer
from onprem_csms.domain.charging.sessions import AuthorizeRequest, Reading, Verdict
from onprem_csms.ocpp import metering
from onprem_csms.ocpp.link.fast import Deed, FastAction, Heard
from onprem_csms.ocpp.rpc import moments, typed
from onprem_csms.ocpp.v2 import actions, transactions, words
from onprem_csms.services.charging import authorization, presence

_LARGEST_POWER = 30


class _Sample:
    """A value as 1.6 has it, for ``metering``."""

    __slots__ = ("context", "format", "location", "measurand", "phase", "unit", "value")

    def __init__(self, told: Any, value: float, unit: str | None) -> None:
        self.value = value
        self.unit = unit
        self.context = told.context
        self.format = None
        self.location = told.location
        self.measurand = told.measurand
        self.phase = told.phase


class _MeterValue:
    """A meter value as 1.6 has it."""

    __slots__ = ("sampledValue", "timestamp")

    def __init__(self, timestamp: str, samples: list[_Sample]) -> None:
        self.timestamp = timestamp
        self.sampledValue = samples


def heartbeat(call: Heard) -> Deed | None:
    """G02: still here."""
    now = call.now
    return Deed(None, None, lambda _: {"currentTime": moments.wire(now)})


def authorize(call: Heard) -> Deed | None:
    """C01: may this token charge."""
    payload = call.payload
    token = _token(payload.idToken)
    if token is None or token == words.NO_TOKEN:
        return None
    if payload.certificate is not None or payload.iso15118CertificateHashData is not None:
        return None
    now = moments.wire(call.now)

    def answer(verdict: Verdict) -> dict[str, Any]:
        return {"idTokenInfo": words.token_info(verdict, now)}

    return Deed(authorization.authorize, AuthorizeRequest(call.charger_id, token.value), answer)


def status_notification(call: Heard) -> Deed | None:
    """G01: a connector is in this state."""
    payload = call.payload
    at, quirk, _ = moments.read(payload.timestamp, call.window)
    place = _place(payload.evseId, payload.connectorId)
    if quirk or place is None or (place.evse == 0) != (place.connector == 0):
        return None
    state = words.STATUSES[payload.connectorStatus]
    change = StatusChange(call.charger_id, place, state, at, None if state == "faulted" else "")
    return Deed(presence.status_changed, change, lambda _: {})


def transaction_event(call: Heard) -> Deed | None:
    """E01 to E12: a transaction began, went on or ended."""
    payload, info = call.payload, call.payload.transactionInfo
    at, quirk, _ = moments.read(payload.timestamp, call.window)
    readings = _readings(payload.meterValue or (), call.window)
    if quirk or readings is None or not info.transactionId:
        return None
    step = transactions.STEPS[payload.eventType]
    evse, token, state = payload.evse, _token(payload.idToken), info.chargingState or ""
    report = Report(
        call.charger_id,
        step,
        info.transactionId,
        None if evse is None else _place(evse.id, evse.connectorId),
        at,
        payload.timestamp,
        sequence=words.number(payload.seqNo),
        offline=payload.offline is True,
        token=transactions.who(token, step),
        readings=readings,
        activity=transactions.activity(state, payload.triggerReason),
        reason=words.REASONS.get(info.stoppedReason or "Local", "other") if step == "end" else None,
        reservation_id=words.number(payload.reservationId),
        ordered_by=words.number(info.remoteStartId),
        own_reference=True,
    )
    event = transactions.Event(report, transactions.shown(report, state, payload.triggerReason))
    now = moments.wire(call.now)

    def answer(told: ReportAnswer) -> dict[str, Any]:
        return transactions.answer(step == "begin", token, told, now)

    return Deed(actions.take, event, answer)


def _readings(meter_values: Iterable[Any], believed: moments.Window) -> tuple[Reading, ...] | None:
    plain = []
    for meter_value in meter_values:
        samples = [_plain(sample) for sample in meter_value.sampledValue]
        if None in samples:
            return None
        plain.append(_MeterValue(meter_value.timestamp, samples))  # type: ignore[arg-type]
    return metering.quick(plain, believed)


def _plain(sample: Any) -> _Sample | None:
    """Write a value as 1.6 has it; None for a signed one."""
    unit = sample.unitOfMeasure
    if sample.signedMeterValue is not None:
        return None
    if unit is None:
        return _Sample(sample, sample.value, None)
    power = unit.multiplier or 0
    if abs(power) > _LARGEST_POWER:
        return None
    value = sample.value / 10**-power if power < 0 else sample.value * 10**power
    return _Sample(sample, value, unit.unit)


def _token(told: Any) -> Token | None:
    if told is None:
        return None
    value = told.idToken.strip()
    kind = words.TOKEN_TYPES[told.type]
    return Token(value, kind) if value and kind != "none" else words.NO_TOKEN


def _place(evse: int, connector: int | None) -> Place | None:
    named, number = words.number(evse), words.number(connector)
    return None if named is None else Place(named, number or 0)


FAST: dict[str, FastAction] = {
    name: FastAction(typed.decoder("v201", name), read)
    for name, read in {
        "Authorize": authorize,
        "Heartbeat": heartbeat,
        "StatusNotification": status_notification,
        "TransactionEvent": transaction_event,
    }.items()
}
