"""What is the same for every route: keys, roles, bodies, errors."""

import asyncio
import json

import pytest

from onprem_csms.domain.access.rights import DEEDS, may
from onprem_csms.errors import NotFound
from onprem_csms.services.access import api_keys
from onprem_csms.services.core import audit
from onprem_csms.web.api.routes import ROUTES
from onprem_csms.web.languages import sentence
from tests.api.conftest import Api

HUNGARIAN = sentence(NotFound("There is no person {id}.", id=7), "hu")


def test_every_route_names_the_role_it_needs() -> None:
    assert {route.deed for route in ROUTES if route.deed is not None} <= set(DEEDS)
    assert [route.path for route in ROUTES if route.deed is None] == ["/openapi.json"]


def test_what_changes_something_is_never_for_viewers() -> None:
    assert [
        route
        for route in ROUTES
        if route.method != "GET" and (route.deed is None or may("viewer", route.deed))
    ] == []


async def test_no_route_lets_a_stranger_or_a_lesser_role_in(api: Api) -> None:
    for route in ROUTES:
        path = route.path.replace("{", "").replace("}", "")
        nobody = await api.ask(route.method, path, role=None)
        if route.deed is None:
            assert nobody.status == 200
            continue
        assert (nobody.status, nobody.headers["WWW-Authenticate"][:6]) == (401, "Bearer"), route
        for role in ("viewer", "desk", "admin"):
            refused = (await api.ask(route.method, path, role=role)).status == 403
            assert refused == (not may(role, route.deed)), (route, role)


async def test_a_wrong_or_revoked_key_is_refused(api: Api) -> None:
    for wrong in ("Bearer csms_wrong", "Bearer ", "Basic YTpi", "Bearer \u00ff"):
        assert (await api.get("/people", role=None, headers={"Authorization": wrong})).status == 401
    key = await api.ctx.write(api_keys.create, "old", "admin")
    header = {"Authorization": f"bearer {key.secret}"}
    assert (await api.get("/people", role=None, headers=header)).status == 200
    await api.ctx.write(api_keys.revoke, key.key.id)
    assert (await api.get("/people", role=None, headers=header)).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"name": NaN}',
        b'{"name": "a"} b',
        b"\xff\xfe",
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"name": "a", "x": ' + b"[" * 100_000,
    ],
)
async def test_what_is_not_json_is_a_bad_request(api: Api, body: bytes) -> None:
    reply = await api.post("/people", body)
    assert reply.status in (400, 422)
    assert reply.body["status"] == reply.status


async def test_broken_json_is_400_and_says_so(api: Api) -> None:
    reply = await api.post("/people", b'{"name": ')
    assert (reply.status, reply.body["title"], reply.body["errors"]) == (400, "Bad Request", [])


@pytest.mark.parametrize(
    "body,path",
    [
        ({"name": "A", "surname": "B"}, "surname"),
        ({"email": "a@b"}, "name"),
        ({"name": 5}, "name"),
        ({"name": ""}, "name"),
        ([], ""),
        ({"name": "A", "language": "de"}, "language"),
    ],
)
async def test_a_body_that_does_not_fit_is_422_with_the_path(api: Api, body: object, path: str) -> None:
    reply = await api.post("/people", body)
    assert (reply.status, reply.paths) == (422, [path])


@pytest.mark.parametrize(
    "query,path",
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("txet=Anna", "txet"),
        ("cursor=abc", "cursor"),
    ],
)
async def test_a_query_that_does_not_fit_is_422_with_the_path(api: Api, query: str, path: str) -> None:
    reply = await api.get(f"/people?{query}")
    assert (reply.status, reply.paths) == (422, [path])


async def test_a_body_that_is_too_large_is_413(api: Api) -> None:
    body = json.dumps({"name": "A", "note": "x" * (1024 * 1024)}).encode()
    assert (await api.post("/people", body)).status == 413


async def test_a_body_without_a_length_that_is_too_large_is_413(api: Api) -> None:
    async def chunks():
        for _ in range(40):
            yield b" " * 32_768

    header = {"Authorization": f"Bearer {api.secrets['admin']}"}
    async with api.client.post(f"{api.url}/people", data=chunks(), headers=header) as reply:
        assert reply.status == 413


async def test_an_unknown_address_and_a_wrong_method_are_problems_too(api: Api) -> None:
    for path in ("/peoples", "", "/people/1/2", "/chargers/"):
        missing = await api.get(path)
        assert (missing.status, missing.body["status"]) == (404, 404), path
        assert missing.headers["Content-Type"].startswith("application/problem+json")
    wrong = await api.ask("PUT", "/people")
    assert (wrong.status, wrong.body["title"]) == (405, "Method Not Allowed")
    assert set(wrong.headers["Allow"].split(",")) == {"GET", "POST"}


async def test_a_number_that_is_none_finds_nothing(api: Api) -> None:
    for number in ("abc", "-1", "1.5", "99999999999999999999999", "٣"):
        assert (await api.get(f"/people/{number}")).status == 404, number


async def test_the_sentence_of_a_problem_comes_in_the_language_asked_for(api: Api) -> None:
    assert HUNGARIAN != "There is no person 7.", "the catalogue is there"
    english = await api.get("/people/7")
    assert english.body["detail"] == "There is no person 7."
    for header, said in {"xx": english.body["detail"], "hu-HU,en;q=0.5": HUNGARIAN}.items():
        other = await api.get("/people/7", headers={"Accept-Language": header})
        assert other.body["detail"] == said


async def test_what_a_key_changed_is_in_the_audit(api: Api) -> None:
    made = await api.post("/people", {"name": "Anna"}, role="desk")
    await api.patch(f"/people/{made.body['id']}", {"name": "Anna B."})
    await api.patch(f"/people/{made.body['id']}", {"email": "no address"})
    lines = [(line.actor, line.action, line.subject) for line in await api.ctx.read(audit.find)][:2]
    number = str(made.body["id"])
    assert lines == [
        ("api:admin", "person.changed", number),
        ("api:desk", "person.added", number),
    ]


async def test_a_hundred_requests_at_once_are_all_answered(api: Api) -> None:
    replies = await asyncio.gather(*(api.post("/people", {"name": f"P{n}"}) for n in range(100)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["id"] for reply in replies}) == 100
