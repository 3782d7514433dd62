import re
from typing import cast
from urllib.parse import unquote

import pytest

from onprem_csms.app import compose
from onprem_csms.domain.access.rights import DEEDS as TABLE
from onprem_csms.domain.access.rights import Deed, Role, may
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.web.admin.routes import ROUTES
from onprem_csms.web.guards import guard_of
from tests.web.site import CARD, CHARGER, Site, charger_path

# The charger endpoint and the health check are not pages: they decide for themselves who comes in.
UNGUARDED = ("/{slashes}ocpp", "/healthz")
PAGES = [path for method, path, guard, _ in ROUTES if method == "GET" and guard.name != "public"]
# The stream never ends; who may hear it is asked in test_live.
GUARDED = [
    (method, path, guard.name)
    for method, path, guard, _ in ROUTES
    if guard.name != "public" and not path.endswith("/events")
]
DEEDS = [
    (path, guard.name) for method, path, guard, _ in ROUTES if method == "POST" and guard.name != "public"
]


def real(path: str) -> str:
    """An address of the table with this test's things in its places."""
    if path.startswith("/admin/chargers/"):
        path = path.replace("/admin/chargers/{id}", charger_path())
    for place, value in (
        ("{number:[0-9.]{1,9}}", "1"),
        ("{command:change}", "change"),
        ("{command}", "reset"),
        ("{uid}", CARD),
        ("{id}", "1"),
    ):
        path = path.replace(place, value)
    return path


def deed_of(guard: str) -> Deed:
    """The deed that a route's guard asks for."""
    return cast(Deed, guard.removeprefix("operator:"))


async def test_every_route_of_the_program_names_its_guard(site: Site):
    routes = compose(site.ctx, Options()).router.routes()
    paths = [(route, route.resource.canonical if route.resource else "") for route in routes]
    without = [
        path
        for route, path in paths
        if guard_of(route.handler) is None and not any(open_one in path for open_one in UNGUARDED)
    ]
    assert without == []
    assert len(paths) > len(ROUTES)


async def test_who_is_not_signed_in_is_sent_to_the_sign_in_and_back(site: Site):
    visitor = await site.visitor()
    for path in PAGES:
        page = await visitor.get(real(path))
        assert page.status == 303, path
        where, _, next_ = page.location.partition("?next=")
        assert (where, unquote(next_)) == ("/admin/sign-in", real(path))


async def test_a_deed_without_a_sign_in_is_refused_with_a_page_that_says_so(site: Site):
    visitor = await site.visitor()
    for path, _ in DEEDS:
        page = await visitor.post(real(path))
        assert page.status == 401, path
        assert "not signed in" in page.text


def nowhere(path: str) -> str:
    """An address of the table that leads to a thing that is not there, so that no deed of the test is done."""
    path = path.replace("{number:[0-9.]{1,9}}", "9").replace("{command:change}", "change")
    return re.sub(r"\{\w+\}", "999", path)


@pytest.mark.parametrize("name,role", [("viewer", "viewer"), ("clerk", "desk"), ("admin", "admin")])
async def test_a_role_may_do_what_the_table_says_and_no_more(site: Site, name: str, role: Role):
    browser = await site.signed_in(name)
    wrong = []
    for method, path, guard in GUARDED:
        page = await (browser.get if method == "GET" else browser.post)(nowhere(path))
        if (page.status == 403) is may(role, deed_of(guard)) or page.status == 401:
            wrong.append((method, path, page.status))
        assert page.status < 500, path
    assert wrong == []


async def test_a_viewer_is_offered_no_button_that_would_refuse_them(site: Site, viewer):
    for path in (
        "/admin/chargers",
        charger_path(),
        "/admin/sessions/2",
        "/admin/people/1",
        f"/admin/cards/{CARD}",
    ):
        page = await viewer.get(path)
        assert page.status == 200
        forms = [
            part.split('"')[1]
            for part in page.text.split("<form")[1:]
            if 'method="post"' in part.split(">")[0]
            for part in [part.split("action=", 1)[-1]]
        ]
        assert set(forms) <= {"/admin/sign-out", "/language"}, path


def test_every_guard_of_the_operators_site_names_a_deed_of_the_table():
    guards = {guard.name for _, _, guard, _ in ROUTES if guard.name != "public"}
    assert {name.removeprefix("operator:") for name in guards} <= set(TABLE)


def test_the_charger_of_these_tests_needs_quoting():
    assert "/" in CHARGER
