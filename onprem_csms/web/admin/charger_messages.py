"""Every raw message of a charger, newest first."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from onprem_csms.domain.chargers.chargers import Charger
from onprem_csms.services.chargers import inventory, records
from onprem_csms.services.chargers.records import MessageFilter, RawMessage
from onprem_csms.services.core.context import Tx
from onprem_csms.web.admin.common import link, whole
from onprem_csms.web.base import context, render
from onprem_csms.web.forms import Form
from onprem_csms.web.languages import N_

PER_PAGE = 50
HOURS = {"day": 24, "week": 7 * 24, "month": 31 * 24}
SPANS = (("day", N_("the last day")), ("week", N_("the last week")), ("month", N_("the last month")))


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message; ``kind`` and ``pretty`` are what can be read of it, ``broken`` when that is nothing."""

    message: RawMessage
    kind: str
    action: str
    pretty: str
    broken: bool


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """A page of messages; ``next`` leads to older ones, ``newest`` back to the present."""

    charger: Charger
    online: bool
    lines: list[MessageLine]
    form: Form
    next: str
    newest: str
    spans: tuple[tuple[str, str], ...] = SPANS


def _find(tx: Tx, charger_id: str, wanted: MessageFilter) -> tuple[Charger, list[RawMessage]]:
    return inventory.get(tx, charger_id), records.search_messages(tx, charger_id, wanted)


async def show(request: web.Request) -> web.StreamResponse:
    """List the messages that fit the filter."""
    ctx = context(request)
    form = Form(dict(request.query))
    direction = form.typed.get("direction", "")
    wanted = MessageFilter(
        direction="in" if direction == "in" else "out" if direction == "out" else "",
        text=form.typed.get("text", "").strip(),
        before=whole(request.query.get("before", "")),
        since=_since(form, ctx.clock.now()),
        limit=PER_PAGE + 1,
    )
    ask = ctx.search if wanted.searches else ctx.read
    charger, found = await ask(_find, request.match_info["id"], wanted)
    page = MessagesPage(
        charger,
        ctx.stations.online(charger.id),
        [line(message) for message in found[:PER_PAGE]],
        form,
        link(request, before=found[PER_PAGE - 1].id) if len(found) > PER_PAGE else "",
        link(request, before=None) if wanted.before else "",
    )
    return render(request, "admin/charger_messages.html", page)


def _since(form: Form, now: datetime) -> datetime | None:
    """Return how far back to look: a search that need not look through years is done soon."""
    hours = HOURS.get(form.typed.get("since", ""))
    return None if hours is None else now - timedelta(hours=hours)


KINDS = {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR"}


def line(message: RawMessage) -> MessageLine:
    """Read what can be read of a message."""
    try:
        frame = json.loads(message.text)
    except (ValueError, RecursionError):
        return MessageLine(message, "", "", message.text, broken=True)
    pretty = json.dumps(frame, indent=2, ensure_ascii=False)
    kind = KINDS.get(frame[0], "") if isinstance(frame, list) and frame and isinstance(frame[0], int) else ""
    action = str(frame[2]) if kind in ("CALL", "CALLERROR") and len(frame) > 2 else ""
    return MessageLine(message, kind, action[:60], pretty, broken=not kind)
