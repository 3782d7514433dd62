"""Templates: one environment for each language, with the texts and formats of that language."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import jinja2

from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import AppError
from onprem_csms.web import statics, words
from onprem_csms.web.formats import Formats
from onprem_csms.web.languages import LANGUAGES, catalogue, sentence, translate

FOLDER = Path(__file__).parent / "templates"
FILTERS = (
    "money",
    "price",
    "number",
    "energy",
    "power",
    "when",
    "clock",
    "moment",
    "day",
    "date",
    "duration",
)


class Templates:
    """Everything that turns a page into HTML."""

    def __init__(self, settings: SiteSettings) -> None:
        timezone = ZoneInfo(settings.timezone)
        self.formats = {language: Formats(language, timezone) for language in LANGUAGES}
        self._environments = {
            language: _environment(formats, settings) for language, formats in self.formats.items()
        }

    def html(self, language: str, template: str, values: dict[str, object]) -> str:
        """Render a template."""
        return self._environments[language].get_template(template).render(values)


def _environment(formats: Formats, settings: SiteSettings) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts = catalogue(formats.language)
    environment.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update({name: getattr(formats, name) for name in FILTERS})
    environment.filters["currency"] = currency_of
    environment.filters["said"] = _said(formats.language)
    # A value as one segment of a path: the identity of a charger may hold a slash.
    environment.filters["segment"] = lambda value: quote(str(value), safe="")
    environment.globals.update(
        static=statics.address,
        language=formats.language,
        languages=LANGUAGES,
        site=settings,
        formats=formats,
        words=words,
    )
    return environment


def _said(language: str) -> Callable[[object], str]:
    """Translate a sentence that is known only at run time, or what an error says."""

    def said(text: object) -> str:
        return sentence(text, language) if isinstance(text, AppError) else translate(str(text), language)

    return said
