"""What a connector's state is, as OCPP 2.0.1 tells it in two ways: StatusNotification and NotifyEvent; pure.

StatusNotification has no word for a fault: that is an event of a component (part 2, sections G and N07).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from onprem_csms.domain.chargers.chargers import StatusChange
from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place
from onprem_csms.ocpp.link.incoming import Incoming
from onprem_csms.ocpp.rpc import moments
from onprem_csms.ocpp.v2 import variables, words

_COMPONENTS = frozenset(("ChargingStation", "EVSE", "Connector"))
_LONGEST = 50
_TRUE = frozenset(("true", "1"))


def status(call: Incoming) -> StatusChange | None:
    """Read a StatusNotification (G01); None where it says nothing of a connector or the charger."""
    payload = call.payload
    evse, connector = words.number(payload.get("evseId")), words.number(payload.get("connectorId"))
    state = words.STATUSES.get(str(payload.get("connectorStatus")))
    if evse is None or connector is None or state is None:
        call.station.quirk("unknown_status", call.raw)
        return None
    if (evse == 0) != (connector == 0):
        # An EVSE without a connector, or the reverse, is no place that has a state.
        call.station.quirk("half_a_place", call.raw)
        return None
    error = None if state == "faulted" else ""
    return StatusChange(
        call.charger_id, Place(evse, connector), state, moment(call, payload.get("timestamp")), error
    )


def changes(call: Incoming) -> Iterator[StatusChange]:
    """Read what a NotifyEvent (N07) says of the state of connectors: their availability and their faults."""
    for event in call.payload.get("eventData") or ():
        if not isinstance(event, Mapping):
            continue
        found = variables.variable(event)
        if found is None or found.component not in _COMPONENTS:
            continue
        where = found.place if found.component != "ChargingStation" else WHOLE_CHARGER
        if found.component == "Connector" and not (where.evse and where.connector):
            continue
        at = moment(call, event.get("timestamp"))
        if found.name == "AvailabilityState":
            state = words.STATUSES.get(str(event.get("actualValue")))
            if state is not None:
                yield StatusChange(call.charger_id, where, state, at, None if state == "faulted" else "")
        elif found.name == "Problem":
            yield _fault(call.charger_id, where, at, event)


def _fault(charger_id: str, where: Place, at: datetime, event: Mapping[str, Any]) -> StatusChange:
    """A problem came up or went; the state itself is told apart."""
    problem = str(event.get("actualValue")).strip().lower() in _TRUE and event.get("cleared") is not True
    code = words.text(event.get("techCode"), _LONGEST) or "Problem"
    info = words.text(event.get("techInfo"), _LONGEST)
    return StatusChange(charger_id, where, None, at, code if problem else "", info if problem else "")


def moment(call: Incoming, told: object) -> datetime:
    """Read a time of an event; one that is not believed is counted and gives the time of receipt."""
    at, quirk, _ = moments.read(told, call.window)
    if quirk:
        call.station.quirk(quirk, call.raw)
    return at
