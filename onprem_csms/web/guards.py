"""Who may come to which page. Every route names its guard; a test fails on one without."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote

from aiohttp import web

from onprem_csms.domain.access.actor import Actor
from onprem_csms.domain.access.rights import Deed
from onprem_csms.errors import Forbidden, Unauthenticated
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import Operator
from onprem_csms.services.core import logins
from onprem_csms.services.core.context import Context
from onprem_csms.web.intake import COOKIES, know
from onprem_csms.web.languages import PREFERRED

__all__ = ["COOKIES"]
DEVICES: dict[logins.Kind, str] = {"operator": "csms_operator_device", "driver": "csms_driver_device"}
DEVICE_S = 365 * 24 * 3600

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTEXT = web.AppKey("context", Context)
OPERATOR = web.RequestKey("operator", Operator)
DRIVER = web.RequestKey("driver", int)

SIGN_IN = {"operator": "/admin/sign-in", "driver": "/driver/sign-in"}


@dataclass(frozen=True, slots=True)
class Guard:
    """``admit`` lets a request pass or raises; ``name`` is what the route table and the test read."""

    name: str
    admit: Callable[[web.Request], Awaitable[None]]


async def _anyone(request: web.Request) -> None:
    await recognise(request)


async def _unasked(request: web.Request) -> None:
    """Ask nothing at all: for files, which are the same for everybody."""


public = Guard("public", _anyone)
anyone = Guard("public file", _unasked)


def operator(deed: Deed) -> Guard:
    """Admit operators who may do a deed; others are asked to sign in, or told what they lack."""

    async def admit(request: web.Request) -> None:
        await recognise(request)
        if OPERATOR not in request:
            raise _to_sign_in(request, "operator")
        if not request[OPERATOR].may(deed):
            raise Forbidden("Your role does not allow this. Ask an admin of this site.")

    return Guard(f"operator:{deed}", admit)


async def _driver(request: web.Request) -> None:
    await recognise(request)
    login = await _login(request, "driver")
    if login is None or login.owner.card_id is None:
        raise _to_sign_in(request, "driver")
    request[DRIVER] = login.owner.card_id


driver = Guard("driver", _driver)


def operator_of(request: web.Request) -> Operator:
    """Return the signed-in operator of a guarded page."""
    return request[OPERATOR]


def driver_of(request: web.Request) -> int:
    """Return the card of the signed-in driver."""
    return request[DRIVER]


def actor_of(request: web.Request) -> Actor:
    """Return who acts by this request: the driver or the operator who is signed in, or a visitor."""
    address = request.remote or ""
    if DRIVER in request:
        return Actor(
            "driver", f"card {request[DRIVER]}", str(request[DRIVER]), channel="page", address=address
        )
    if OPERATOR in request:
        return replace(operators.actor_of(request[OPERATOR]), channel="page", address=address)
    return Actor("system", "visitor", channel="page", address=address)


# A line of a route table: method, path, guard, view.
Route = tuple[str, str, Guard, Handler]


class Routes:
    """Adds routes to an application, each behind its guard."""

    def __init__(self, app: web.Application) -> None:
        self._router = app.router

    def table(self, routes: Iterable[Route]) -> None:
        """Add every line of a route table."""
        for method, path, guard, handler in routes:
            if method == "GET":
                self.get(path, guard, handler)
            else:
                self.add(method, path, guard, handler)

    def get(self, path: str, guard: Guard, handler: Handler) -> None:
        """Add a page (and HEAD for it)."""
        self._router.add_get(path, _guarded(guard, handler))

    def post(self, path: str, guard: Guard, handler: Handler) -> None:
        """Add what a form does."""
        self.add("POST", path, guard, handler)

    def add(self, method: str, path: str, guard: Guard, handler: Handler) -> None:
        """Add a route of any method."""
        self._router.add_route(method, path, _guarded(guard, handler))


def guard_of(handler: object) -> Guard | None:
    """Return the guard of a route's handler; None is a hole in the wall."""
    return getattr(handler, "guard", None)


def _guarded(guard: Guard, handler: Handler) -> Handler:
    async def enter(request: web.Request) -> web.StreamResponse:
        await guard.admit(request)
        return await handler(request)

    enter.guard = guard  # type: ignore[attr-defined]
    return enter


# --- Cookies ------------------------------------------------------------------------------------------------


async def recognise(request: web.Request) -> None:
    """Learn who the operator is, if one is signed in, and which language they read."""
    secret = request.cookies.get(COOKIES["operator"], "")
    if not secret or OPERATOR in request:
        return
    context = request.app[CONTEXT]
    found = await context.read(operators.signed_in, secret)
    if found is None:
        return
    request[OPERATOR], due = found
    know(request, secret)
    request[PREFERRED] = request[OPERATOR].language
    if due:
        await context.write(logins.prolong, secret)


def set_login(response: web.StreamResponse, request: web.Request, kind: logins.Kind, secret: str) -> None:
    """Give the browser the secret of its sign-in; it ends with the browser or with the sign-in."""
    age = int(logins.LONGEST[kind].total_seconds())
    # Secure where it can be; in a local network the site is often plain HTTP.
    response.set_cookie(
        COOKIES[kind], secret, max_age=age, httponly=True, samesite="Lax", secure=request.secure
    )


def set_device(response: web.StreamResponse, request: web.Request, kind: logins.Kind, device: str) -> None:
    """Let the browser prove later that it was signed in before; it permits nothing."""
    response.set_cookie(
        DEVICES[kind], device, max_age=DEVICE_S, httponly=True, samesite="Lax", secure=request.secure
    )


def drop_login(response: web.StreamResponse, kind: logins.Kind) -> None:
    """Take the secret from the browser."""
    response.del_cookie(COOKIES[kind])


async def _login(request: web.Request, kind: logins.Kind) -> logins.Login | None:
    secret = request.cookies.get(COOKIES[kind], "")
    context = request.app[CONTEXT]
    found = await context.read(logins.find, secret) if secret else None
    if found is not None:
        know(request, secret)
    if found is not None and found.due:
        await context.write(logins.prolong, secret)
    return found


def _to_sign_in(request: web.Request, kind: str) -> Exception:
    if request.method in ("GET", "HEAD"):
        return web.HTTPSeeOther(f"{SIGN_IN[kind]}?next={quote(request.path_qs, safe='')}")
    return Unauthenticated("You are not signed in any more. Sign in, then try again.")
