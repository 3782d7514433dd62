"""The tolerant tier, pure: a payload that breaks its schema is put right where its meaning is plain.

Runs only after the fast validation failed. The schema leads: payload and schema are walked together,
and every deviation is named, so that the operator sees what a charger does wrong (``docs/chargers.md``).
"""

from typing import Any

JsonSchema = dict[str, Any]

_DROP = object()
_LONGEST_NUMBER = 32
# Words that chargers send for a word of the standard.
_SYNONYMS = {
    "hz": "Hertz",
    "°c": "Celsius",
    "c": "Celsius",
    "%": "Percent",
    "kw/h": "kWh",
    "wh/h": "W",
    "volt": "V",
    "volts": "V",
    "amp": "A",
    "ampere": "A",
    "watt": "W",
    "error": "OtherError",
}


class Notes(dict[str, None]):
    """The quirks found so far, in order, each once; with the definitions that the schema refers to."""

    def __init__(self, definitions: JsonSchema) -> None:
        super().__init__()
        self.definitions = definitions


def repair(payload: dict[str, Any], schema: JsonSchema) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the payload put right, and the kinds of quirks found, each once.

    What is missing stays missing, an unknown word stays as it is: the handler of the message decides
    whether it can do without.
    """
    quirks = Notes(schema.get("definitions", {}))
    mended = _object(payload, schema, quirks)
    return mended, tuple(quirks)


def _value(value: Any, schema: JsonSchema, quirks: Notes) -> Any:
    if value is None:
        quirks["null"] = None
        return _DROP
    reference = schema.get("$ref")
    if reference is not None:
        schema = quirks.definitions[reference.rpartition("/")[2]]
    kind = schema.get("type")
    if kind == "object":
        return _object_from(value, schema, quirks)
    if kind == "array":
        return _array(value, schema, quirks)
    if kind == "string":
        return _text(value, schema, quirks)
    if kind in ("integer", "number"):
        return _number(value, quirks, whole=kind == "integer")
    return value


def _object(payload: dict[str, Any], schema: JsonSchema, quirks: Notes) -> dict[str, Any]:
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    result: dict[str, Any] = {}
    for name, raw in payload.items():
        known = name if name in properties else _known_name(name, properties, payload)
        if known is None:
            quirks["extra_property"] = None
            continue
        if known != name:
            quirks["wrong_case"] = None
        value = _value(raw, properties[known], quirks)
        if value is not _DROP:
            result[known] = value
    if any(name not in result for name in required):
        quirks["missing"] = None
    return result


def _known_name(name: str, properties: JsonSchema, payload: dict[str, Any]) -> str | None:
    """Find the property that differs in case or underscores only, unless it is there as well."""
    plain = name.replace("_", "").casefold()
    for known in properties:
        if known.casefold() == plain and known not in payload:
            return str(known)
    return None


def _object_from(value: Any, schema: JsonSchema, quirks: Notes) -> Any:
    if isinstance(value, list) and len(value) == 1:
        quirks["not_an_object"] = None
        value = value[0]
    if not isinstance(value, dict):
        quirks["wrong_type"] = None
        return _DROP
    return _object(value, schema, quirks)


def _array(value: Any, schema: JsonSchema, quirks: Notes) -> Any:
    if not isinstance(value, list):
        quirks["not_a_list"] = None
        value = [value]
    items = schema.get("items", {})
    mended = (_value(item, items, quirks) for item in value)
    result = [item for item in mended if item is not _DROP]
    if len(result) < schema.get("minItems", 0):
        quirks["empty_list"] = None
    return result


def _text(value: Any, schema: JsonSchema, quirks: Notes) -> Any:
    if isinstance(value, dict | list):
        quirks["wrong_type"] = None
        return _DROP
    if not isinstance(value, str):
        quirks["number_for_text"] = None
        value = str(value).lower() if isinstance(value, bool) else str(value)
    options = schema.get("enum")
    if options is not None:
        return _word(value, options, quirks)
    if len(value) > schema.get("maxLength", len(value)):
        # Kept whole: a card number with rubbish behind it still names its session.
        quirks["too_long"] = None
    return value


def _word(value: str, options: list[str], quirks: Notes) -> Any:
    if value in options:
        return value
    plain = value.strip().casefold()
    for option in options:
        if option.casefold() == plain:
            quirks["wrong_case"] = None
            return option
    synonym = _SYNONYMS.get(plain)
    if synonym in options:
        quirks["synonym"] = None
        return synonym
    # Never dropped: a reading whose measurand is unknown must not become one of the default measurand.
    quirks["unknown_word"] = None
    return value


def _number(value: Any, quirks: Notes, *, whole: bool) -> Any:
    if isinstance(value, str):
        quirks["text_for_number"] = None
        value = _parsed(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        quirks["wrong_type"] = None
        return _DROP
    if whole and isinstance(value, float):
        quirks["fraction"] = None
        return round(value)
    return value


def _parsed(text: str) -> int | float | None:
    plain = text.strip().replace(",", ".").replace(" ", "")
    if len(plain) > _LONGEST_NUMBER:
        return None
    try:
        number = float(plain)
    except ValueError:
        return None
    try:
        return int(plain)
    except ValueError:
        return number
