"""``/reviews``: what was kept and booked and a person should look at."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from onprem_csms.services.charging import review
from onprem_csms.web.api.fields import Given, Page, Paged, Text, before, page
from onprem_csms.web.api.route import Call


class Review(Struct, frozen=True, kw_only=True):
    """One thing to look at; ``sentence`` says what its ``kind`` means."""

    id: int
    kind: str
    sentence: str
    session: int | None
    charger: str
    detail: dict[str, Any]
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str
    note: str


class Resolution(Given, frozen=True, kw_only=True):
    """What came of it."""

    note: Text = ""


class ReviewsQuery(Paged, frozen=True, kw_only=True):
    """Which items: those still open, or all of them."""

    all: bool = False


async def find(call: Call[None, ReviewsQuery]) -> Page[Review]:
    """List items, newest first."""
    query = call.query
    found = await call.read(review.find, open_only=not query.all, before=before(query), limit=query.limit + 1)
    return page(found, query.limit, show, lambda item: item.id)


async def get(call: Call[None, None]) -> Review:
    """Show one item."""
    return show(await call.read(review.get, call.number()))


async def resolve(call: Call[Resolution, None]) -> Review:
    """Mark an item as looked at; twice is as once."""
    return show(await call.write(review.resolve, call.number(), call.body.note))


def show(item: review.ReviewItem) -> Review:
    """Show an item as JSON."""
    return Review(
        id=item.id,
        kind=item.kind,
        sentence=review.KINDS.get(item.kind, ""),
        session=item.session_id,
        charger=item.charger_id,
        detail=item.detail,
        created_at=item.created_at,
        resolved_at=item.resolved_at,
        resolved_by=item.resolved_by,
        note=item.note,
    )
