"""Server-sent events: a page learns that something changed and reads it again."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable

from aiohttp import web

from onprem_csms.events import Event, Subscription
from onprem_csms.web.guards import CONTEXT

# A page that heard nothing for longer than ``live.js`` allows says that it lost its connection.
ALIVE_EVERY_S = 10.0
# What changes within this time is told in one message.
GATHER_S = 0.2
TOPICS = frozenset(
    [
        "charger",
        "command",
        "desk",
        "order",
        "person",
        "reader",
        "review",
        "session",
        "tariff",
        "token",
        "unknown",
        "wallet",
    ]
)

STREAMS: web.AppKey[set[Subscription]] = web.AppKey("streams")


def setup(app: web.Application) -> None:
    """End every stream when the process stops, so that nobody waits for them."""
    app[STREAMS] = set()
    app.on_shutdown.append(_end_all)


async def stream(
    request: web.Request, topics: Iterable[str], wanted: Callable[[Event], bool] = lambda _: True
) -> web.StreamResponse:
    """Tell a page what changes, until it goes away: ``event: changed`` with a list of "topic:key"."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    subscription = request.app[CONTEXT].bus.subscribe(topics)
    request.app[STREAMS].add(subscription)
    try:
        # Subscribed before the first word: a page reads itself again at that, so nothing falls between.
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await _tell(response, subscription, wanted)
    finally:
        subscription.close()
        request.app[STREAMS].discard(subscription)
    return response


def asked_topics(request: web.Request) -> frozenset[str]:
    """Return the topics of a page's address (``?topics=charger,session``) that exist."""
    return TOPICS & frozenset(request.query.get("topics", "").split(","))


async def _tell(
    response: web.StreamResponse, subscription: Subscription, wanted: Callable[[Event], bool]
) -> None:
    await _send(response, "alive", [])
    while True:
        changed = await _gather(subscription, wanted)
        if changed is None:
            return
        await _send(response, "changed" if changed else "alive", changed)


async def _gather(subscription: Subscription, wanted: Callable[[Event], bool]) -> list[str] | None:
    """Wait for news and collect what comes with them; nothing after a while, None at the end."""
    found: dict[str, None] = {}
    try:
        async with asyncio.timeout(ALIVE_EVERY_S) as limit:
            async for event in subscription:
                if event.topic == "everything" or wanted(event):
                    if not found:
                        limit.reschedule(asyncio.get_running_loop().time() + GATHER_S)
                    found[f"{event.topic}:{event.key}"] = None
            return None
    except TimeoutError:
        return list(found)


async def _send(response: web.StreamResponse, event: str, changed: list[str]) -> None:
    await response.write(f"event: {event}\ndata: {json.dumps(changed)}\n\n".encode())


async def _end_all(app: web.Application) -> None:
    streams = app[STREAMS]
    for subscription in list(streams):
        subscription.close()
