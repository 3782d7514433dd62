"""Each connection of the HTTP server: counted, dropped where there are too many, and its faults told without noise."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web

from onprem_csms.web.shares import Shares

log = logging.getLogger(__name__)

# Bodies are decompressed by nobody: no browser and no charger sends one, and a small one can be made large.
OPTIONS = {"auto_decompress": False, "lingering_time": 0.5}
NAME = "onprem-csms"


class Connection(web.RequestHandler):
    """One connection; aiohttp does the work."""

    __slots__ = ("_shares", "address")

    def __init__(self, shares: Shares, server: web.Server, keepalive_timeout: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=keepalive_timeout,
            access_log=None,  # type: ignore[arg-type]
            **OPTIONS,  # type: ignore[arg-type]
        )
        self._shares = shares
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection as one on which nothing is asked yet."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._shares.idle.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        self._shares.idle.remove(self)
        super().connection_lost(exc)

    def busy(self) -> None:
        """A request has come."""
        self._shares.idle.remove(self)

    def waits(self) -> None:
        """The request has been answered."""
        if self.transport is not None and not self.transport.is_closing():
            self._shares.idle.add(self)

    def drop(self) -> None:
        """Close at once, without a word."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP with a line of text; only a fault of ours is logged whole."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        log.debug("%s: %s", self.address, exc)
        response = web.Response(status=status, text="This request can't be read.\n", headers={"Server": NAME})
        response.force_close()
        return response


def maker(shares: Shares, keepalive_timeout: float) -> Callable[[web.Server], Callable[[], asyncio.Protocol]]:
    """Return what makes a server's connections."""

    def of(server: web.Server) -> Callable[[], asyncio.Protocol]:
        return lambda: Connection(shares, server, keepalive_timeout)

    return of
