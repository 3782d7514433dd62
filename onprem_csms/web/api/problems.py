"""Errors become problem documents (RFC 9457) here, once."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from onprem_csms.errors import (
    AppError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PeerError,
    StoreError,
    Unauthenticated,
    say_fault,
)
from onprem_csms.web.languages import accepted, sentence, translate

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
STATUSES: dict[type[AppError], int] = {
    Invalid: 422,
    NotFound: 404,
    Conflict: 409,
    Forbidden: 403,
    Unauthenticated: 401,
    PeerError: 502,
}
# What the services call by another name than the API.
_NAMES = {"uid": "token", "person_id": "person", "wallet_id": "wallet", "charger_id": "charger"}
_HTTP_TEXTS = {
    400: "The body is not JSON.",
    404: "There is no such address.",
    405: "This address does not take this method.",
    408: "The body took too long to come.",
    413: "The body is too large.",
}


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: ``path`` names the field, dots between levels, empty for the whole."""

    path: str
    message: str


class Problem(msgspec.Struct, frozen=True):
    """Why a request was not done (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error of the API into a problem document."""
    try:
        return await handler(request)
    except AppError as error:
        return _of_app(request, error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return respond(error.status, _HTTP_TEXTS.get(error.status, error.reason), headers=headers)
    except StoreError as error:
        say_fault(log, f"{request.method} {request.path}", error)
        return respond(503, "The database can't be used. Nothing was done; the log says more.")
    except Exception:  # the API's outermost layer: a bug is logged whole and shown without detail
        log.exception("%s %s", request.method, request.path)
        return respond(500, "Internal error. The log says more.")


def respond(
    status: int, detail: str, faults: list[Fault] | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with a problem document."""
    phrase = HTTPStatus(status).phrase
    name = phrase.lower().replace(" ", "-")
    problem = Problem(f"urn:onprem-csms:{name}", phrase, status, detail, faults or [])
    body = msgspec.json.encode(problem)
    return web.Response(body=body, status=status, content_type=CONTENT_TYPE, headers=headers)


def _of_app(request: web.Request, error: AppError) -> web.Response:
    language = accepted(request.headers.get("Accept-Language", "")) or "en"
    detail = sentence(error, language)
    faults = [Fault(_named(path), translate(message, language)) for path, message in error.faults]
    if error.path and not faults:
        faults = [Fault(_named(error.path), detail)]
    headers = {"WWW-Authenticate": 'Bearer realm="onprem-csms"'} if isinstance(error, Unauthenticated) else {}
    return respond(STATUSES[type(error)], detail, faults, headers)


def _named(path: str) -> str:
    return _NAMES.get(path, path)
