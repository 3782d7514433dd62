"""The desk's view of a card: by tap, by typed number, by name."""

import secrets
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from onprem_csms.domain.cards.numbers import canonical_uid, from_keyboard
from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.errors import AppError, Invalid
from onprem_csms.services.cards.balances import BELOW_ZERO
from onprem_csms.services.cards.cards import Card
from onprem_csms.services.cards.people import Person
from onprem_csms.services.desk import cash_desk
from onprem_csms.services.desk.cash_desk import DeskCard, Shown
from onprem_csms.web.admin.desk_lines import BETWEEN, REASONS, WENT_BELOW_ZERO, Line, lines_of, state_of
from onprem_csms.web.admin.desk_station import Workstation, workstation
from onprem_csms.web.base import context, redirect, render
from onprem_csms.web.forms import Form

# The people who bear the name that was typed for a new card, when the desk must ask which one is meant.
NAMESAKES = web.RequestKey("namesakes", tuple[Person, ...])
_HEX_LIKE = frozenset("0123456789abcdefABCDEFöÖ :-")


@dataclass(frozen=True, slots=True)
class WaitPage:
    """No card is shown; ``refusal`` says why a tap or number was refused, ``matches`` were found by name."""

    work: Workstation
    text: str = ""
    refusal: AppError | str = ""
    matches: tuple[Card, ...] | None = None


@dataclass(frozen=True, slots=True)
class CardPage:
    """One card with its forms; ``asked`` names the form that ``form`` belongs to, the others are ``blank``."""

    work: Workstation
    card: DeskCard
    shown: Shown
    state: str
    currency: str
    quick: tuple[int, ...]
    asked: str
    form: Form
    blank: Form
    namesakes: tuple[Person, ...] = ()

    @property
    def reasons(self) -> dict[str, str]:
        """Why a card is blocked, to choose from."""
        return REASONS

    @property
    def reason(self) -> tuple[str, str]:
        """Why this card is blocked: a text of the catalogue, and the operator's own words."""
        text = self.card.known.status_reason if self.card.known else ""
        said, _, words = text.partition(BETWEEN)
        return WENT_BELOW_ZERO if said == BELOW_ZERO else said, words

    @property
    def lines(self) -> list[Line]:
        """What the holder paid and used, newest first."""
        return lines_of(self.card)


async def wait(request: web.Request) -> web.StreamResponse:
    """Show the empty desk, or why the last tap was refused."""
    work = workstation(request)
    asked = request.query.get("tap")
    refusal = work.tap.refusal if work.tap and asked == str(work.tap.number) else ""
    return render(request, "desk/wait.html", WaitPage(work, refusal=refusal))


async def tapped(request: web.Request) -> web.StreamResponse:
    """Lead to the card that was tapped last, or to why it was refused."""
    tap = workstation(request).tap
    if tap is None:
        return redirect(request, "/desk")
    if tap.uid is None:
        return redirect(request, f"/desk?tap={tap.number}")
    return redirect(request, card_address(tap.uid, tap.number))


async def find(request: web.Request) -> web.StreamResponse:
    """Lead to the card whose number was typed, else list those that a name or a part of a number finds."""
    work, text = workstation(request), request.query.get("number", "").strip()
    if not text:
        return redirect(request, "/desk")
    try:
        # Our own pages write numbers in groups.
        return redirect(request, card_address(from_keyboard("".join(text.split()), work.number_format)))
    except Invalid as fault:
        refusal = fault
    matches = tuple(await context(request).read(cash_desk.search, text))
    if not matches and _HEX_LIKE.issuperset(text):
        return render(request, "desk/wait.html", WaitPage(work, text, refusal))
    return render(request, "desk/wait.html", WaitPage(work, text, matches=matches))


async def show(request: web.Request, form: Form | None = None) -> web.StreamResponse:
    """Show one card, with the form of its that was refused, if any; every showing makes a new key."""
    ctx, uid, form = context(request), uid_of(request), form or Form()
    found = await ctx.read(cash_desk.show, uid)
    wallet = found.known.wallet if found.known else None
    currency = wallet.currency if wallet else ctx.settings.currency
    work, tap = workstation(request), _tap_of(request, form)
    shown = Shown(uid, secrets.token_urlsafe(12), work.station if tap else "", tap, found.seen)
    asked = request.path.rsplit("/", 1)[-1] if form.status != 200 else ""
    page = CardPage(
        work=work,
        card=found,
        shown=shown,
        state=state_of(found.known, ctx.clock.now()),
        currency=currency,
        quick=currency_of(currency).quick_amounts,
        asked=asked,
        form=form,
        blank=Form(),
        namesakes=request.get(NAMESAKES, ()),
    )
    return render(request, "desk/card.html" if found.known else "desk/issue.html", page, status=form.status)


async def back(request: web.Request) -> web.StreamResponse:
    """Lead back to the empty desk."""
    return redirect(request, "/desk")


def uid_of(request: web.Request) -> str:
    """Return the card's number in the address; Invalid when it can't be one."""
    return canonical_uid(request.match_info["uid"])


def card_address(uid: str, tap: int = 0) -> str:
    """Return the address of a card, with the tap that read it."""
    return f"/desk/cards/{quote(uid, safe='')}" + (f"?tap={tap}" if tap else "")


def _tap_of(request: web.Request, form: Form) -> int:
    given = form.typed.get("tap") or request.query.get("tap", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
