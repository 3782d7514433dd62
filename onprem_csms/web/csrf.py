"""Whether a request that changes something comes from one of our own pages.

A foreign page can make a signed-in browser send us a form, but it can't forge the headers that say
where the form came from. So no secret is needed in the forms; the order of the checks is the argument.
"""

from aiohttp import web

from onprem_csms.errors import Forbidden
from onprem_csms.web.intake import split

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_ours(request: web.Request, public_url: str = "") -> bool:
    """Tell whether a request may change something, as far as its origin goes."""
    # 1. It changes nothing.
    if request.method in SAFE:
        return True
    # 2. It carries an API key: no browser adds one by itself, and a foreign page may not set the header.
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        return True
    # 3. The browser says itself where the request comes from ("none": typed or bookmarked). It does so on HTTPS
    #    and localhost; "same-site" is another name of the same domain and not ours to trust.
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    # 4. On plain HTTP in a local network there is only Origin; it must be the very host that was asked.
    origin = request.headers.get("Origin")
    if origin is not None:
        return _host(origin) in {request.host.lower(), _host(public_url)} - {""}
    # 5. Neither header: every browser of the last years sends one of them with a POST, so this is a program,
    #    and a program has no cookies that someone else could ride on.
    return True


def check(request: web.Request, public_url: str = "") -> None:
    """Raise Forbidden for a change that another site's page asked for."""
    if not is_ours(request, public_url):
        raise Forbidden("This came from another site's page. Open this site itself and try again.")


def _host(url: str) -> str:
    """Host and port of an address; empty for "null" and the like."""
    return split(url).netloc.lower()
