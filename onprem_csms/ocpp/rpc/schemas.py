"""The message schemas of the ``ocpp`` package, compiled once by a fast validator.

Two strengths: what comes in is checked for its shape only, since its moments are read leniently one by
one; what the csms sends is checked with formats too, so that a fault is found before the charger sees it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from jsonschema_rs import ValidationError, validator_for

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?([Zz]|[+-]\d\d(:?\d\d)?)?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
# Printf-free sentences: one per schema keyword, translated where it is shown.
_SENTENCES = {
    "required": "This is missing.",
    "additionalProperties": "The message has no such field.",
    "type": "This is not of the right type.",
    "enum": "This is none of the allowed words.",
    "maxLength": "This is too long.",
    "minItems": "The list is too short.",
    "multipleOf": "This has too many decimals.",
    "format": "This is not written as it must be.",
}
_OTHER_SENTENCE = "This does not fit the message."
# OCPP-J 1.6 section 4.2.3 with its spelling; the errata (5.1) keep it.
_CODES = {
    "required": "OccurenceConstraintViolation",
    "minItems": "OccurenceConstraintViolation",
    "additionalProperties": "OccurenceConstraintViolation",
    "type": "TypeConstraintViolation",
}


class Fault(NamedTuple):
    """Where a message breaks its schema, what is wrong there, and OCPP's word for it."""

    path: str
    sentence: str
    keyword: str
    code: str


class Schema:
    """One message's schema."""

    __slots__ = ("_validator", "document", "is_valid")

    def __init__(self, document: dict[str, Any], *, formats: bool) -> None:
        self.document = document
        self._validator = validator_for(
            document,
            validate_formats=formats,
            formats={"date-time": _is_moment, "uri": _is_uri} if formats else None,
        )
        self.is_valid = self._validator.is_valid

    def faults(self, payload: object) -> Iterator[Fault]:
        """List every fault of a payload."""
        return map(_fault, self._validator.iter_errors(payload))


@cache
def incoming(version: str, name: str) -> Schema:
    """Return the schema of a message that a charger sends; KeyError when there is none."""
    return Schema(_load(version, name), formats=False)


@cache
def outgoing(version: str, name: str) -> Schema:
    """Return the schema of a message that the csms sends, with its formats; KeyError when there is none."""
    return Schema(_load(version, name), formats=True)


def _load(version: str, name: str) -> dict[str, Any]:
    folder = resources.files("ocpp") / version / "schemas"
    # A version names the file of a request by its action, or by that and what it is.
    files = [folder / f"{name}{suffix}.json" for suffix in ("", "Request")]
    file = next((one for one in files if one.is_file()), None)
    if not name.isalnum() or file is None:
        raise KeyError(name)
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8-sig"))
    return document


def _fault(error: ValidationError) -> Fault:
    keyword = error.kind.name
    details: Mapping[str, Any] = error.kind.as_dict()
    path = [str(step) for step in error.instance_path]
    if keyword == "required":
        path.append(str(details["property"]))
    elif keyword == "additionalProperties":
        path.append(str(details["unexpected"][0]))
    return Fault(
        ".".join(path),
        _SENTENCES.get(keyword, _OTHER_SENTENCE),
        keyword,
        _CODES.get(keyword, "PropertyConstraintViolation"),
    )


def _is_moment(text: object) -> bool:
    """Check a moment leniently: ISO 8601 to the minute at least, with or without a zone."""
    return not isinstance(text, str) or _MOMENT.fullmatch(text) is not None


def _is_uri(text: object) -> bool:
    return not isinstance(text, str) or _URI.fullmatch(text) is not None
