"""Everybody may come; who has signed in with their card is recognised."""

from aiohttp import web

from onprem_csms.services.core import logins
from onprem_csms.web.base import context
from onprem_csms.web.guards import COOKIES, DRIVER, Guard, recognise
from onprem_csms.web.intake import know


async def _admit(request: web.Request) -> None:
    await recognise(request)
    secret = request.cookies.get(COOKIES["driver"], "")
    login = await context(request).read(logins.find, secret) if secret else None
    if login is not None and login.owner.kind == "driver" and login.owner.card_id is not None:
        request[DRIVER] = login.owner.card_id
        know(request, secret)


visitor = Guard("public", _admit)


def visitor_of(request: web.Request) -> int | None:
    """Return the card of the driver, if one has signed in."""
    return request.get(DRIVER)


def number_of(request: web.Request) -> int:
    """Return the session's number in the address; 0, which no session has, for anything else."""
    text = request.match_info["id"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
