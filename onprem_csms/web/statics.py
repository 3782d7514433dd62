"""Our own style sheets, scripts and pictures; kept for a year under an address that holds their hash."""

import hashlib
from functools import cache
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"


@cache
def _digest(name: str, mtime_ns: int) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]


def address(name: str) -> str:
    """Return the address of a static file; it changes with the content."""
    return f"/static/{name}?v={_digest(name, (FOLDER / name).stat().st_mtime_ns)}"


async def serve(request: web.Request) -> web.StreamResponse:
    """Send a static file; HTTPNotFound for anything outside the folder."""
    try:
        path = (FOLDER / request.match_info["name"]).resolve()
        there = path.is_relative_to(FOLDER) and path.is_file() and not path.name.startswith(".")
    except (ValueError, OSError) as error:
        # A name that no file can have.
        raise web.HTTPNotFound from error
    if not there:
        raise web.HTTPNotFound
    kept = _FOREVER if "v" in request.query else "no-cache"
    return web.FileResponse(path, headers={"Cache-Control": kept})
