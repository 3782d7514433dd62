"""The review list: what was kept and booked, and what a person should look at."""

from dataclasses import dataclass

from aiohttp import web

from onprem_csms.services.charging import review, sessions
from onprem_csms.services.charging.review import ReviewItem
from onprem_csms.services.core.context import Tx
from onprem_csms.web.admin.common import id_of, link, whole
from onprem_csms.web.admin.corrections import told
from onprem_csms.web.admin.pictures import Readings, readings
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import Form
from onprem_csms.web.forms import read as read_form
from onprem_csms.web.languages import N_

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The list; ``every`` shows what was looked at, too. ``pictures`` are the readings of bills that wait, by item."""

    items: list[ReviewItem]
    pictures: dict[int, Readings]
    every: bool
    next: str


Found = tuple[list[ReviewItem], dict[int, Readings]]


def _find(tx: Tx, *, open_only: bool, before: int | None) -> Found:
    items = review.find(tx, open_only=open_only, before=before, limit=PER_PAGE + 1)
    drawn = {
        item.id: readings(told(sessions.told(tx, item.session_id)))
        for item in items
        if item.kind == "waits" and item.session_id is not None and item.resolved_at is None
    }
    return items, {id: picture for id, picture in drawn.items() if picture is not None}


async def show(request: web.Request) -> web.StreamResponse:
    """Show the list, newest first."""
    every = Form(dict(request.query)).flag("all")
    before = whole(request.query.get("before", ""))
    found, pictures = await context(request).read(_find, open_only=not every, before=before)
    more = link(request, before=found[PER_PAGE - 1].id) if len(found) > PER_PAGE else ""
    return render(request, "admin/review.html", ReviewPage(found[:PER_PAGE], pictures, every, more))


async def resolve(request: web.Request) -> web.StreamResponse:
    """Mark an item as looked at."""
    item_id = id_of(request)
    form = await read_form(request)
    note = form.text("note", required=False, max_length=500)
    await context(request).write(review.resolve, item_id, note)
    return redirect(request, "/admin/review", said=N_("Marked as reviewed."))
