"""The meter values of OCPP 2.0.1 (part 2, sections 2.34, 2.43 and 2.45) as neutral readings; pure.

What differs from 1.6: a value is a number with a unit and a power of ten, and a signed value stands beside it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from onprem_csms.ocpp import metering
from onprem_csms.ocpp.metering import Decoded
from onprem_csms.ocpp.rpc.moments import Window

Sample = Mapping[str, Any]

_LARGEST_POWER = 30


def decode(meter_values: object, believed: Window) -> Decoded:
    """Read a list of meter values; what can't be read is left out and named."""
    values = meter_values if isinstance(meter_values, list) else ()
    return metering.decode(map(_plain, filter(_is_object, values)), believed)


def _plain(meter_value: Mapping[str, Any]) -> dict[str, Any]:
    """Write a meter value as 1.6 has it."""
    samples = meter_value.get("sampledValue")
    plain: list[dict[str, Any]] = []
    for sample in filter(_is_object, samples if isinstance(samples, list) else ()):
        plain.extend(_of(sample))
    return {"timestamp": meter_value.get("timestamp"), "sampledValue": plain}


def _of(sample: Sample) -> Iterable[dict[str, Any]]:
    """Write one value as 1.6 has it; a signed one gives a second value, verbatim."""
    plain = {
        name: value for name, value in sample.items() if name not in ("unitOfMeasure", "signedMeterValue")
    }
    unit = sample.get("unitOfMeasure")
    if isinstance(unit, Mapping):
        power = unit.get("multiplier", 0)
        if power and isinstance(power, int) and abs(power) <= _LARGEST_POWER:
            plain["value"] = _scaled(plain.get("value"), power)
        if "unit" in unit:
            plain["unit"] = unit["unit"]
    yield plain
    signed = sample.get("signedMeterValue")
    if isinstance(signed, Mapping):
        yield {
            "format": "SignedData",
            "value": orjson.dumps(dict(signed)).decode(),
            "context": sample.get("context", ""),
        }


def _scaled(value: object, power: int) -> object:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return value
    return number / 10**-power if power < 0 else number * 10**power


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)
