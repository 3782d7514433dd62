"""News inside the process. An event only says what to read again, never what it is now."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple, Self


class Event(NamedTuple):
    """``topic`` is the kind of thing that changed, ``key`` which one."""

    topic: str
    key: str = ""


class Subscription:
    """What one listener has not yet heard: each event once however often it happened, bounded.

    Iterate it, or leave it with ``close``. When more different things changed than ``limit``, the
    listener gets the one event ``Event('everything')`` in their place.
    """

    def __init__(self, bus: "Bus", topics: frozenset[str] | None, limit: int = 256) -> None:
        self._bus = bus
        self.topics = topics
        self._limit = limit
        self._pending: dict[Event, None] = {}
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, event: Event) -> None:
        """Remember an event if this listener wants its topic."""
        if self.topics is not None and event.topic not in self.topics:
            return
        if len(self._pending) >= self._limit and event not in self._pending:
            self._pending = {Event("everything"): None}
        else:
            self._pending[event] = None
        self._wake.set()

    def close(self) -> None:
        """Stop listening; a waiting iteration ends."""
        self._closed = True
        self._wake.set()
        self._bus.forget(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event; StopAsyncIteration after close."""
        while not self._pending:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        event = next(iter(self._pending))
        del self._pending[event]
        return event


class Bus:
    """Spreads events to whoever listens now; nobody listening costs nothing."""

    def __init__(self) -> None:
        self._listeners: set[Subscription] = set()
        self._wanted: frozenset[str] | None = frozenset()
        self._closed = False

    def publish(self, event: Event) -> None:
        """Tell every listener; never blocks."""
        if self._wanted is None or event.topic in self._wanted:
            for listener in self._listeners:
                listener.offer(event)

    def publish_all(self, events: Iterable[Event]) -> None:
        """Tell every listener of several events."""
        if self._listeners:
            for event in events:
                self.publish(event)

    def subscribe(self, topics: Iterable[str] | None = None) -> Subscription:
        """Begin to listen to some topics, or to all with None."""
        wanted = None if topics is None else frozenset(topics)
        subscription = Subscription(self, wanted)
        self._listeners.add(subscription)
        self._count_wanted()
        if self._closed:
            subscription.close()
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Drop a listener; asked twice is fine."""
        self._listeners.discard(subscription)
        self._count_wanted()

    def _count_wanted(self) -> None:
        """Note which topics anybody listens to, None for all; most events of a busy site concern nobody."""
        topics = [listener.topics for listener in self._listeners]
        self._wanted = None if None in topics else frozenset().union(*(topic for topic in topics if topic))

    def close(self) -> None:
        """End every listener's iteration, so that streams end when the process stops."""
        self._closed = True
        for listener in list(self._listeners):
            listener.close()
