"""What a connection stands in: the registry that it is known to, and what all connections of one version share."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.link.router import Router
from onprem_csms.ocpp.rpc.frames import Limits

Connection = Any
"""A ``connection.Connection``; that module needs this one."""


class Owner(Protocol):
    """What a connection asks of the registry that it stands in."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something run beside."""

    def watch(self, connection: Connection) -> None:
        """Look after its calls."""

    def deviated(self, connection: Connection) -> None:
        """Store its counters soon."""

    def booted(self, connection: Connection) -> None:
        """Its charger has started: see to its settings."""

    def reply(self, connection: Connection, answer: bytes) -> None:
        """Have its ``send_answer`` called, together with those of the same group of writes."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all connections of one version share."""

    owner: Owner
    options: Options
    log: Callable[[str, str, bytes], None]
    router: Router
    limits: Limits
