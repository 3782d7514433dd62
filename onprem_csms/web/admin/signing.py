"""First set-up, signing in and out."""

from dataclasses import dataclass

from aiohttp import web

from onprem_csms.errors import Forbidden, Unauthenticated
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import Attempt, NewOperator
from onprem_csms.services.core import logins
from onprem_csms.web.base import context, local_path, redirect, render
from onprem_csms.web.forms import NO_FORM, Form, posted
from onprem_csms.web.guards import COOKIES, DEVICES, OPERATOR, drop_login, operator_of, set_device, set_login
from onprem_csms.web.languages import COOKIE, LANGUAGES, N_, language_of

HOME = "/admin/"


@dataclass(frozen=True, slots=True)
class SetupPage:
    """The form of the first admin."""

    form: Form
    language: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The form of one's own password."""

    form: Form


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The sign-in; ``next`` is where it leads."""

    form: Form
    next: str
    nobody: bool


async def show_setup(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the form of the first admin, to whoever has the one-time link."""
    await context(request).read(operators.check_setup_link, request.match_info["token"])
    return render(request, "admin/setup.html", SetupPage(form, language_of(request)), form.status)


@posted(show_setup)
async def set_up(request: web.Request, form: Form) -> web.StreamResponse:
    """Make the first admin and sign them in."""
    language = form.choice("language", LANGUAGES)
    new = NewOperator(form.text("name", max_length=60), form.secret("password"), "admin", language)
    if form.typed.get("password") != form.typed.get("repeated"):
        form.fault("repeated", N_("This is not the same password."))
    form.check()
    secret = await operators.set_up(context(request), request.match_info["token"], new)
    response = redirect(request, HOME, said=N_("Welcome. The site is yours now."))
    response.set_cookie(COOKIE, language, samesite="Lax", httponly=True)
    set_login(response, request, "operator", secret)
    return response


async def show_sign_in(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the sign-in; who is signed in already goes on."""
    target = local_path(form.typed.get("next", request.query.get("next", "")), HOME)
    if OPERATOR in request and form is NO_FORM:
        return redirect(request, target)
    nobody = not await context(request).read(operators.find)
    return render(request, "admin/sign_in.html", SignInPage(form, target, nobody), form.status)


@posted(show_sign_in, also=(Unauthenticated, Forbidden))
async def sign_in(request: web.Request, form: Form) -> web.StreamResponse:
    """Sign an operator in."""
    device = request.cookies.get(DEVICES["operator"], "")
    attempt = Attempt(form.text("name"), form.secret("password"), request.remote or "", device)
    form.check()
    signed_in = await operators.sign_in(context(request), attempt)
    response = redirect(request, local_path(form.typed.get("next", ""), HOME))
    set_login(response, request, "operator", signed_in.secret)
    set_device(response, request, "operator", signed_in.device)
    return response


async def show_account(request: web.Request, form: Form = NO_FORM) -> web.StreamResponse:
    """Show the form of one's own password."""
    return render(request, "admin/account.html", AccountPage(form), form.status)


@posted(show_account, also=(Unauthenticated, Forbidden))
async def change_password(request: web.Request, form: Form) -> web.StreamResponse:
    """Change one's own password; other browsers of the same operator are signed out."""
    current, password = form.secret("current"), form.secret("password")
    if password != form.typed.get("repeated"):
        form.fault("repeated", N_("This is not the same password."))
    form.check()
    device = request.cookies.get(DEVICES["operator"], "")
    attempt = Attempt(operator_of(request).name, current, request.remote or "", device)
    secret = await operators.change_own_password(context(request), attempt, password)
    response = redirect(request, HOME, said=N_("Your password is changed."))
    set_login(response, request, "operator", secret)
    return response


async def go_home(request: web.Request) -> web.StreamResponse:
    """Lead to the overview."""
    return redirect(request, HOME)


async def sign_out(request: web.Request) -> web.StreamResponse:
    """Sign this browser out."""
    secret = request.cookies.get(COOKIES["operator"], "")
    await context(request).write(logins.end, secret)
    response = redirect(request, "/admin/sign-in", said=N_("You are signed out."))
    drop_login(response, "operator")
    return response
