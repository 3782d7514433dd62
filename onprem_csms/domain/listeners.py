"""What the configuration says of an address to listen on, and which paths belong to whom; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Served = Literal["chargers", "pages", "drivers", "api"]
EVERYBODY: tuple[Served, ...] = ("chargers", "pages", "drivers", "api")


@dataclass(frozen=True, slots=True)
class ListenerConfig:
    """One ``[[listeners]]`` table: an address, TLS where certificates are named, and who is served there.

    ``certificates`` and ``keys`` are PEM files in pairs, the certificate with its issuers: one of RSA and one of EC
    serve chargers that know only one of them (OCPP 2.0.1 part 2, A00.FR.318).
    """

    port: int
    host: str = "0.0.0.0"  # noqa: S104 - chargers and browsers of the LAN must reach it
    certificates: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    serves: tuple[Served, ...] = EVERYBODY


def faults(listeners: Sequence[ListenerConfig], server_port: int) -> Iterator[tuple[str, str]]:
    """Say what can't be, as a path and a sentence."""
    ports = [server_port, *(listener.port for listener in listeners)]
    for at, listener in enumerate(listeners, 1):
        if not 0 <= listener.port <= 65535:
            yield f"listeners.{at}.port", "A port is a number between 0 and 65535."
        elif listener.port and ports.count(listener.port) > 1:
            yield f"listeners.{at}.port", f"The port {listener.port} is there twice."
        if len(listener.certificates) != len(listener.keys):
            yield f"listeners.{at}.keys", "There must be one key for each certificate, in the same order."
        if not listener.serves:
            yield f"listeners.{at}.serves", f"This must name some of {', '.join(EVERYBODY)}."


def served_at(path: str) -> tuple[Served, ...]:
    """Return to whom a path belongs; whoever of them is served there may ask for it.."""
    head = path.lstrip("/").partition("/")[0]
    if head == "healthz":
        return EVERYBODY
    if head == "ocpp":
        return ("chargers",)
    if head == "api":
        return ("api",)
    if head in ("", "c", "driver"):
        return ("drivers",)
    if head in ("static", "language"):
        return ("pages", "drivers")
    return ("pages",)
