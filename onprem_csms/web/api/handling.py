"""The way of a request: key, role, query, body, view, answer. The same for every route."""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from onprem_csms.domain.access.actor import Actor
from onprem_csms.domain.access.rights import may
from onprem_csms.errors import Forbidden, Unauthenticated
from onprem_csms.services.access import api_keys
from onprem_csms.services.access.api_keys import ApiKey
from onprem_csms.services.core.context import Context
from onprem_csms.web.api import reading
from onprem_csms.web.api.route import PREFIX, Accepted, Call, Created, Route, signature
from onprem_csms.web.bodies import read_body
from onprem_csms.web.guards import Guard
from onprem_csms.web.intake import know

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def handler(ctx: Context, route: Route) -> Handler:
    """Make the handler of a route, behind its guard."""
    types = signature(route.view)

    async def enter(request: web.Request) -> web.StreamResponse:
        key = await _admit(ctx, route, request)
        call: Call[object, object] = Call(
            ctx=ctx if key is None else ctx.acting(_actor(key, request)),
            places=request.match_info,
            headers=request.headers,
            query=None if types.query is None else reading.query(request.query, types.query),
            body=None
            if types.body is None
            else reading.decode(await read_body(request, reading.LARGEST_BODY), types.body),
        )
        return _answer(await route.view(call))

    async def admit(request: web.Request) -> None:
        await _admit(ctx, route, request)

    enter.guard = Guard(f"api:{route.deed or 'public'}", admit)  # type: ignore[attr-defined]
    return enter


async def _admit(ctx: Context, route: Route, request: web.Request) -> ApiKey | None:
    """Return the key of the caller; Unauthenticated, or Forbidden when its role is not enough."""
    if route.deed is None:
        return None
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("Send an API key: Authorization: Bearer csms_…")
    key = await ctx.read(api_keys.authenticate, secret.strip())
    know(request, secret.strip())
    if not may(key.role, route.deed):
        raise Forbidden("This needs a key with the role {role}.", role=route.role)
    return key


def _actor(key: ApiKey, request: web.Request) -> Actor:
    return Actor("api_key", key.name, str(key.id), key.role, channel="api", address=request.remote or "")


def _answer(result: object) -> web.Response:
    if result is None:
        return web.Response(status=204)
    status, headers = 200, {"Cache-Control": "no-store"}
    if isinstance(result, Created | Accepted):
        status = 201 if isinstance(result, Created) else 202
        headers["Location"] = PREFIX + result.place
        result = result.body
    body = msgspec.json.encode(result)
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
