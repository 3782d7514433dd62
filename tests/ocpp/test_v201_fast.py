"""What the short way of 2.0.1 accepts, the tolerant way reads the same."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from onprem_csms.ocpp.link.fast import Heard
from onprem_csms.ocpp.link.incoming import Incoming
from onprem_csms.ocpp.rpc import moments
from onprem_csms.ocpp.v2 import hot, transactions

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WINDOW = moments.window(NOW, 300)
AT = "2026-11-25T11:59:00Z"
BASE: dict[str, Any] = {
    "eventType": "Updated",
    "timestamp": AT,
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 3,
    "transactionInfo": {"transactionId": "T"},
}
TOKEN = {"idToken": "04A1B2C3", "type": "ISO14443"}


class Quiet:
    """A connection on which nothing may be odd."""

    def quirk(self, kind: str, example: str = "") -> None:
        pytest.fail(f"{kind} {example}")

    def registered(self, registration: str) -> None:
        """Take no notice."""


def values(*samples: dict[str, Any]) -> dict[str, Any]:
    """Write meter values."""
    return {"meterValue": [{"timestamp": AT, "sampledValue": list(samples)}]}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"eventType": "Started", "evse": {"id": 2}, "idToken": TOKEN, "reservationId": 4},
        {"eventType": "Started", "idToken": {"idToken": "", "type": "NoAuthorization"}},
        {"eventType": "Ended", "transactionInfo": {"transactionId": "T", "stoppedReason": "EVDisconnected"}},
        {"eventType": "Ended", "offline": True},
        {"transactionInfo": {"transactionId": "T", "chargingState": "SuspendedEV", "remoteStartId": 9}},
        {
            "transactionInfo": {"transactionId": "T", "chargingState": "EVConnected"},
            "triggerReason": "RemoteStop",
        },
        values({"value": 1.5, "unitOfMeasure": {"unit": "kWh"}}, {"value": 40, "measurand": "SoC"}),
        values({"value": 15, "unitOfMeasure": {"unit": "Wh", "multiplier": 2}, "context": "Transaction.End"}),
        values({"value": 2305, "measurand": "Voltage", "unitOfMeasure": {"unit": "V", "multiplier": -1}}),
        values(*({"value": 700.5, "phase": f"L{n}", "measurand": "Power.Active.Import"} for n in (1, 2, 3))),
    ],
)
def test_an_event_of_the_short_way_is_the_same_report(more: dict[str, Any]) -> None:
    payload = {**BASE, **more}
    decoded = hot.FAST["TransactionEvent"].decode(json.dumps([2, "1", "TransactionEvent", payload]).encode())
    deed = hot.transaction_event(Heard("CP1", decoded.payload, WINDOW, NOW))
    assert deed is not None
    call = Incoming(None, Quiet(), "CP1", WINDOW)  # type: ignore[arg-type]
    call.payload = payload
    assert deed.value == transactions.event(call)


@pytest.mark.parametrize(
    "more",
    [
        {"timestamp": "2026-11-25"},
        {"transactionInfo": {"transactionId": ""}},
        values(
            {
                "value": 1,
                "signedMeterValue": {
                    "signedMeterData": "x",
                    "signingMethod": "",
                    "encodingMethod": "",
                    "publicKey": "",
                },
            }
        ),
        values({"value": 1, "unitOfMeasure": {"unit": "furlong"}}),
    ],
)
def test_what_is_odd_goes_the_tolerant_way(more: dict[str, Any]) -> None:
    frame = json.dumps([2, "1", "TransactionEvent", {**BASE, **more}]).encode()
    decoded = hot.FAST["TransactionEvent"].decode(frame)
    assert hot.transaction_event(Heard("CP1", decoded.payload, WINDOW, NOW)) is None
