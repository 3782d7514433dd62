"""The chargers of the site, and those that wait to be accepted."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from aiohttp import web

from onprem_csms.domain.chargers.chargers import Charger, NewCharger
from onprem_csms.domain.chargers.records import RefusedAttempt
from onprem_csms.services.chargers import credentials, inventory
from onprem_csms.services.chargers.inventory import Credentials
from onprem_csms.services.charging import sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Tx
from onprem_csms.web.admin.common import link
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import NO_FORM, Form, posted
from onprem_csms.web.forms import read as read_form
from onprem_csms.web.languages import N_

PER_PAGE = 100
ACCEPTANCES: dict[str, Credentials] = {"generate": "generate", "offered": "offered", "none": "none"}


@dataclass(frozen=True, slots=True)
class Row:
    """One charger of the list, with the sessions that run on it."""

    charger: Charger
    online: bool
    running: list[SessionView]

    @property
    def power_w(self) -> int | None:
        """What it delivers now; None when nothing runs."""
        return sum(session.power_w or 0 for session in self.running) if self.running else None


@dataclass(frozen=True, slots=True)
class ChargersPage:
    """The list; ``next`` leads on when there are more."""

    rows: list[Row]
    waiting: list[RefusedAttempt]
    refused: list[RefusedAttempt]
    form: Form
    next: str
    url: str


@dataclass(frozen=True, slots=True)
class NewChargerPage:
    """The form of a charger to add; ``url`` is what it will be told."""

    form: Form
    url: str


@dataclass(frozen=True, slots=True)
class CredentialsPage:
    """What to type into a charger, shown once. ``password`` None: it needs none, or keeps its own."""

    charger_id: str
    password: str | None
    url: str
    base_url: str


@dataclass(frozen=True, slots=True)
class _Found:
    chargers: list[Charger]
    running: list[SessionView]
    waiting: list[RefusedAttempt]
    refused: list[RefusedAttempt]


def _find(tx: Tx, text: str, after: str) -> _Found:
    return _Found(
        inventory.find(tx, text=text, after=after, limit=PER_PAGE + 1),
        sessions.find(tx, SessionFilter(state="active", limit=1000)),
        inventory.refused_attempts(tx, known=False),
        inventory.refused_attempts(tx, known=True),
    )


async def show(request: web.Request) -> web.StreamResponse:
    """List the chargers with their live state."""
    ctx = context(request)
    found = await ctx.read(_find, request.query.get("text", "").strip(), request.query.get("after", ""))
    rows = [
        Row(
            charger,
            ctx.stations.online(charger.id),
            [session for session in found.running if session.charger_id == charger.id],
        )
        for charger in found.chargers[:PER_PAGE]
    ]
    more = link(request, after=rows[-1].charger.id) if len(found.chargers) > PER_PAGE else ""
    page = ChargersPage(
        rows, found.waiting, found.refused, Form(dict(request.query)), more, charger_url(request)
    )
    return render(request, "admin/chargers.html", page)


async def show_new(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the form of a new charger."""
    return render(request, "admin/charger_new.html", NewChargerPage(form, charger_url(request)), form.status)


@posted(show_new)
async def create(request: web.Request, form: Form) -> web.StreamResponse:
    """Add a charger and show, once, what to type into it."""
    password = credentials.generate()
    new = NewCharger(form.text("id", max_length=128), form.text("name", required=False), password=password)
    form.check()
    await context(request).write(inventory.create, new)
    return show_credentials(request, new.id, password)


async def accept(request: web.Request) -> web.StreamResponse:
    """Accept a charger that waits, and show what to type into it."""
    form = await read_form(request)
    identity, use = form.text("identity"), form.choice("use", ACCEPTANCES, "generate")
    form.check()
    password = await context(request).write(
        inventory.accept_attempt,
        identity,
        use=ACCEPTANCES[use],
    )
    return show_credentials(request, identity, password)


async def dismiss(request: web.Request) -> web.StreamResponse:
    """Forget an attempt to connect; it is listed again when it comes again."""
    form = await read_form(request)
    identity = form.text("identity")
    await context(request).write(inventory.dismiss_attempt, identity)
    return redirect(request, "/admin/chargers", said=N_("The connection attempt was dismissed."))


async def reset_password(request: web.Request) -> web.StreamResponse:
    """Give a charger a new password and show it once."""
    charger_id = request.match_info["id"]
    password = await context(request).write(inventory.reset_password, charger_id)
    return show_credentials(request, charger_id, password)


async def archive(request: web.Request) -> web.StreamResponse:
    """Archive a charger."""
    charger_id = request.match_info["id"]
    await context(request).write(inventory.archive, charger_id)
    return redirect(request, "/admin/chargers", said=N_("The charger was taken out of use."))


def show_credentials(request: web.Request, charger_id: str, password: str | None) -> web.Response:
    """Show what to type into a charger. It is the answer to the form itself, so that nothing keeps it."""
    base = charger_url(request)
    page = CredentialsPage(charger_id, password, f"{base}/{quote(charger_id, safe='')}", base)
    return render(request, "admin/charger_credentials.html", page)


def charger_url(request: web.Request) -> str:
    """Return the address that chargers call, without their identity."""
    public = urlsplit(context(request).settings.public_url)
    secure = public.scheme == "https" if public.netloc else request.secure
    return f"{'wss' if secure else 'ws'}://{public.netloc or request.host}/ocpp"
