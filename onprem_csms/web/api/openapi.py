"""The description of the API in OpenAPI 3.1, generated: nothing in it can differ from the code."""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from onprem_csms.web.api.problems import CONTENT_TYPE, Problem
from onprem_csms.web.api.route import BIGGEST_NUMBER, PREFIX, Route, Signature, signature

_PLACE = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{name}"
# The name of a generic type, ``Page_Charger_``, becomes one that reads well.
_GENERIC = re.compile(rb"\bPage_(\w+)_(?=\")")
_JSON = "application/json"
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The caller's own name for this payment; the same key again books nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_ABOUT = (
    "Everything that the pages do, for programs. Send an API key as a bearer token. Money is in minor units "
    "(cents, whole forints), energy in Wh, power in W, times in UTC. Errors are problem documents "
    "(RFC 9457) whose `errors` name each fault with its path."
)


def describe(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Return the whole document."""
    table = [(route, signature(route.view)) for route in routes]
    schemas = _Schemas(table)
    paths: dict[str, dict[str, Any]] = {}
    for route, types in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, types, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "onprem-csms", "version": version, "description": _ABOUT},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": schemas.shown(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """The schema of each type, as a reference where it has a name."""

    def __init__(self, table: Sequence[tuple[Route, Signature]]) -> None:
        found: list[Any] = [Problem]
        for _, types in table:
            found += [one for one in (types.body, types.query, *types.answers.values()) if one is not None]
        found = list({str(one): one for one in found}.values())
        made = msgspec.json.encode(msgspec.json.schema_components(found, ref_template=_REF))
        schemas, components = msgspec.json.decode(_GENERIC.sub(rb"\1Page", made))
        self.components: dict[str, dict[str, Any]] = components
        self._schemas: dict[str, dict[str, Any]] = {
            str(one): schema for one, schema in zip(found, schemas, strict=True)
        }
        self._queries = {types.query.__name__ for _, types in table if types.query is not None}

    def of(self, wanted: Any) -> dict[str, Any]:
        """Return the schema of a type of the table."""
        return self._schemas[str(wanted)]

    def shown(self) -> dict[str, Any]:
        """Return the schemas that have a name; a query's fields stand at each route as parameters."""
        return {name: schema for name, schema in self.components.items() if name not in self._queries}

    def fields(self, wanted: Any) -> dict[str, dict[str, Any]]:
        """Return the schemas of a struct's fields."""
        name = self.of(wanted)["$ref"].rsplit("/", 1)[1]
        fields: dict[str, dict[str, Any]] = self.components[name]["properties"]
        return fields


def _operation(route: Route, types: Signature, schemas: _Schemas) -> dict[str, Any]:
    summary, _, more = (route.view.__doc__ or "").strip().partition("\n")
    operation: dict[str, Any] = {
        "operationId": f"{route.view.__module__.rsplit('.', 1)[1]}.{route.view.__name__}",
        "summary": summary,
        "description": f"{' '.join(more.split())} Role: {route.role}.".strip(),
        "tags": [route.path.split("/")[1]],
        "parameters": _parameters(route, types, schemas),
        "responses": _responses(route, types, schemas),
        "security": [] if route.role == "public" else [{"key": []}],
    }
    if types.body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": schemas.of(types.body)}}}
    return operation


def _parameters(route: Route, types: Signature, schemas: _Schemas) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _place_schema(route.path, name)}
        for name in _PLACE.findall(route.path)
    ]
    if types.query is not None:
        for name, schema in schemas.fields(types.query).items():
            found.append({"name": name, "in": "query", "required": False, "schema": schema})
    if (route.method, route.path) == ("POST", "/topups"):
        found.append(_KEY)
    return found


def _place_schema(path: str, name: str) -> dict[str, Any]:
    """Chargers are called by their identity, cards by their number as text; everything else is counted."""
    if name == "number" or (name == "id" and not path.startswith("/chargers/")):
        return {"type": "integer", "minimum": 1, "maximum": BIGGEST_NUMBER}
    return {"type": "string", "minLength": 1}


def _responses(route: Route, types: Signature, schemas: _Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, answer in types.answers.items():
        found[str(status)] = {"description": HTTPStatus(status).phrase}
        if answer is not None:
            found[str(status)]["content"] = {_JSON: {"schema": schemas.of(answer)}}
    problem = {CONTENT_TYPE: {"schema": schemas.of(Problem)}}
    for status in _refusals(route, types):
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    found["default"] = {"description": "Anything else that went wrong.", "content": problem}
    return found


def _refusals(route: Route, types: Signature) -> list[int]:
    found = [] if route.role == "public" else [401, 403]
    if _PLACE.search(route.path):
        found.append(404)
    if route.method != "GET":
        found.append(409)
    if types.body is not None:
        found += [400, 413]
    if types.body is not None or types.query is not None:
        found.append(422)
    return sorted(found)
