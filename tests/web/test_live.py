import json
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from onprem_csms import listening
from onprem_csms.services.charging import sessions
from tests.web.site import Site, Visitor, running_site


async def events(visitor: Visitor, topics: str) -> aiohttp.ClientResponse:
    response = await visitor.http.get(URL(f"{visitor.base}/admin/events?topics={topics}"))
    assert response.content_type == "text/event-stream"
    return response


async def next_event(response: aiohttp.ClientResponse) -> tuple[str, list[str]]:
    name = (await response.content.readline()).decode().strip().removeprefix("event: ")
    data = (await response.content.readline()).decode().strip().removeprefix("data: ")
    await response.content.readline()
    return name, json.loads(data)


async def test_a_page_hears_what_changed_and_nothing_else(site: Site, viewer: Visitor):
    response = await events(viewer, "session")
    assert await next_event(response) == ("alive", [])
    await site.do(sessions.close, 2)
    name, changed = await next_event(response)
    assert (name, changed) == ("changed", ["session:2"])
    response.close()


async def test_the_stream_is_for_operators_only(site: Site):
    visitor = await site.visitor()
    assert (await visitor.get("/admin/events?topics=session")).status == 303


async def test_open_streams_do_not_hold_up_the_end_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        listening, "STOP_WITHIN_S", 1e6
    )  # so that one which is waited for is waited for without end
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with running_site(tmp_path / "data") as site:
            visitor = Visitor(http, site.base)
            await visitor.sign_in("viewer")
            response = await events(visitor, "session,charger")
            assert (await next_event(response))[0] == "alive"
        assert await response.content.read() == b""
