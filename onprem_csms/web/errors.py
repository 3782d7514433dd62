"""Errors become pages here, once: what happened, what was not lost, what to do."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from onprem_csms.errors import (
    AppError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PeerError,
    StoreError,
    TooSlow,
    Unauthenticated,
    say_fault,
)
from onprem_csms.web import csrf
from onprem_csms.web.languages import N_

log = logging.getLogger(__name__)

# These answer for themselves.
ANSWERED_ELSEWHERE = ("/api/", "/ocpp/")


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one kind of error is told."""

    status: int
    title: str
    advice: str


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What the page of an error shows; ``error`` is a sentence of the catalogue or an AppError."""

    status: int
    title: str
    error: AppError | str
    advice: str


EXPLAINED: dict[type[Exception], Explanation] = {
    Invalid: Explanation(
        422, N_("That can't be right"), N_("Nothing was changed. Go back, correct it and try again.")
    ),
    NotFound: Explanation(404, N_("Not found"), N_("It may have been removed. Nothing was changed.")),
    Conflict: Explanation(
        409,
        N_("Not possible just now"),
        N_("Nothing was changed. Look at the state of things and try again."),
    ),
    Forbidden: Explanation(403, N_("Not allowed"), N_("Nothing was changed.")),
    Unauthenticated: Explanation(401, N_("Please sign in"), N_("Nothing was changed.")),
    PeerError: Explanation(
        502, N_("The device did not answer properly"), N_("Its messages are on the charger's page.")
    ),
    TooSlow: Explanation(
        503,
        N_("That took too long"),
        N_("Nothing was changed. Ask for less, for instance for a shorter time, or try again later."),
    ),
    StoreError: Explanation(
        503,
        N_("The database can't be used"),
        N_("What you asked for was not done. What was saved before is still there; the log says more."),
    ),
}
INTERNAL = Explanation(
    500,
    N_("Internal error"),
    N_("What you asked for was not done; what was saved before is still there. The details are in the log."),
)
NO_PAGE = NotFound("There is no such page.")
NO_METHOD = NotFound("This address takes no such request.")
TOO_LARGE = Invalid("What was sent is too large.")
OURS: dict[int, AppError] = {
    400: Invalid("What was sent can't be read."),
    404: NO_PAGE,
    405: NO_METHOD,
    408: Invalid("What was sent took too long to come."),
    413: TOO_LARGE,
    415: Invalid("This address takes a form as its page sends it, and no files."),
}


def middleware(show: Callable[[web.Request, ErrorPage], web.Response], public_url: str) -> Middleware:
    """Make the middleware that refuses foreign forms and turns errors into pages."""

    @web.middleware
    async def pages(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(ANSWERED_ELSEWHERE):
            return await handler(request)
        try:
            csrf.check(request, public_url)
            return await handler(request)
        except AppError as error:
            return show(request, _page(error, error))
        except StoreError as error:
            say_fault(log, f"{request.method} {request.path}", error)
            return show(request, _page(error, ""))
        except web.HTTPException as error:
            return _of_http(request, error, show)
        except Exception:  # the site's outermost layer: a bug is logged whole and shown without detail
            log.exception("%s %s", request.method, request.path)
            return show(request, ErrorPage(INTERNAL.status, INTERNAL.title, "", INTERNAL.advice))

    return pages


def _page(error: Exception, said: AppError | str) -> ErrorPage:
    explained = EXPLAINED[type(error)]
    return ErrorPage(explained.status, explained.title, said, explained.advice)


def _of_http(
    request: web.Request, error: web.HTTPException, show: Callable[[web.Request, ErrorPage], web.Response]
) -> web.Response:
    """Let redirects pass; give aiohttp's own refusals our face."""
    ours = OURS.get(error.status)
    if ours is None:
        raise error
    return show(request, replace(_page(ours, ours), status=error.status))
