"""What every entry is given: the store, the news, the clock, the chargers and the readers."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

from onprem_csms.clock import Clock
from onprem_csms.db.engine.database import Database, Done, Tx
from onprem_csms.domain.access.actor import SYSTEM, Actor
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
    actor: Actor = SYSTEM

    def acting(self, actor: Actor) -> Self:
        """Return the context of somebody who acts: ``tx.actor`` of each write, see ``domain.access.actor``."""
        return replace(self, actor=actor)

    def write(
        self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Run a service function as one durable transaction. Hands on the store's coroutine: each more costs."""
        if self.actor is SYSTEM:
            return self.store.write(fn, *args, **kwargs)
        return self.store.acting(self.actor).write(fn, *args, **kwargs)

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function on a reader; it can't change anything."""
        return await self.store.read(fn, *args, **kwargs)

    async def read_for_charger(
        self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a short service function on the chargers' reader, which no page keeps busy."""
        return await self.store.read_for_charger(fn, *args, **kwargs)

    async def search(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function that looks through many rows for few; it keeps no page waiting."""
        return await self.store.search(fn, *args, **kwargs)

    async def read_report(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a long service function on the reports' reader, which keeps no page waiting."""
        return await self.store.read_report(fn, *args, **kwargs)

    def stream(
        self, fn: Callable[Concatenate[Tx, P], Iterator[R]], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncGenerator[R, None]:
        """Run a generator of a service on the reports' reader, see ``Database.stream``."""
        return self.store.stream(fn, *args, **kwargs)

    def submit(
        self, fn: Callable[..., Any], args: tuple[Any, ...], done: Done, actor: Actor = SYSTEM
    ) -> None:
        """Run a service function and call ``done(result, error)`` after COMMIT, see ``Database.submit``."""
        self.store.submit(fn, args, done, actor)
