from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from onprem_csms.web import csrf
from tests.web.site import Site, Visitor


def request(method: str = "POST", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request(method, "/admin/people/new", headers={"Host": "csms.lan:8080", **named})


@pytest.mark.parametrize(
    "headers,ours",
    [
        ({"Sec_Fetch_Site": "same-origin", "Origin": "http://csms.lan:8080"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "http://evil.example"}, False),
        ({"Sec_Fetch_Site": "same-site", "Origin": "http://other.lan"}, False),
        ({"Origin": "http://csms.lan:8080"}, True),
        ({"Origin": "http://CSMS.lan:8080"}, True),
        ({"Origin": "http://csms.lan"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, True),
        ({"Authorization": "Bearer csms_x", "Origin": "http://evil.example"}, True),
        ({"Authorization": "Basic eDp5", "Origin": "http://evil.example"}, False),
    ],
)
def test_only_our_own_pages_may_change_something(headers: dict[str, str], ours: bool):
    assert csrf.is_ours(request(**headers)) is ours


def test_behind_a_proxy_the_public_address_counts_too():
    sent = request(Origin="https://csms.example")
    assert csrf.is_ours(sent, "https://csms.example")
    assert not csrf.is_ours(sent, "https://other.example")
    assert not csrf.is_ours(request(Origin="null"), "")


def test_looking_is_free():
    assert csrf.is_ours(request("GET", Origin="http://evil.example", Sec_Fetch_Site="cross-site"))


async def test_a_foreign_form_changes_nothing_although_the_cookie_comes_along(site: Site, admin: Visitor):
    form = {"name": "Mallory", "language": ""}
    page = await admin.post("/admin/people/new", form, Origin="http://evil.example")
    assert page.status == 403
    assert "another site" in page.text
    assert "Mallory" not in (await admin.get("/admin/people")).text
    assert (await admin.post("/admin/people/new", form)).status == 303
    assert "Mallory" in (await admin.get("/admin/people")).text
