"""Calls decoded straight into typed structs, made from the schema of the message; pure.

A struct takes exactly what the schema takes, and a frame exactly as it should be: whatever is odd is not read
here, but by the tolerant way (``frames``, ``schemas``, ``repair``). Moments stay text: ``moments`` reads them.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from onprem_csms.ocpp.rpc import frames, schemas

Decode = Callable[[bytes], Any]
"""Bytes in, a struct with ``id``, ``action`` and ``payload`` out; a missing member is None. ``MISS`` where it fails."""
MISS = (msgspec.MsgspecError, ValueError)
"""What a decoder raises for what it does not take; ValueError for what is not UTF-8."""
JsonSchema = dict[str, Any]
_LARGEST = 2**53
_WHOLE = Annotated[int, Meta(ge=-_LARGEST, le=_LARGEST)]
"""What every reader of JSON takes for the same number."""
_PLAIN: dict[str, Any] = {"integer": _WHOLE, "number": float, "boolean": bool, "string": str}


def decoder(version: str, action: str) -> Decode:
    """Return the decoder of an action's calls; KeyError for an action without a schema."""
    document = schemas.incoming(version, action).document
    fields = [
        ("kind", Literal[frames.CALL]),
        ("id", Annotated[str, Meta(min_length=1, max_length=frames.LONGEST_ID)]),
        ("action", Literal[action]),
        ("payload", _type(document, document.get("definitions", {}))),
    ]
    frame = msgspec.defstruct(f"{action}Call", fields, array_like=True, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(frame).decode


def _type(schema: JsonSchema, definitions: JsonSchema) -> Any:
    reference = schema.get("$ref")
    if reference is not None:
        schema = definitions[reference.rpartition("/")[2]]
    kind = schema.get("type")
    if kind == "object":
        return _struct(schema, definitions)
    if kind == "array":
        items: Any = _type(schema["items"], definitions)
        return Annotated[list[items], Meta(min_length=schema.get("minItems", 0))]
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    if "maxLength" in schema:
        return Annotated[str, Meta(max_length=schema["maxLength"])]
    # Bounds of numbers, anything else that a schema may say: not read here.
    return _PLAIN[kind] if kind in _PLAIN and not _bounds(schema) else Literal[()]


def _struct(schema: JsonSchema, definitions: JsonSchema) -> type[msgspec.Struct]:
    required = schema.get("required", ())
    fields: list[Any] = []
    for name, one in schema.get("properties", {}).items():
        kind = _type(one, definitions)
        fields.append((name, kind) if name in required else (name, kind, None))
    return msgspec.defstruct("Payload", fields, kw_only=True, forbid_unknown_fields=True, gc=False)


def _bounds(schema: JsonSchema) -> set[str]:
    return set(schema) - {"type", "default", "format", "title", "description", "javaType"}
