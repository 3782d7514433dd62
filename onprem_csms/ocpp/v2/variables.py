"""The device model on the wire (OCPP 2.0.1 part 2, sections B05 to B08; part 1, section 4).

What a charger tells of its variables becomes neutral ``Told``; requests are cut into what it takes in one message.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from onprem_csms.domain.chargers import commands
from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place
from onprem_csms.domain.chargers.variables import Attribute, Mutability, Told, Variable, WishStatus
from onprem_csms.ocpp.link.outgoing import Answered
from onprem_csms.ocpp.v2 import words
from onprem_csms.services.chargers import configuration, inventory
from onprem_csms.services.core.context import Tx

Payload = dict[str, Any]

PASSWORD = "BasicAuthPassword"  # noqa: S105 - the name of a variable
LONGEST_NAME, LONGEST_INSTANCE = 50, 50
HIDDEN = "***"
_ATTRIBUTES: dict[str, Attribute] = {
    "Actual": "actual",
    "Target": "target",
    "MinSet": "least",
    "MaxSet": "most",
}
_MUTABILITIES: dict[str, Mutability] = {
    "ReadOnly": "read_only",
    "ReadWrite": "read_write",
    "WriteOnly": "write_only",
}
_WISHES: dict[str, WishStatus] = {
    "Accepted": "accepted",
    "RebootRequired": "reboot_required",
    "Rejected": "rejected",
    "UnknownComponent": "not_supported",
    "UnknownVariable": "not_supported",
    "NotSupportedAttributeType": "not_supported",
}
AGREED: frozenset[WishStatus] = frozenset(("accepted", "reboot_required"))
_ROOM_FOR_THE_FRAME = 100
"""Bytes of a message around its payload: type, id and action."""


def variable(told: Mapping[str, Any]) -> Variable | None:
    """Read which variable is meant; None where none is named."""
    component, named = told.get("component"), told.get("variable")
    if not isinstance(component, Mapping) or not isinstance(named, Mapping):
        return None
    component_name = words.text(component.get("name"), LONGEST_NAME)
    name = words.text(named.get("name"), LONGEST_NAME)
    if not component_name or not name:
        return None
    return Variable(
        component_name,
        name,
        words.text(component.get("instance"), LONGEST_INSTANCE),
        words.place(component.get("evse")) or WHOLE_CHARGER,
        words.text(named.get("instance"), LONGEST_INSTANCE),
    )


def named(wanted: Variable) -> Payload:
    """Write which variable is meant."""
    component: Payload = {"name": wanted.component}
    if wanted.instance:
        component["instance"] = wanted.instance
    if wanted.place != WHOLE_CHARGER:
        component["evse"] = words.evse(wanted.place)
    name: Payload = {"name": wanted.name}
    if wanted.name_instance:
        name["instance"] = wanted.name_instance
    return {"component": component, "variable": name}


# ---------------------------------------------------------------- what is told


def reported(data: object) -> Iterator[Told]:
    """Read the variables of a NotifyReport (1.33); what names none is left out, a password is never kept."""
    for one in filter(_is_object, data if isinstance(data, list) else ()):
        found = variable(one)
        if found is None or found.name == PASSWORD:
            continue
        traits = one.get("variableCharacteristics")
        traits = traits if isinstance(traits, Mapping) else {}
        for attribute in filter(_is_object, _list(one.get("variableAttribute"))):
            yield _told(found, attribute, traits)


def _told(found: Variable, attribute: Mapping[str, Any], traits: Mapping[str, Any]) -> Told:
    value = attribute.get("value")
    return Told(
        found,
        None if value is None else str(value),
        _ATTRIBUTES.get(str(attribute.get("type", "Actual")), "actual"),
        _MUTABILITIES.get(str(attribute.get("mutability", "ReadWrite")), "read_write"),
        words.text(traits.get("dataType"), LONGEST_NAME),
        words.text(traits.get("unit"), LONGEST_NAME),
        words.text(traits.get("valuesList"), configuration.LONGEST_VALUE),
    )


def places(data: object) -> Iterator[Place]:
    """List the connectors that a report speaks of."""
    for one in filter(_is_object, _list(data)):
        found = variable(one)
        if found is not None and found.place.evse and found.place.connector:
            yield found.place


def read(tx: Tx, answered: Answered) -> None:
    """Keep the values of an answer to GetVariables."""
    results = [one for one in _list(answered.response.get("getVariableResult")) if _is_object(one)]
    told = (
        Told(
            found,
            str(one["attributeValue"]),
            _ATTRIBUTES.get(str(one.get("attributeType", "Actual")), "actual"),
        )
        for one in results
        if one.get("attributeStatus") == "Accepted" and "attributeValue" in one
        for found in [variable(one)]
        if found is not None and found.name != PASSWORD
    )
    configuration.report(tx, answered.charger_id, told)


# ---------------------------------------------------------------- what is wanted


def wants(tx: Tx, charger_id: str, request: Mapping[str, Any]) -> None:
    """Write down what is wanted before it goes out; a new password is valid beside the old one from here on."""
    for wanted, value in wishes(request):
        if wanted.name == PASSWORD:
            inventory.offer_password(tx, charger_id, value.encode())
        else:
            configuration.want(tx, charger_id, wanted, value)


def concluded(tx: Tx, answered: Answered) -> None:
    """Write down what a charger said to each wish; what it left out is asked again."""
    said = dict(_said(answered.response)) if answered.outcome == "answered" else {}
    for wanted, value in wishes(answered.request):
        wish = "rejected" if answered.outcome == "error" else said.get(wanted)
        if wish is None:
            continue
        if wanted.name == PASSWORD:
            inventory.settle_password(tx, answered.charger_id, accepted=wish in AGREED)
        else:
            configuration.want(tx, answered.charger_id, wanted, value, wish)


def agrees(response: Mapping[str, Any]) -> bool | None:
    """Tell whether an answer to SetVariables agrees to all; None where it says nothing."""
    said = [wish for _, wish in _said(response)]
    return all(wish in AGREED for wish in said) if said else None


def _said(response: Mapping[str, Any]) -> Iterator[tuple[Variable, WishStatus]]:
    for one in filter(_is_object, _list(response.get("setVariableResult"))):
        found, wish = variable(one), _WISHES.get(str(one.get("attributeStatus")))
        if found is not None and wish is not None:
            yield found, wish


def wishes(request: Mapping[str, Any]) -> Iterator[tuple[Variable, str]]:
    """List what a SetVariables asks for: actual values only."""
    for one in request["setVariableData"]:
        wanted = variable(one)
        if wanted is not None and one.get("attributeType", "Actual") == "Actual":
            yield wanted, str(one["attributeValue"])


def without_password(request: Mapping[str, Any]) -> Payload:
    """Return a SetVariables as it may be written down."""
    shown = [
        {**one, "attributeValue": HIDDEN} if _names_password(one) else one
        for one in request["setVariableData"]
    ]
    return {**request, "setVariableData": shown}


def without_told_password(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an answer to GetVariables as it may be written down: some tell what they must not (A01)."""
    results = response.get("getVariableResult")
    if not isinstance(results, list):
        return response
    shown = [
        {**one, "attributeValue": HIDDEN} if _names_password(one) and "attributeValue" in one else one
        for one in results
    ]
    return {**response, "getVariableResult": shown}


