"""What all our pages stand on: set-up of the application, rendering, redirects, the language switch."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

from aiohttp import web

from onprem_csms.services.access import operators
from onprem_csms.services.core.context import Context
from onprem_csms.web import errors, forms, headers, intake, sse, statics
from onprem_csms.web.formats import Formats
from onprem_csms.web.guards import CONTEXT, DRIVER, OPERATOR, Routes, actor_of, anyone, public
from onprem_csms.web.intake import split
from onprem_csms.web.languages import COOKIE, LANGUAGES, SITE_LANGUAGE, language_of, translate
from onprem_csms.web.shares import Shares
from onprem_csms.web.templating import Templates

TEMPLATES = web.AppKey("templates", Templates)
# The notice that the next page shows once: "The card was blocked."
SAID = "csms_said"
YEAR_S = 365 * 24 * 3600


GOOD, BAD = "+", "-"


@dataclass(frozen=True, slots=True)
class NoPage:
    """For templates that show nothing but themselves."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a form did, told on the next page; not ``good``: what it could not do."""

    text: str
    good: bool


def setup(app: web.Application, ctx: Context) -> None:
    """Prepare an application for our pages; call it before any site adds its routes."""
    app[CONTEXT] = ctx
    app[TEMPLATES] = Templates(ctx.settings)
    app[SITE_LANGUAGE] = ctx.settings.language
    app[intake.SHARES] = shares = Shares()
    app.middlewares.append(intake.middleware(ctx.settings, shares))
    app.middlewares.append(errors.middleware(_error_page, ctx.settings.public_url))
    app.on_response_prepare.append(headers.secure)
    sse.setup(app)
    route = Routes(app)
    # What every page needs
    route.get("/static/{name:.+}", anyone, statics.serve)
    route.post("/language", public, switch_language)


def context(request: web.Request) -> Context:
    """Return what the services need; whoever is signed in acts."""
    return request.app[CONTEXT].acting(actor_of(request))


def formats(request: web.Request) -> Formats:
    """Return the formats of the reader's language."""
    return request.app[TEMPLATES].formats[language_of(request)]


def render(request: web.Request, template: str, page: object, status: int = 200) -> web.Response:
    """Show a page, a frozen dataclass, by its template in the reader's language."""
    language = language_of(request)
    operator = request.get(OPERATOR)
    said = _said(request)
    values = {
        "page": page,
        "operator": operator,
        "driver": request.get(DRIVER),
        "path": request.path,
        "here": _address(request),
        "said": said,
        "now": context(request).clock.now(),
        "can": lambda deed: operator is not None and operator.may(deed),
    }
    html = request.app[TEMPLATES].html(language, template, values)
    response = web.Response(text=html, content_type="text/html", charset="utf-8", status=status)
    if said:
        response.del_cookie(SAID)
    return response


def _said(request: web.Request) -> Notice | None:
    """Return what the form before this page has to say, if anything."""
    mark, text = request.cookies.get(SAID, "")[:1], request.cookies.get(SAID, "")[1:]
    return Notice(unquote(text), mark == GOOD) if mark in (GOOD, BAD) else None


def redirect(
    request: web.Request, path: str, said: str = "", *, good: bool = True, **values: object
) -> web.Response:
    """Go on to a page after a form; ``said`` is a text of the catalogue, shown there once."""
    response = web.Response(status=303, headers={"Location": path})
    if said:
        text = translate(said, language_of(request)).format(**values)
        response.set_cookie(
            SAID, (GOOD if good else BAD) + quote(text), max_age=60, httponly=True, samesite="Lax"
        )
    return response


def local_path(text: str, default: str) -> str:
    """Return a path of this site that a form or an address handed back, never one that leads elsewhere."""
    parts = split(text)
    inside = text.startswith("/") and not text.startswith(("//", "/\\")) and not parts.netloc
    return text if inside and text.isprintable() else default


async def switch_language(request: web.Request) -> web.StreamResponse:
    """Remember the language for this browser, and for the operator who is signed in."""
    form = await forms.read(request)
    language = form.typed.get("language", "")
    response = redirect(request, local_path(form.typed.get("back", ""), "/"))
    if language in LANGUAGES:
        response.set_cookie(COOKIE, language, max_age=YEAR_S, samesite="Lax", httponly=True)
        if OPERATOR in request:
            await context(request).write(operators.set_language, request[OPERATOR].id, language)
    return response


def _address(request: web.Request) -> str:
    """Return where a reader is, as an address that can be asked for again: of a form, the page it stood on."""
    if request.method in ("GET", "HEAD"):
        return request.path_qs
    came_from = split(request.headers.get("Referer", ""))
    return local_path(came_from.path, "/admin/")


def _error_page(request: web.Request, page: errors.ErrorPage) -> web.Response:
    return render(request, "error.html", page, status=page.status)
