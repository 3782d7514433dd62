"""Drivers sign in by card number and PIN. A wrong one is told in the same words whatever was wrong."""

from dataclasses import dataclass, field

from aiohttp import web

from onprem_csms.domain.cards.numbers import from_keyboard
from onprem_csms.errors import Forbidden, Invalid, Unauthenticated
from onprem_csms.services.cards import pins
from onprem_csms.services.core import logins
from onprem_csms.web.base import context, local_path, redirect, render
from onprem_csms.web.driver.visitor import visitor_of
from onprem_csms.web.forms import Form, posted
from onprem_csms.web.guards import COOKIES, DEVICES, driver_of, drop_login, set_device, set_login
from onprem_csms.web.languages import N_

_HOME = "/driver"


@dataclass(frozen=True, slots=True)
class SignInPage:
    """``next`` is where the driver wanted to go."""

    form: Form
    next: str


@dataclass(frozen=True, slots=True)
class PinPage:
    """The form for a new PIN."""

    form: Form = field(default_factory=Form)


async def show(request: web.Request, form: Form | None = None) -> web.StreamResponse:
    """Show the sign-in, or go on where the driver has signed in already."""
    form = form or Form()
    wanted = form.shown("next") or request.query.get("next", "")
    if form.status == 200 and visitor_of(request):
        return redirect(request, _inside(wanted))
    return render(request, "driver/sign_in.html", SignInPage(form, _inside(wanted)), status=form.status)


@posted(show, also=(Unauthenticated, Forbidden))
async def sign_in(request: web.Request, form: Form) -> web.StreamResponse:
    """Sign in by card number and PIN."""
    number, pin = _plain(form.text("number", max_length=80)), form.secret("pin")
    form.check()
    device = request.cookies.get(DEVICES["driver"], "")
    signed_in = await pins.sign_in(context(request), number, pin, device)
    response = redirect(request, _inside(form.shown("next")))
    set_login(response, request, "driver", signed_in.secret)
    set_device(response, request, "driver", signed_in.device)
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """Sign out this phone."""
    await context(request).write(logins.end, request.cookies.get(COOKIES["driver"], ""))
    response = redirect(request, "/", said=N_("You are signed out."))
    drop_login(response, "driver")
    return response


async def show_pin(request: web.Request, form: Form | None = None) -> web.StreamResponse:
    """Show the form for a new PIN."""
    form = form or Form()
    return render(request, "driver/pin.html", PinPage(form), status=form.status)


@posted(show_pin, also=(Unauthenticated, Forbidden))
async def change_pin(request: web.Request, form: Form) -> web.StreamResponse:
    """Change the PIN; every other phone that was signed in with this card is signed out."""
    ctx, card_id = context(request), driver_of(request)
    old, new = form.secret("old"), form.secret("pin")
    form.check()
    secret = await pins.change_own(ctx, card_id, old, new)
    response = redirect(request, _HOME, said=N_("Your PIN is changed."))
    set_login(response, request, "driver", secret)
    return response


def _inside(path: str) -> str:
    """A page of the drivers' site, never one that leads elsewhere."""
    ours = local_path(path, _HOME)
    return ours if ours.startswith(("/c/", "/driver")) and not ours.startswith("/driver/sign-") else _HOME


def _plain(text: str) -> str:
    """A card number as people copy it: with blanks, in small letters; a word stays a word."""
    try:
        return from_keyboard("".join(text.split()))
    except Invalid:
        return text.strip().upper()
