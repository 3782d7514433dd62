"""How one odd charger writes: everything here was seen in the field; pure.

It does not offer a subprotocol either, see ``link.Address``.
"""

from collections.abc import Callable
from typing import Any

Payload = dict[str, Any]


def oddly(action: str, payload: Payload) -> Payload:
    """Rewrite a request as the odd charger would send it."""
    rewrite = _HABITS.get(action)
    return payload if rewrite is None else rewrite(payload)


def _boot(payload: Payload) -> Payload:
    return {**payload, "iccid": "", "imsi": "", "meterType": "", "bootReason": "PowerUp"}


def _authorize(payload: Payload) -> Payload:
    return {"idTag": payload["idTag"].lower()}


def _status(payload: Payload) -> Payload:
    odd = {"Charging": "charging", "NoError": "Error"}
    return {
        **payload,
        "status": odd.get(payload["status"], payload["status"]),
        "errorCode": payload["errorCode"] if payload["status"] == "Available" else "Error",
        "timestamp": _offset(payload["timestamp"]),
    }


def _start(payload: Payload) -> Payload:
    return {**payload, "idTag": payload["idTag"].lower(), "timestamp": _offset(payload["timestamp"])}


def _stop(payload: Payload) -> Payload:
    return {**payload, "timestamp": _offset(payload["timestamp"]), "meterStop": f"{payload['meterStop']}"}


def _meter(payload: Payload) -> Payload:
    """Numbers instead of texts, kWh, a temperature in a unit of its own spelling."""
    value = payload["meterValue"][0]
    sampled = [_sample(sample) for sample in value["sampledValue"]]
    sampled.append({"value": "31", "measurand": "Temperature", "unit": "Celcius"})
    timestamp = _offset(value["timestamp"])
    return {**payload, "meterValue": [{"timestamp": timestamp, "sampledValue": sampled}]}


def _sample(sample: Payload) -> Payload:
    if sample["measurand"] == "Energy.Active.Import.Register":
        return {"value": f" {int(sample['value']) / 1000:.3f}", "unit": "kWh"}
    return {**sample, "value": float(sample["value"])}


def _offset(timestamp: str) -> str:
    """Write the same moment with a fraction and an offset."""
    return timestamp.replace("Z", ".000000+00:00")


_HABITS: dict[str, Callable[[Payload], Payload]] = {
    "BootNotification": _boot,
    "Authorize": _authorize,
    "StatusNotification": _status,
    "StartTransaction": _start,
    "StopTransaction": _stop,
    "MeterValues": _meter,
}
