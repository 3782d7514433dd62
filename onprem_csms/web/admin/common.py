"""What the views of the operators' site share."""

from urllib.parse import quote, urlencode

from aiohttp import web


def charger_path(charger_id: str, tab: str = "") -> str:
    """Return the address of a charger's page, or of one of its tabs."""
    path = f"/admin/chargers/{quote(charger_id, safe='')}"
    return f"{path}/{tab}" if tab else path


def whole(text: str) -> int | None:
    """Read a number from an address; anything else is as if it weren't there."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def id_of(request: web.Request, name: str = "id") -> int:
    """Return the number in a page's address; HTTPNotFound when it is none."""
    number = whole(request.match_info[name])
    if number is None:
        raise web.HTTPNotFound
    return number


def link(request: web.Request, **changes: object) -> str:
    """Return this page's address with some of its filters changed; empty ones are left out."""
    values = {
        **request.query,
        **{name: "" if value is None else str(value) for name, value in changes.items()},
    }
    kept = {name: value for name, value in values.items() if value}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
