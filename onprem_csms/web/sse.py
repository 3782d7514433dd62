"""Server-sent events: a page learns that something changed and reads it again."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from onprem_csms.events import Event, Subscription
from onprem_csms.services.core.logins import Owner, stream_key
from onprem_csms.web.guards import CONTEXT, DRIVER, OPERATOR
from onprem_csms.web.intake import streaming

# A page that heard nothing for longer than ``live.js`` allows says that it lost its connection.
ALIVE_EVERY_S = 10.0
# What changes within this time is told in one message.
GATHER_S = 0.2
TOPICS = frozenset(
    [
        "charger",
        "clock",
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

# Sign-ins of an operator or of a card have ended (``logins.end_all``).
SIGN_IN = "sign-in"

STREAMS: web.AppKey[set[Subscription]] = web.AppKey("streams")


def setup(app: web.Application) -> None:
    """End every stream when the process stops, so that nobody waits for them."""
    app[STREAMS] = set()
    app.on_shutdown.append(_end_all)


async def stream(
    request: web.Request, topics: Iterable[str], wanted: Callable[[Event], bool] = lambda _: True
) -> web.StreamResponse:
    """Tell a page what changes, until it goes away or its reader's sign-ins end.

    ``event: changed`` with a list of "topic:key".
    """
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    subscription = request.app[CONTEXT].bus.subscribe({*topics, SIGN_IN})
    request.app[STREAMS].add(subscription)
    try:
        # Subscribed before the first word: a page reads itself again at that, so nothing falls between.
        with contextlib.suppress(ConnectionError), streaming(request):
            await response.prepare(request)
            await _tell(response, subscription, Wanted(wanted, _reader_of(request)))
    finally:
        subscription.close()
        request.app[STREAMS].discard(subscription)
    return response


def asked_topics(request: web.Request) -> frozenset[str]:
    """Return the topics of a page's address (``?topics=charger,session``) that exist."""
    return TOPICS & frozenset(request.query.get("topics", "").split(","))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stream tells; ``reader`` is the key of the event that ends it, None for a reader who isn't signed in."""

    of_page: Callable[[Event], bool]
    reader: str | None

    def ends(self, event: Event) -> bool:
        """Tell whether the reader is signed out, or may be: a page that reconnects reads itself again."""
        if self.reader is None:
            return False
        return event == Event(SIGN_IN, self.reader) or event.topic == "everything"

    def tells(self, event: Event) -> bool:
        """Tell whether the page hears of an event."""
        return event.topic == "everything" or (event.topic != SIGN_IN and self.of_page(event))


def _reader_of(request: web.Request) -> str | None:
    if DRIVER in request:
        return stream_key(Owner("driver", card_id=request[DRIVER]))
    if OPERATOR in request:
        return stream_key(Owner("operator", request[OPERATOR].id))
    return None


async def _tell(response: web.StreamResponse, subscription: Subscription, wanted: Wanted) -> None:
    await _send(response, "alive", [])
    while True:
        changed = await _gather(subscription, wanted)
        if changed is None:
            return
        await _send(response, "changed" if changed else "alive", changed)


async def _gather(subscription: Subscription, wanted: Wanted) -> list[str] | None:
    """Wait for news and collect what comes with them; nothing after a while, None at the end."""
    found: dict[str, None] = {}
    try:
        async with asyncio.timeout(ALIVE_EVERY_S) as limit:
            async for event in subscription:
                if wanted.ends(event):
                    return None
                if wanted.tells(event):
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