def _names_password(one: object) -> bool:
    if not isinstance(one, Mapping):
        return False
    found = variable(one)
    return found is not None and found.name.strip().casefold() == PASSWORD.casefold()


# ---------------------------------------------------------------- how much at once


def parts(tx: Tx, charger_id: str, command: commands.Command) -> list[commands.Command]:
    """Cut a command into such as fit one message each (B05.FR.11, B06.FR.05; both limits hold).

    Before the charger has told its limits, one variable goes at a time.
    """
    if isinstance(command, commands.ReadVariables) and command.variables:
        read = _batches(
            ((one, named(one)) for one in command.variables), _limits(tx, charger_id, "GetVariables")
        )
        return [commands.ReadVariables(tuple(batch)) for batch in read]
    if isinstance(command, commands.SetVariables):
        # One variable twice in one message is not allowed (B05.FR.13): the last wish counts.
        last = dict(command.wishes)
        wanted = (((one, value), {**named(one), "attributeValue": value}) for one, value in last.items())
        written = _batches(wanted, _limits(tx, charger_id, "SetVariables"))
        return [commands.SetVariables(tuple(batch)) for batch in written]
    return [command]


def _limits(tx: Tx, charger_id: str, action: str) -> tuple[int, int]:
    return (
        _limit(configuration.value(tx, charger_id, limit_of("ItemsPerMessage", action)), 1),
        _limit(configuration.value(tx, charger_id, limit_of("BytesPerMessage", action)), 2**31),
    )


def limit_of(name: str, action: str) -> Variable:
    """Return the variable that limits an action's messages (ItemsPerMessage, BytesPerMessage)."""
    return Variable("DeviceDataCtrlr", name, name_instance=action)


def _limit(told: str | None, otherwise: int) -> int:
    try:
        return max(1, int(told or ""))
    except ValueError:
        return otherwise


def _batches(items: Iterable[tuple[Any, Payload]], limits: tuple[int, int]) -> Iterator[list[Any]]:
    most, most_bytes = limits
    batch: list[Any] = []
    size = _ROOM_FOR_THE_FRAME
    for item, written in items:
        more = len(orjson.dumps(written)) + 1
        if batch and (len(batch) >= most or size + more > most_bytes):
            yield batch
            batch, size = [], _ROOM_FOR_THE_FRAME
        batch.append(item)
        size += more
    if batch:
        yield batch


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)
