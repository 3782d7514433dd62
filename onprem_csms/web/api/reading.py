"""Reading a request: its body and its query become typed values, or an error with the path of the fault."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from onprem_csms.errors import Invalid

# A local list of some thousand cards fits; see docs/api.md.
LARGEST_BODY = 1024 * 1024
_AT = re.compile(r"^(?P<text>.*) - at `(?P<path>.*)`$", re.DOTALL)
_FIELD = re.compile(r"^Object (?P<what>contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL)


def decode(body: bytes, wanted: Any) -> Any:
    """Read JSON into a type; 400 when it is not JSON, Invalid with its path when it does not fit."""
    try:
        value = msgspec.json.decode(body or b"{}", type=wanted)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), "The body does not fit.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise web.HTTPBadRequest from error
    _check_moments(value)
    return value


def _check_moments(value: Any) -> None:
    """Refuse a moment that has no place in UTC: its zone moves it out of the years 1 to 9999."""
    for name in getattr(value, "__struct_fields__", ()):
        moment = getattr(value, name)
        if isinstance(moment, datetime):
            try:
                moment.astimezone(UTC)
            except OverflowError as error:
                raise Invalid(
                    "The body does not fit.", faults=[(name, "There is no such moment.")]
                ) from error


def query(given: Mapping[str, str], wanted: Any) -> Any:
    """Read the query into a type; Invalid with its path. An unknown name is a fault, not a filter that does nothing."""
    try:
        return msgspec.convert(dict(given), wanted, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), "The query does not fit.") from error


def _invalid(text: str, sentence: str) -> Invalid:
    found = _AT.match(text)
    path = _dotted(found["path"]) if found else ""
    text = found["text"] if found else text
    field = _FIELD.match(text)
    if field:
        path = f"{path}.{field['name']}".lstrip(".")
        text = "This field is not known." if "unknown" in field["what"] else "This field is missing."
    return Invalid(sentence, faults=[(path, text)])


def _dotted(path: str) -> str:
    """``$.connectors[0].number`` as ``connectors.0.number``."""
    return path.removeprefix("$").replace("[", ".").replace("]", "").lstrip(".")
