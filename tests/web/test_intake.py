"""What is refused before a page sees it, and that it costs nothing: bodies, names, proxies, shares."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from onprem_csms.domain.access.networks import is_local, network_of, networks, real_address
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.web import bodies
from onprem_csms.web.intake import known_names, split
from onprem_csms.web.shares import Bounds, Shares
from tests.web.site import PASSWORD, Site, Visitor, running_site

FORM = "application/x-www-form-urlencoded"


async def say(site: Site, text: bytes, source: str = "127.0.0.1") -> bytes:
    """Send bytes as they are and read until the server closes or has answered whole."""
    port = int(site.base.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    writer.write(text)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def status(answer: bytes) -> int:
    """The status of an answer."""
    return int(answer.split(b" ", 2)[1])


def head(path: str = "/admin/sign-in", method: str = "GET", host: str = "127.0.0.1", **more: str) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# --- Bodies -------------------------------------------------------------------------------------


async def test_a_compressed_body_is_refused_and_never_unpacked(site: Site) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    for path in ("/admin/sign-in", "/driver/sign-in", "/api/v1/people", "/healthz", "/"):
        assert await _is_refused(site, path, bomb), path


async def _is_refused(site: Site, path: str, bomb: bytes) -> bool:
    request = head(path, "POST", Content_Type=FORM, Content_Encoding="gzip", Content_Length=str(len(bomb)))
    answer = await say(site, request + bomb)
    return status(answer) == 415 and b"Connection: close" in answer


async def test_a_form_with_files_is_refused(site: Site) -> None:
    visitor = await site.visitor()
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="f%d"; filename="a"\r\n\r\n1\r\n' % number
        for number in range(100)
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x", "Origin": site.base}
    async with visitor.http.post(
        f"{site.base}/admin/sign-in", data=body + b"--x--\r\n", headers=kind
    ) as found:
        assert found.status == 415


async def test_a_stranger_sends_small_forms_and_an_operator_larger_ones(site: Site, admin: Visitor) -> None:
    large = {"name": "admin", "password": "x" * 20_000}
    assert (await (await site.visitor()).post("/admin/sign-in", large)).status == 413
    assert (await admin.post("/admin/account", {"current": "x" * 20_000})).status != 413


async def test_a_body_that_never_ends_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WITHIN_S", 0.05)
    request = head("/admin/sign-in", "POST", Content_Type=FORM, Content_Length="100")
    assert status(await say(site, request + b"name=a")) == 408


async def test_a_form_that_is_no_text_is_400(site: Site) -> None:
    for body in (b"name=%ff", b"name=\xff", b"name=%C3%28", b"a=1&" * 2001):
        request = head("/admin/sign-in", "POST", Content_Type=FORM, Content_Length=str(len(body)))
        assert status(await say(site, request + body)) == 400, body


# --- Headers and addresses ----------------------------------------------------------------------

ODD = [
    head(Referer="http://["),
    head("/admin/sign-in", "POST", Origin="http://[", Content_Type=FORM, Content_Length="0"),
    head("/admin/sign-in?next=//[", "GET"),
    head("/admin/sign-in?next=http://[::1", "GET"),
    head("/admin/%ff%fe"),
    head("/admin/\xe9"),
    head(host="["),
    head(host="a b"),
    head(host=""),
    head(host="127.0.0.1:99999"),
    head(Cookie="csms_operator=\xff; =; a"),
    head(Accept_Language="\xff;q=nan,,;q="),
    head(Content_Type="text/\xff; charset=nonsense"),
    head("/language", "POST", Content_Type=f"{FORM}; charset=nonsense", Content_Length="0"),
    head("/language", "POST", Content_Type=FORM, Content_Length="0", Referer="http://["),
    head("/api/v1/people", Authorization="Bearer \xff"),
    head("/api/v1/people?cursor=%00%ff", Authorization="Bearer x"),
    head("/c/%00"),
    head("/static/%00"),
    head("/static/" + "a" * 5000),
    head("/ocpp/%ff", Upgrade="websocket", Connection="Upgrade"),
    head(Content_Length="-1"),
    head(Transfer_Encoding="chunked, gzip"),
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01",
    b"GET http://evil.example/admin/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
]


async def test_nothing_that_can_be_sent_is_an_internal_error(site: Site) -> None:
    for request in ODD:
        answer = await say(site, request)
        assert status(answer) < 500, request
        assert b"aiohttp" not in answer
        assert b"Python" not in answer


async def test_no_answer_says_which_server_and_which_release_it_is(site: Site, admin: Visitor) -> None:
    for path in ("/admin/", "/nowhere", "/static/app.css", "/api/v1/people", "/healthz", "/ocpp/X"):
        answer = await say(site, head(path))
        assert b"\r\nServer:" not in answer
    assert b"aiohttp" not in await say(site, b"nonsense\r\n\r\n")


async def test_the_site_is_asked_for_by_a_name_of_its_own(site: Site) -> None:
    port = site.base.rpartition(":")[2]
    for host in ("127.0.0.1", f"localhost:{port}", f"127.0.0.1:{port}", "192.168.7.7", "[fe80::1]"):
        assert status(await say(site, head(host=host))) == 200, host
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "8.8.8.8", "0x7f.1"):
        assert status(await say(site, head(host=host))) == 400, host
    # A monitor in a container asks by any name, and an installer typed one into the charger.
    assert status(await say(site, head("/healthz", host="csms-in-a-container"))) == 200
    assert status(await say(site, head("/ocpp/CP", host="typed-by-somebody"))) == 426


def test_the_names_of_the_machine_and_of_the_settings_are_known() -> None:
    settings = SiteSettings(public_url="https://Load.Example:8443/", hosts=("csms.lan",))
    assert {"localhost", "load.example", "csms.lan"} <= known_names(settings)
    assert any(name.endswith(".local") for name in known_names(settings))


def test_what_is_no_address_is_taken_apart_into_nothing() -> None:
    for text in ("http://[", "http://a:99999", "//[::1", "http://a:b"):
        assert split(text).netloc == ""


# --- Proxies ------------------------------------------------------------------------------------


def test_a_forwarded_address_is_believed_from_a_proxy_of_ours_alone() -> None:
    trusted = networks(["10.0.0.0/8", "::1"])
    assert real_address("10.0.0.1", ["1.1.1.1", "2.2.2.2"], trusted) == "2.2.2.2"
    assert real_address("10.0.0.1", ["1.1.1.1", "2.2.2.2", "10.0.0.9"], trusted) == "2.2.2.2"
    assert real_address("9.9.9.9", ["1.1.1.1"], trusted) == "9.9.9.9"
    assert real_address("10.0.0.1", [], trusted) == "10.0.0.1"


def test_tries_are_counted_by_networks() -> None:
    assert network_of("192.0.2.77") == network_of("192.0.2.1") == network_of("::ffff:192.0.2.9")
    assert network_of("192.0.3.1") != network_of("192.0.2.1")
    assert network_of("2001:db8:0:1::5") == network_of("2001:db8:0:1:ffff::")
    assert network_of("2001:db8:0:2::5") != network_of("2001:db8:0:1::5")
    assert network_of("rubbish") == "rubbish"
    assert is_local("[::1]")
    assert not is_local("8.8.8.8")


@asynccontextmanager
async def behind_a_proxy(folder: Path, proxies: list[str]) -> AsyncIterator[Site]:
    """The program with its settings for a proxy."""
    async with running_site(folder, server={"proxies": proxies}) as site:
        yield site


async def test_headers_of_a_proxy_that_is_not_named_are_a_visitors_words(tmp_path: Path) -> None:
    forwarded = {"X_Forwarded_For": "203.0.113.5", "X_Forwarded_Proto": "https"}
    form = {"name": "admin", "password": PASSWORD}
    async with behind_a_proxy(tmp_path / "a", []) as site:
        page = await (await site.visitor()).post("/admin/sign-in", form, **forwarded)
        assert "Secure" not in page.response.headers["Set-Cookie"]
    async with behind_a_proxy(tmp_path / "b", ["127.0.0.1"]) as site:
        page = await (await site.visitor()).post("/admin/sign-in", form, **forwarded)
        assert page.status == 303
        assert "Secure" in page.response.headers["Set-Cookie"]


# --- Shares -------------------------------------------------------------------------------------


class Line:
    """A connection of a test."""

    def __init__(self, address: str) -> None:
        self.address, self.dropped = address, False

    def drop(self) -> None:
        """Note that it was closed."""
        self.dropped = True


def test_of_idle_connections_the_oldest_of_the_network_with_the_most_goes() -> None:
    idle = Shares(Bounds(idle_by_network=10, idle=12)).idle
    few = [Line(f"10.1.{number}.1") for number in range(4)]
    many = [Line("10.0.0.1") for _ in range(20)]
    for line in (*few, *many):
        idle.add(line)
    assert not any(line.dropped for line in few)
    assert [line.dropped for line in many] == [True] * 12 + [False] * 8
    assert len(idle) == 12


def test_a_connection_on_which_something_is_asked_is_never_dropped() -> None:
    idle = Shares(Bounds(idle_by_network=2)).idle
    asked = Line("10.0.0.1")
    idle.add(asked)
    idle.remove(asked)
    for _ in range(10):
        idle.add(Line("10.0.0.1"))
    assert not asked.dropped


def test_strangers_that_take_everything_leave_a_share_for_others_and_for_who_has_signed_in() -> None:
    shares = Shares(Bounds(requests_by_network=5, requests=10, few=2))
    taken = [shares.enter(shares.share_of(f"10.0.{net}.1", ())) for net in range(3) for _ in range(6)]
    assert sum(taken) == 12, "five each, and two for the third, who asks for little"
    assert shares.enter(shares.share_of("10.9.9.9", ()))
    assert not shares.enter(shares.share_of("10.0.0.1", ["not-known"]))
    shares.know("the-cookie")
    assert all(shares.enter(shares.share_of("10.0.0.1", ["the-cookie"])) for _ in range(50))
    shares.leave(shares.share_of("10.0.0.1", ()))
    assert shares.enter(shares.share_of("10.0.2.1", ())) is False, "its two are taken"


async def test_a_thousand_slow_bodies_from_one_place_leave_an_operator_and_a_stranger_from_elsewhere_alone(
    site: Site, admin: Visitor
) -> None:
    port = int(site.base.rpartition(":")[2])
    request = head("/admin/sign-in", "POST", Content_Type=FORM, Content_Length="100") + b"n"
    writers = []
    for _ in range(1_000):
        _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.9.1", 0))
        writer.write(request)
        writers.append(writer)
    assert (await admin.get("/admin/")).status == 200
    assert status(await say(site, head(), source="127.0.8.1")) == 200
    for writer in writers:
        writer.close()


async def test_idle_connections_of_one_place_are_closed_for_the_newest(site: Site) -> None:
    port = int(site.base.rpartition(":")[2])
    opened = [
        await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.9.1", 0)) for _ in range(300)
    ]
    reader, writer = opened[-1]
    writer.write(head())
    assert status(await reader.read(65536)) == 200
    with contextlib.suppress(ConnectionError):
        assert await opened[0][0].read() == b""
    for _, line in opened:
        line.close()


async def test_streams_of_one_sign_in_are_bounded_and_count_as_no_request(site: Site) -> None:
    viewer = await site.signed_in("viewer")
    await viewer.get("/admin/")
    many = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=viewer.http.cookie_jar)
    await site.stack.enter_async_context(many)
    answers = [await many.get(f"{site.base}/admin/events?topics=session") for _ in range(101)]
    assert [answer.status for answer in answers[:100]] == [200] * 100
    assert answers[100].status == 503
    assert (await viewer.get("/admin/")).status == 200
    for answer in answers:
        answer.close()
