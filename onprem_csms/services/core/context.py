"""What every entry is given: the store, the news, the clock, the chargers and the readers."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from onprem_csms.clock import Clock
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.events import Bus
from onprem_csms.services.core.ports import Readers, Stations

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["Context", "Transactions", "Tx"]


class Transactions(Protocol):
    """Whoever runs service functions: the context, or the store alone."""

    async def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function as one durable transaction."""

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function on a reader; it can't change anything."""


@dataclass(slots=True)
class Context:
    """One per process; made by ``app``."""

    store: Database
    bus: Bus
    clock: Clock
    settings: SiteSettings
    stations: Stations
    readers: Readers

    def write(
        self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Run a service function as one durable transaction. Hands on the store's coroutine: each more costs."""
        return self.store.write(fn, *args, **kwargs)

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function on a reader; it can't change anything."""
        return await self.store.read(fn, *args, **kwargs)
