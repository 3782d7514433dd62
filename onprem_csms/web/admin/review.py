"""The review list: what was kept and booked, and what a person should look at."""

from dataclasses import dataclass

from aiohttp import web

from onprem_csms.services.charging import review
from onprem_csms.services.charging.review import ReviewItem
from onprem_csms.web.admin.common import id_of, link, whole
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import Form
from onprem_csms.web.forms import read as read_form
from onprem_csms.web.languages import N_

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The list; ``every`` shows what was looked at, too."""

    items: list[ReviewItem]
    every: bool
    next: str


async def show(request: web.Request) -> web.StreamResponse:
    """Show the list, newest first."""
    every = Form(dict(request.query)).flag("all")
    found = await context(request).read(
        review.find,
        open_only=not every,
        before=whole(request.query.get("before", "")),
        limit=PER_PAGE + 1,
    )
    more = link(request, before=found[PER_PAGE - 1].id) if len(found) > PER_PAGE else ""
    return render(request, "admin/review.html", ReviewPage(found[:PER_PAGE], every, more))


async def resolve(request: web.Request) -> web.StreamResponse:
    """Mark an item as looked at."""
    item_id = id_of(request)
    form = await read_form(request)
    note = form.text("note", required=False, max_length=500)
    await context(request).write(review.resolve, item_id, note)
    return redirect(request, "/admin/review", said=N_("Marked as reviewed."))
