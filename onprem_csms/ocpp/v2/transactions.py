"""A TransactionEvent of OCPP 2.0.1 (part 2, section E and 1.60) as a neutral report, and its answer; pure.

Chargers leave out what they must tell, tell it twice, late or in another order; nothing of that is refused here.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.chargers import ConnectorStatus
from onprem_csms.domain.charging.reports import Report, ReportAnswer, Step
from onprem_csms.domain.charging.sessions import Activity, Verdict
from onprem_csms.ocpp.link.incoming import Incoming
from onprem_csms.ocpp.rpc import moments
from onprem_csms.ocpp.v2 import meter, words

STEPS: dict[object, Step] = {"Started": "begin", "Updated": "update", "Ended": "end"}
# The cable is still in and the permission to charge is gone: the place is taken, nothing is delivered.
_NO_LONGER = frozenset(
    (
        "StopAuthorized",
        "RemoteStop",
        "Deauthorized",
        "EnergyLimitReached",
        "TimeLimitReached",
        "UnlockCommand",
    )
)
_LONGEST_REFERENCE = 36


class Event(NamedTuple):
    """What an event reports, and what the connector shows by it (None: as before)."""

    report: Report
    shown: ConnectorStatus | None


def report(call: Incoming) -> Report:
    """Read a TransactionEvent; what can't be read has a stand-in and the flag ``broken``."""
    payload = call.payload
    info = _object(payload.get("transactionInfo"))
    raw = payload.get("timestamp")
    at, quirk, replaced = moments.read(raw, call.window)
    readings, odd, _ = meter.decode(payload.get("meterValue"), call.window)
    step = STEPS.get(payload.get("eventType"), "update")
    reference = str(info.get("transactionId") or "")[:_LONGEST_REFERENCE] or None
    if reference is None or payload.get("eventType") not in STEPS:
        call.broken = True
    quirks = (quirk, *odd) if quirk else odd
    return Report(
        call.charger_id,
        step,
        reference,
        words.place(payload.get("evse")),
        at,
        "" if raw is None else str(raw),
        sequence=words.number(payload.get("seqNo")),
        offline=payload.get("offline") is True,
        token=who(words.token(payload.get("idToken")), step),
        readings=readings,
        activity=activity(str(info.get("chargingState", "")), payload.get("triggerReason")),
        reason=words.REASONS.get(str(info.get("stoppedReason", "Local")), "other") if step == "end" else None,
        reservation_id=words.number(payload.get("reservationId")),
        ordered_by=words.number(info.get("remoteStartId")),
        own_reference=reference is not None,
        flags=call.flags(quirks, clock=replaced) if quirks or replaced or call.broken else (),
    )


def event(call: Incoming) -> Event:
    """Read a TransactionEvent with what the connector shows by it."""
    payload = call.payload
    state = str(_object(payload.get("transactionInfo")).get("chargingState", ""))
    read = report(call)
    return Event(read, shown(read, state, payload.get("triggerReason")))


def who(told: Token | None, step: Step) -> Token | None:
    """Return the token of an event; without one only a begin says something: nobody asked who it is."""
    return None if told == words.NO_TOKEN and step != "begin" else told


def activity(state: str, reason: object) -> Activity | None:
    """Return who holds the energy back, as the transaction's charging state says; None where it says nothing of it."""
    if state in ("EVConnected", "Idle") and reason in _NO_LONGER:
        return "idle"
    return words.ACTIVITIES.get(state)


def shown(told: Report, state: str, reason: object) -> ConnectorStatus | None:
    """Return what the connector shows by this event; None: as before. What happened offline is history."""
    if told.offline:
        return None
    if told.step == "end" or (state == "EVConnected" and reason in _NO_LONGER):
        return "finishing"
    return words.SHOWN.get(state)


def answer(began: bool, token: Token | None, told: ReportAnswer, now: str) -> words.Payload:
    """Write the answer: the cost so far, and the verdict where a token was shown.

    The cost goes with what runs and with what has ended (I02.FR.01, I03.FR.02), not with a begin: nothing was
    delivered. A start without a token is always accepted (C02.FR.02).
    """
    result: words.Payload = {}
    if told.cost is not None and told.currency and not began:
        result["totalCost"] = words.cost(told.cost, told.currency)
    if token == words.NO_TOKEN:
        result["idTokenInfo"] = {"status": "Accepted"}
    elif token is not None:
        result["idTokenInfo"] = words.token_info(told.verdict or Verdict("invalid"), now)
    return result


def _object(told: object) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}
