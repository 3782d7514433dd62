"""Every route of the API against every role: the table of rights decides, and nobody else."""

import re

import pytest

from onprem_csms.domain.access.rights import ROLES, Role, may
from onprem_csms.web.api.routes import ROUTES
from tests.api.conftest import Api

GUARDED = [route for route in ROUTES if route.deed is not None]


def real(path: str) -> str:
    """An address of the table that leads to a thing that is not there."""
    return re.sub(r"\{\w+\}", "999", path)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_do_what_the_table_says_and_no_more(api: Api, role: Role) -> None:
    wrong = []
    for route in GUARDED:
        assert route.deed is not None
        body: object = {} if route.method in ("POST", "PATCH") else None
        reply = await api.ask(route.method, real(route.path), body, role=role)
        if (reply.status == 403) is may(role, route.deed):
            wrong.append((route.method, route.path, reply.status))
        assert reply.status < 500, route
    assert wrong == []


async def test_without_a_key_nothing_is_done_and_nothing_told(api: Api) -> None:
    told = {
        (route.method, route.path): (await api.ask(route.method, real(route.path), role=None)).status
        for route in GUARDED
    }
    assert set(told.values()) == {401}


def test_only_the_description_of_the_api_asks_for_no_key() -> None:
    assert [route.path for route in ROUTES if route.deed is None] == ["/openapi.json"]
