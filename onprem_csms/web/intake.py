"""What is decided about a request before any page, API or charger's handler sees it.

In this order: who really asks (a proxy of ours may say so), whether it asks for this site by a name of its own,
whether it can be read at all, and whether its share is used up. None of it reads a body.
"""

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from onprem_csms.domain.access.networks import Network, is_local, networks, real_address, within
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.web.connections import Connection
from onprem_csms.web.shares import Share, Shares

SHARES = web.AppKey("shares", Shares)
SHARE = web.RequestKey("share", Share)
COUNTED = web.RequestKey("counted", bool)
COOKIES = {"operator": "csms_operator", "driver": "csms_driver"}
_CHARGERS = "ocpp"
# Chargers are given their address by an installer, and a monitor asks by whatever name its container has. Neither
# can be led here by a foreign page: the one is refused with a foreign Origin, the other tells nothing.
_ANY_NAME = frozenset({_CHARGERS, "healthz"})


def middleware(settings: SiteSettings, shares: Shares) -> Middleware:
    """Make the middleware; the outermost one."""
    names, proxies = known_names(settings), networks(settings.proxies)

    @web.middleware
    async def intake(request: web.Request, handler: Handler) -> web.StreamResponse:
        request = _as_forwarded(request, proxies)
        first = request.path.lstrip("/").partition("/")[0]
        refusal = _fault(request, names, first)
        if refusal is not None:
            return refusal
        if first == _CHARGERS:
            with _busy(request):
                return await handler(request)
        return await _counted(request, handler, shares)

    return intake


def known_names(settings: SiteSettings) -> frozenset[str]:
    """Return the names by which the site is asked for, besides addresses: the machine's, localhost, the configured."""
    own = socket.gethostname().lower()
    public = split(settings.public_url).hostname or ""
    short = own.partition(".")[0]
    return frozenset(
        {"localhost", own, short, f"{short}.local", public.lower(), *map(str.lower, settings.hosts)} - {""}
    )


def split(url: str) -> SplitResult:
    """Take an address apart; what is none is empty."""
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def _as_forwarded(request: web.Request, proxies: tuple[Network, ...]) -> web.Request:
    """Return the request as its proxy got it, where the proxy is one of ours; nobody else is believed."""
    peer = request.remote or ""
    if not proxies or not within(peer, proxies):
        return request
    told = [
        part.strip() for line in request.headers.getall("X-Forwarded-For", []) for part in line.split(",")
    ]
    scheme = request.headers.get("X-Forwarded-Proto", "").strip().lower()
    host = request.headers.get("X-Forwarded-Host", "").strip() or request.headers.get(hdrs.HOST, "")
    return request.clone(
        remote=real_address(peer, told, proxies)[:60],
        scheme=scheme if scheme in ("http", "https") else request.scheme,
        host=host or request.host,
    )


def _fault(request: web.Request, names: frozenset[str], first: str) -> web.Response | None:
    """Return the refusal of a request that can't be right."""
    if not request.raw_path.isascii() or not request.raw_path.isprintable():
        return refuse(400, "This address can't be read.")
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() != "identity":
        return refuse(415, "What is sent here must not be compressed.")
    if first in _ANY_NAME:
        return None
    if len(request.headers.getall(hdrs.HOST, [])) != 1:
        return refuse(400, "The request must name one host.")
    host = split(f"//{request.host}").hostname
    if not host:
        return refuse(400, "The host of this request can't be read.")
    if host not in names and not is_local(host) and host != _own_address(request):
        return refuse(400, "This site does not have this name. An admin can add it: server.hosts.")
    return None


def _own_address(request: web.Request) -> str:
    own = None if request.transport is None else request.transport.get_extra_info("sockname")
    return str(own[0]) if own else ""


async def _counted(request: web.Request, handler: Handler, shares: Shares) -> web.StreamResponse:
    share = shares.share_of(request.remote or "", _secrets(request))
    if not shares.enter(share):
        return refuse(503, "Too much is asked for at once from here.", {"Retry-After": "5"})
    request[SHARE], request[COUNTED] = share, True
    try:
        with _busy(request):
            return await handler(request)
    finally:
        if request[COUNTED]:
            shares.leave(share)


def _secrets(request: web.Request) -> Iterator[str]:
    for name in COOKIES.values():
        secret = request.cookies.get(name)
        if secret:
            yield secret
    scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        yield key.strip()


@contextlib.contextmanager
def _busy(request: web.Request) -> Iterator[None]:
    """Tell the connection that something is under way, so that it isn't closed as an idle one."""
    connection = request.protocol
    if not isinstance(connection, Connection):
        yield
        return
    connection.busy()
    try:
        yield
    finally:
        connection.waits()


@contextlib.contextmanager
def streaming(request: web.Request) -> Iterator[None]:
    """Count a request as a stream from now on, which may last; HTTPServiceUnavailable where there are too many."""
    shares, share = request.app.get(SHARES), request.get(SHARE)
    if shares is None or share is None:
        yield
        return
    if not shares.enter(share, "stream"):
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"}, text="Too many pages are open.\n")
    shares.leave(share)
    request[COUNTED] = False
    try:
        yield
    finally:
        shares.leave(share, "stream")


def know(request: web.Request, secret: str) -> None:
    """Give whoever brought a good secret a share of their own from the next request on."""
    shares = request.config_dict.get(SHARES)
    if shares is not None:
        shares.know(secret)


def refuse(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with one line and close: what else was sent is not read."""
    response = web.Response(status=status, text=text + "\n", headers=headers)
    response.force_close()
    return response
