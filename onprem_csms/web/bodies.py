"""Reading what a request sends: never more than wanted, never for longer than a deadline."""

import asyncio
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

# A phone on a bad line sends a form within seconds.
WITHIN_S = 20.0
MOST_FIELDS = 2_000
URLENCODED = "application/x-www-form-urlencoded"


async def read_body(request: web.Request, largest: int) -> bytes:
    """Read the whole body; 413 as soon as it is too large, 408 when it takes too long."""
    if (request.content_length or 0) > largest:
        raise web.HTTPRequestEntityTooLarge(largest)
    body = bytearray()
    try:
        async with asyncio.timeout(WITHIN_S):
            async for chunk in request.content.iter_chunked(2**16):
                body += chunk
                if len(body) > largest:
                    raise web.HTTPRequestEntityTooLarge(largest)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    except ConnectionError as error:
        # Whoever sent it is gone; nobody will read this.
        raise web.HTTPBadRequest from error
    return bytes(body)


async def read_form(request: web.Request, largest: int) -> dict[str, str]:
    """Read a form as our own pages send it, of a repeated field the last; 415 for any other kind, 400 for no text."""
    if request.content_type != URLENCODED and (request.can_read_body or hdrs.CONTENT_TYPE in request.headers):
        raise web.HTTPUnsupportedMediaType
    body = await read_body(request, largest)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise web.HTTPBadRequest from error
    return dict(pairs)
