"""The workstation of the desk: the reader beside it and how its keyboard reader writes numbers."""

from dataclasses import dataclass

from aiohttp import web

from onprem_csms.domain.cards.numbers import NUMBER_FORMATS, NumberFormat
from onprem_csms.services.core.ports import DeskTap, ReaderState
from onprem_csms.web.base import context, redirect
from onprem_csms.web.forms import read

STATION, FORMAT = "csms_desk_station", "csms_desk_format"
_A_YEAR_S = 365 * 86400


@dataclass(frozen=True, slots=True)
class Workstation:
    """``reader`` is the chosen one of ``readers``, None where none is configured; ``tap`` its last card."""

    readers: list[ReaderState]
    reader: ReaderState | None
    number_format: NumberFormat
    tap: DeskTap | None

    @property
    def station(self) -> str:
        """The id of the chosen reader, or an empty text."""
        return self.reader.id if self.reader else ""


def workstation(request: web.Request) -> Workstation:
    """Return what this browser has chosen, else the first reader and hexadecimal numbers."""
    readers = context(request).readers
    states = readers.states()
    wanted = request.cookies.get(STATION)
    chosen = next((state for state in states if state.id == wanted), states[0] if states else None)
    tap = readers.last_tap(chosen.id) if chosen else None
    return Workstation(states, chosen, _format(request.cookies.get(FORMAT)), tap)


async def choose(request: web.Request) -> web.StreamResponse:
    """Keep the reader and the number format in this browser; the next desk may have others."""
    posted = (await read(request)).typed
    response = redirect(request, "/desk")
    for cookie, field in ((STATION, "station"), (FORMAT, "format")):
        value = posted.get(field, "")
        if value.isprintable() and value.isascii() and len(value) <= 64:
            response.set_cookie(cookie, value, max_age=_A_YEAR_S, path="/desk", httponly=True, samesite="Lax")
    return response


def _format(text: str | None) -> NumberFormat:
    return next((known for known in NUMBER_FORMATS if known == text), "hex")
