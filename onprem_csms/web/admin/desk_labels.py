"""Labels with the codes of the connectors: a sheet for a charger, for the whole site, and single files."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp import web
from markupsafe import Markup
from yarl import URL

from onprem_csms.domain.chargers.chargers import Charger, Connector
from onprem_csms.errors import NotFound
from onprem_csms.services.chargers import inventory
from onprem_csms.web import qr
from onprem_csms.web.base import context, render
from onprem_csms.web.languages import LANGUAGES, N_, translate

SENTENCE = N_("Scan to see the price and to charge.")
_EVERY_CHARGER = 10_000


@dataclass(frozen=True, slots=True)
class Label:
    """One label: where it is stuck, its code, the address in letters."""

    charger: Charger
    connector: Connector
    url: str
    code: Markup


@dataclass(frozen=True, slots=True)
class LabelsPage:
    """A sheet; ``only_here`` when its addresses would lead a phone nowhere. ``sentences`` by language."""

    charger: Charger | None
    labels: list[Label]
    only_here: bool
    sentences: dict[str, str]


async def site_sheet(request: web.Request) -> web.StreamResponse:
    """Show the labels of every charger."""
    return _sheet(request, None, await context(request).read(inventory.find, limit=_EVERY_CHARGER))


async def charger_sheet(request: web.Request) -> web.StreamResponse:
    """Show the labels of one charger."""
    charger = await context(request).read(inventory.get, request.match_info["id"])
    return _sheet(request, charger, [charger])


async def svg(request: web.Request) -> web.StreamResponse:
    """Send the code of one connector as a drawing."""
    body = qr.svg_file(await _url(request))
    return web.Response(body=body, content_type="image/svg+xml", headers=_as_file(request, "svg"))


async def png(request: web.Request) -> web.StreamResponse:
    """Send the code of one connector as a picture."""
    body = qr.png(await _url(request))
    return web.Response(body=body, content_type="image/png", headers=_as_file(request, "png"))


def base_url(request: web.Request) -> str:
    """Return the site's address as phones reach it: as configured, else as this page was asked for."""
    return context(request).settings.public_url or f"{request.scheme}://{request.host}"


def _sheet(request: web.Request, charger: Charger | None, shown: Iterable[Charger]) -> web.StreamResponse:
    base = base_url(request)
    labels = [_label(base, one, connector) for one in shown for connector in one.connectors if connector.slug]
    sentences = {language: translate(SENTENCE, language) for language in sorted(LANGUAGES, reverse=True)}
    return render(request, "desk/labels.html", LabelsPage(charger, labels, _only_here(base), sentences))


def _label(base: str, charger: Charger, connector: Connector) -> Label:
    url = qr.connector_url(base, connector.slug or "")
    # segno's own output, of an address without anything typed by people
    return Label(charger, connector, url, Markup(qr.svg(url)))  # noqa: S704


async def _url(request: web.Request) -> str:
    charger = await context(request).read(inventory.get, request.match_info["id"])
    wanted = request.match_info["number"]
    slug = next((one.slug for one in charger.connectors if one.label == wanted), None)
    if slug is None:
        raise NotFound("The charger has no connector {number}.", number=wanted)
    return qr.connector_url(base_url(request), slug)


def _as_file(request: web.Request, kind: str) -> dict[str, str]:
    plain = "".join(letter for letter in request.match_info["id"] if letter.isascii() and letter.isalnum())
    name = f"{plain or 'charger'}-{request.match_info['number']}.{kind}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _only_here(base: str) -> bool:
    host = URL(base).host or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
