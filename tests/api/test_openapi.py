"""The description of the API is valid, and the API does what it says."""

import asyncio
import contextlib
import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.definitions import OPENAPI_31

from onprem_csms.web.api.routes import ROUTES, document
from tests.api.conftest import Api

EXAMPLES = 3
# What HTTP itself refuses never comes to our code.
LONGEST_REQUEST = 7000
# What fits the schema may still be refused: a card that is unknown, two fields that exclude each other.
QUIET = list(HealthCheck)
NOT_MEANT = [checks.positive_data_acceptance]


def test_the_description_is_valid_openapi() -> None:
    validator = jsonschema_rs.validator_for(OPENAPI_31)
    assert [error.message for error in validator.iter_errors(document())] == []


def test_every_route_is_described_with_its_places() -> None:
    described = document()["paths"]
    for route in ROUTES:
        operation = described[route.path][route.method.lower()]
        places = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert places == set(re.findall(r"{(\w+)}", route.path)), route.path
        assert operation["summary"].endswith("."), route.path


def test_every_operation_and_every_schema_has_a_name_of_its_own() -> None:
    names = [one["operationId"] for path in document()["paths"].values() for one in path.values()]
    assert len(names) == len(set(names)) == len(ROUTES)
    used = set(re.findall(r"#/components/schemas/(\w+)", str(document())))
    assert used == set(document()["components"]["schemas"])


async def test_the_description_is_served_to_everybody(api: Api) -> None:
    reply = await api.get("/openapi.json", role=None)
    assert (reply.status, reply.body["openapi"], reply.body["info"]["title"]) == (200, "3.1.0", "onprem-csms")


async def fill(api: Api) -> None:
    """Something of everything, so that the numbers 1 and 2 find it."""
    for number in (1, 2):
        await api.post("/people", {"name": f"Person {number}"})
        await api.post("/tokens", {"token": f"04AA000{number}", "type": "prepaid"})
        await api.post("/tariffs", {"name": f"T{number}", "prices": {"per_kwh": "149"}})
        await api.post("/topups", {"wallet": number, "amount": 500, "idempotency_key": str(number)})
        await api.post("/chargers", {"id": f"CP{number}"})
        await api.post("/charging-profiles", {"profile": {"stackLevel": 0}})


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
async def test_no_request_gets_an_answer_that_is_not_described(api: Api, mode: GenerationMode) -> None:
    await fill(api)
    await asyncio.to_thread(fuzz, api.url, api.secrets["admin"], mode)


def operations() -> list[Any]:
    """Every operation as its description reads."""
    found: Any = schemathesis.openapi.from_dict(document()).get_all_operations()
    return [operation.ok() for operation in found]


def fuzz(url: str, secret: str, mode: GenerationMode) -> None:
    """Ask every operation with generated requests, that fit its description or do not."""
    header = {"Authorization": f"Bearer {secret}"}
    for operation in operations():
        strategy = operation.as_strategy(generation_mode=mode)

        @seed(7)
        @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], suppress_health_check=QUIET)
        @given(case=strategy)
        def ask(case: Any) -> None:
            assume(len(str(case.as_transport_kwargs(base_url=url))) < LONGEST_REQUEST)
            case.call_and_validate(base_url=url, headers=header, excluded_checks=NOT_MEANT)

        with contextlib.suppress(Unsatisfiable):  # nothing about it can be made wrong
            ask()
