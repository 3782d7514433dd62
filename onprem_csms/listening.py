"""Where the product listens: plain or TLS, each address for those it serves; certificates are read anew on demand."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from onprem_csms.domain.listeners import ListenerConfig, Served, served_at
from onprem_csms.errors import Invalid

log = logging.getLogger(__name__)
STOP_WITHIN_S = 5.0
# aiohttp has no timeout of its own for a request header that never ends; the one for idle connections counts.
HEADERS_WITHIN_S = 20.0
BACKLOG = 4096
Connect = Callable[[web.Server], Callable[[], asyncio.Protocol]]
CIPHERS = "ECDHE+AESGCM:AES128-GCM-SHA256:AES256-GCM-SHA384"
"""Of TLS 1.2: a charger may have only suites without a key exchange of their own (OCPP 2.0.1 part 2, A00.FR.422)."""


def tls_context(listener: ListenerConfig) -> ssl.SSLContext:
    """Return the context of a listener; Invalid with the file that can't be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    _load(context, listener)
    return context


def _load(context: ssl.SSLContext, listener: ListenerConfig) -> None:
    for certificate, key in zip(listener.certificates, listener.keys, strict=True):
        try:
            # Without a password: a key that wants one must not ask at the terminal of a service.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            raise Invalid(
                "The certificate {certificate} with the key {key} can't be used: {why}.",
                certificate=certificate,
                key=key,
                why=str(error),
            ) from error


class Listening:
    """The open listeners; ``ports`` in the order of the configuration, the server's own first."""

    def __init__(self, listeners: Sequence[ListenerConfig]) -> None:
        self._listeners = listeners
        self._contexts: list[tuple[ListenerConfig, ssl.SSLContext]] = []
        self._served: dict[int, tuple[Served, ...]] = {}
        self.ports: list[int] = []

    async def open(self, app: web.Application, stack: contextlib.AsyncExitStack, connect: Connect) -> None:
        """Listen everywhere; ``connect`` makes the server's connections.

        OSError where an address can't be had, Invalid for a certificate.
        """
        app.middlewares.insert(0, _only_whom(self._served))
        runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=STOP_WITHIN_S,
            handle_signals=False,
        )
        await runner.setup()
        server = runner.server
        if server is None:
            message = "the server was not set up"
            raise RuntimeError(message)
        stack.push_async_callback(runner.cleanup)
        for listener in self._listeners:
            await self._open_one(connect(server), listener, stack)

    async def _open_one(
        self,
        connection: Callable[[], asyncio.Protocol],
        listener: ListenerConfig,
        stack: contextlib.AsyncExitStack,
    ) -> None:
        context = None
        if listener.certificates:
            context = tls_context(listener)
            self._contexts.append((listener, context))
        # Not by a TCPSite: that one makes connections of aiohttp's own kind, which nobody counts.
        listening = await asyncio.get_running_loop().create_server(
            connection, listener.host, listener.port, ssl=context, backlog=BACKLOG, reuse_address=True
        )
        stack.callback(listening.close)
        port: int = listening.sockets[0].getsockname()[1]
        self.ports.append(port)
        self._served[port] = listener.serves

    def reload(self) -> None:
        """Read every certificate anew; open connections stay. What can't be used is logged, the old one goes on."""
        for listener, context in self._contexts:
            try:
                # Tried apart first, so that no certificate is left with the key of another.
                tls_context(listener)
                _load(context, listener)
            except Invalid as fault:
                log.error("%s", fault)  # noqa: TRY400 - the sentence says it all
            else:
                log.info("the certificates of port %d were read anew", listener.port)


def _only_whom(served: Mapping[int, tuple[Served, ...]]) -> Middleware:
    """Answer 404 to whoever is not served at the port that was asked."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        address = None if request.transport is None else request.transport.get_extra_info("sockname")
        allowed = served.get(address[1]) if address else None
        if allowed is None or not set(allowed).isdisjoint(served_at(request.path)):
            return await handler(request)
        return web.Response(status=404, text="Nothing is served here.\n")

    return check
