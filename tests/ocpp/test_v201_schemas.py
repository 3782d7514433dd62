"""2.0.1 whole: every message of its schemas is in the table, and every neutral command can be said."""

from importlib import resources
from typing import Any

import pytest

from onprem_csms.domain.chargers import commands
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.variables import Variable, by_key
from onprem_csms.errors import Invalid
from onprem_csms.ocpp.rpc import schemas
from onprem_csms.ocpp.v2 import requests
from onprem_csms.ocpp.versions import V16, V201, choose
from tests.ocpp.conftest import UNTIL, Charger, Site

INTERVAL = Variable("SampledDataCtrlr", "TxUpdatedInterval")
FROM_THE_CHARGER = {name for name in V201.actions if name != "DataTransfer"}


def test_every_message_of_the_schemas_is_in_one_of_the_tables() -> None:
    folder = resources.files("ocpp") / "v201" / "schemas"
    names = {
        file.name.removesuffix("Request.json")
        for file in folder.iterdir()
        if file.name.endswith("Request.json")
    }
    assert names == set(V201.actions) | set(V201.commands)
    assert set(V201.actions) & set(V201.commands) == {"DataTransfer"}


@pytest.mark.parametrize(
    "command,action,request_",
    [
        (
            commands.RemoteStart("04A1B2C3", Place(2, 1), 7),
            "RequestStartTransaction",
            {"evseId": 2, "idToken": {"idToken": "04A1B2C3", "type": "ISO14443"}, "remoteStartId": 7},
        ),
        (
            commands.RemoteStart("GUEST", None, 7),
            "RequestStartTransaction",
            {"idToken": {"idToken": "GUEST", "type": "Central"}, "remoteStartId": 7},
        ),
        (commands.RemoteStop("T-1"), "RequestStopTransaction", {"transactionId": "T-1"}),
        (commands.Reset(hard=True), "Reset", {"type": "Immediate"}),
        (commands.Reset(), "Reset", {"type": "OnIdle"}),
        (commands.Unlock(Place(1, 2)), "UnlockConnector", {"evseId": 1, "connectorId": 2}),
        (commands.Unlock(Place(0, 2)), "UnlockConnector", {"evseId": 2, "connectorId": 1}),
        (
            commands.ChangeAvailability(operative=False),
            "ChangeAvailability",
            {"operationalStatus": "Inoperative"},
        ),
        (commands.ClearCache(), "ClearCache", {}),
        (
            commands.ReadVariables((INTERVAL,)),
            "GetVariables",
            {
                "getVariableData": [
                    {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
                ]
            },
        ),
        (
            commands.SetVariables(((Variable("Connector", "X", "i", Place(1, 2), "j"), "5"),)),
            "SetVariables",
            {
                "setVariableData": [
                    {
                        "attributeValue": "5",
                        "component": {
                            "name": "Connector",
                            "instance": "i",
                            "evse": {"id": 1, "connectorId": 2},
                        },
                        "variable": {"name": "X", "instance": "j"},
                    }
                ]
            },
        ),
        (commands.ShowCost("T", 149, "HUF"), "CostUpdated", {"totalCost": 149.0, "transactionId": "T"}),
        (commands.Trigger("boot"), "TriggerMessage", {"requestedMessage": "BootNotification"}),
        (
            commands.Reserve(7, Place(1, 1), "04A1B2C3", UNTIL, "G"),
            "ReserveNow",
            {
                "id": 7,
                "expiryDateTime": "2030-01-02T03:04:05Z",
                "idToken": {"idToken": "04A1B2C3", "type": "ISO14443"},
                "evseId": 1,
                "groupIdToken": {"idToken": "G", "type": "Central"},
            },
        ),
        (commands.CancelReservation(7), "CancelReservation", {"reservationId": 7}),
    ],
)
def test_a_neutral_command_becomes_a_request_that_fits_its_schema(
    command: commands.Command, action: str, request_: dict[str, Any]
) -> None:
    assert requests.translate(command) == (action, request_)
    assert schemas.outgoing("v201", action).is_valid(request_)


def test_all_variables_are_read_by_a_report() -> None:
    action, request = requests.translate(commands.ReadVariables())
    assert (action, request["reportBase"]) == ("GetBaseReport", "FullInventory")


def test_every_neutral_command_can_be_said_and_what_cannot_is_refused() -> None:
    assert set(requests._TRANSLATIONS) == set(commands.Command.__args__)
    with pytest.raises(Invalid):
        requests.translate(commands.RemoteStart("A" * 37))
    with pytest.raises(Invalid):
        requests.translate(commands.ReadVariables((Variable("", "HeartbeatInterval"),)))


@pytest.mark.parametrize(
    "key",
    ["HeartbeatInterval", "A.B", "A[i].B[j]", "Connector(1,2).X", "EVSE(3).Y[z]", "Vendor.Key.More"],
)
def test_a_variable_has_one_text_form(key: str) -> None:
    assert by_key(key).key == key


def test_a_key_that_names_nothing_is_refused() -> None:
    for key in ("", "A(1", "A].B", "x" * 301):
        with pytest.raises(Invalid):
            by_key(key)


def test_the_newest_common_version_is_taken_or_the_one_that_is_pinned() -> None:
    assert choose(["", "ocpp1.6", "OCPP2.0.1"], "") is V201
    assert choose(["ocpp1.6", "ocpp2.0.1"], "ocpp1.6") is V16
    assert choose(["ocpp2.0.1"], "ocpp1.6") is None
    assert choose(["ocpp1.5"], "") is None


@pytest.mark.parametrize("action", sorted(FROM_THE_CHARGER))
async def test_nothing_that_a_charger_may_send_stays_without_an_answer_that_fits(
    site: Site, action: str
) -> None:
    """An empty payload is the worst that can come: all is answered but what means nothing without its content."""
    charger: Charger = await site.connect(protocols=("ocpp2.0.1",))
    answer = await charger.call(action, {})
    if action == "Authorize":
        assert answer[:3] == [4, "c1", "OccurrenceConstraintViolation"]
    else:
        assert answer[0] == 3, answer
        assert list(schemas.incoming("v201", f"{action}Response").faults(answer[2])) == []


async def test_what_is_not_an_action_of_a_charger_is_refused_by_name(site: Site) -> None:
    charger = await site.connect(protocols=("ocpp2.0.1",))
    assert (await charger.call("Nonsense"))[2] == "NotImplemented"
    assert (await charger.call("Reset"))[2] == "NotSupported"
