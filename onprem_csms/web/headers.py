"""What every answer tells the browser to refuse."""

from aiohttp import web

# Nothing from outside, nothing inline; data: pictures are the small signs inside Pico's style sheet.
POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "connect-src 'self'; "
    "form-action 'self'; "
    "frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # Not "no-referrer": with it a browser writes "null" as the Origin of our own forms, see csrf.py.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers; pages are never kept by a cache unless their view says so."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    # Which server, and which release of it, is nobody's business.
    response.headers.pop("Server", None)
