"""Which language a reader wants, and the texts in it. English sentences are the keys of the catalogues."""

import gettext
from functools import cache
from pathlib import Path

from aiohttp import web

from onprem_csms.errors import N_, AppError

__all__ = ["N_"]

LANGUAGES = {"en": "English", "hu": "Magyar"}
COOKIE = "csms_language"
FOLDER = Path(__file__).parent / "locale"

# The language that the signed-in reader has chosen for good; set by the guards.
PREFERRED = web.RequestKey("preferred_language", str)
# The language of a site without any other hint; set by base.setup.
SITE_LANGUAGE = web.AppKey("site_language", str)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the texts of a language; English needs none."""
    return gettext.translation("messages", FOLDER, [language], fallback=True)


def translate(text: str, language: str) -> str:
    """Return a text in a language, its places unfilled."""
    return catalogue(language).gettext(text) if text else ""


def sentence(error: AppError, language: str) -> str:
    """Return what an error says, in a language, with its places filled."""
    text = translate(error.message, language)
    return text.format(**error.params) if error.params else text


def language_of(request: web.Request) -> str:
    """Return the reader's language: their own setting, the switch on the page, the browser's, the site's."""
    cookie = request.cookies.get(COOKIE, "")
    for wish in (request.get(PREFERRED, ""), cookie, accepted(request.headers.get("Accept-Language", ""))):
        if wish in LANGUAGES:
            return wish
    site = request.app.get(SITE_LANGUAGE, "en")
    return site if site in LANGUAGES else "en"


def accepted(header: str) -> str:
    """Return the best of our languages by an Accept-Language header (RFC 9110, 12.5.4), or an empty text."""
    wishes = []
    for position, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.partition(";q=")
        code = tag.strip().split("-")[0].lower()
        if code in LANGUAGES:
            wishes.append((-_weight(weight), position, code))
    return min(wishes)[2] if wishes else ""


def _weight(text: str) -> float:
    try:
        return float(text) if text.strip() else 1.0
    except ValueError:
        return 0.0
