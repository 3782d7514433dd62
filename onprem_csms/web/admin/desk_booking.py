"""What the desk's forms do: issue, top up, block, unblock, a new PIN."""

from dataclasses import replace
from typing import Literal, cast

from aiohttp import web

from onprem_csms.domain.cards.numbers import desk_uid
from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.domain.secrets import choose_pin
from onprem_csms.errors import Conflict, Invalid
from onprem_csms.services.core.hashing import in_thread
from onprem_csms.services.desk import cash_desk
from onprem_csms.services.desk.cash_desk import Blocking, Booking, DeskTopUp, IssueCard, Method, Shown
from onprem_csms.web.admin.desk_cards import NAMESAKES, card_address, show, uid_of
from onprem_csms.web.admin.desk_lines import BETWEEN, REASONS
from onprem_csms.web.base import context, redirect
from onprem_csms.web.forms import Form, posted
from onprem_csms.web.languages import N_

METHODS = ("cash", "bank")
_NEW_PERSON, _OTHER = "new", "other"


@posted(show)
async def top_up(request: web.Request, form: Form) -> web.StreamResponse:
    """Book money onto the card."""
    ctx, uid = context(request), uid_of(request)
    found = await ctx.read(cash_desk.show, uid)
    wallet = found.known.wallet if found.known else None
    wanted = DeskTopUp(
        _shown(uid, form),
        _amount(form, wallet.currency if wallet else ctx.settings.currency),
        _method(form),
        form.text("document", required=False, max_length=40),
    )
    form.check()
    cash_desk.check_tap(ctx.readers, wanted.shown)
    booking = await ctx.write(cash_desk.top_up, wanted)
    return _to_result(request, booking)


@posted(show)
async def issue(request: web.Request, form: Form) -> web.StreamResponse:
    """Make the card, with its holder and its first amount."""
    ctx, shown = context(request), _shown(uid_of(request), form)
    if not shown.station:
        desk_uid(shown.uid)
    kind = cast("Literal['prepaid', 'personal']", form.choice("type", ("prepaid", "personal")))
    new = IssueCard(
        shown=shown,
        kind=kind,
        name=form.text("name", required=False),
        group=form.text("group", required=False, max_length=20),
        amount=_amount(form, ctx.settings.currency, required=False) if kind == "prepaid" else 0,
        method=_method(form),
        document=form.text("document", required=False, max_length=40),
        pin_hash=await _pin_hash(form, required=False),
    )
    form.check()
    new = replace(new, person_id=await _person(request, form))
    cash_desk.check_tap(ctx.readers, shown)
    return _to_result(request, await ctx.write(cash_desk.issue, new), issued=True)


@posted(show)
async def block(request: web.Request, form: Form) -> web.StreamResponse:
    """Let the card charge no more."""
    reason = form.choice("reason", REASONS)
    words = form.text("words", required=reason == _OTHER, max_length=150)
    form.check()
    # The reason is kept as an English word and shown in the reader's language; free words stay as they are.
    text = words if reason == _OTHER else BETWEEN.join(filter(None, (REASONS[reason], words)))
    uid = uid_of(request)
    blocking = Blocking(text, lost=reason in ("lost", "stolen"))
    await context(request).write(cash_desk.block, uid, blocking)
    return redirect(request, card_address(uid), said=N_("The card is blocked."))


@posted(show)
async def unblock(request: web.Request, form: Form) -> web.StreamResponse:
    """Let the card charge again."""
    uid = uid_of(request)
    await context(request).write(cash_desk.unblock, uid)
    return redirect(request, card_address(uid), said=N_("The card may charge again."))


@posted(show)
async def set_pin(request: web.Request, form: Form) -> web.StreamResponse:
    """Give the card a new PIN."""
    uid = uid_of(request)
    hashed = await _pin_hash(form, required=True)
    form.check()
    await context(request).write(cash_desk.set_pin, uid, cast("str", hashed))
    return redirect(request, card_address(uid), said=N_("The card has a new PIN."))


def _to_result(request: web.Request, booking: Booking, *, issued: bool = False) -> web.StreamResponse:
    card = card_address(booking.card.uid)
    if booking.receipt is None:
        return redirect(request, f"{card}/issued")
    said = [name for name, true in (("issued=1", issued), ("again=1", booking.repeated)) if true]
    query = "?" + "&".join(said) if said else ""
    return redirect(request, f"{card}/top-ups/{booking.receipt.entry_id}{query}")


def _shown(uid: str, form: Form) -> Shown:
    return Shown(
        uid=uid,
        key=form.text("key", max_length=64),
        station=form.text("station", required=False, max_length=64),
        tap=form.integer("tap"),
        seen=form.integer("seen", maximum=2**53),
    )


def _amount(form: Form, currency: str, *, required: bool = True) -> int:
    """The amount of a button, or the one that was typed; 0 where none was wanted."""
    chosen, other = form.typed.get("amount", ""), form.typed.get("other", "").strip()
    if chosen == _OTHER or (other and not chosen):
        return form.amount("other", currency)
    quick = {str(minor): minor for minor in currency_of(currency).quick_amounts}
    if chosen not in quick and (required or chosen):
        form.fault("amount", N_("Choose an amount."))
    return quick.get(chosen, 0)


def _method(form: Form) -> Method:
    return cast("Method", form.choice("method", METHODS, default="cash"))


async def _pin_hash(form: Form, *, required: bool) -> str | None:
    pin = form.text("pin", required=required, max_length=64)
    if not pin:
        return None
    try:
        return await in_thread("driver", choose_pin, pin)
    except Invalid as fault:
        form.faults.setdefault("pin", fault)
        return None


async def _person(request: web.Request, form: Form) -> int | None:
    """The holder who is known already; Conflict while the desk must say which of several people is meant."""
    chosen = form.typed.get("person", "")
    if chosen.isascii() and chosen.isdigit():
        return form.integer("person")
    if chosen == _NEW_PERSON:
        return None
    same = await context(request).read(cash_desk.namesakes, form.typed.get("name", ""))
    if same:
        request[NAMESAKES] = tuple(same)
        raise Conflict(
            "Somebody of this name is known already. Say who the card is for; nothing was done yet."
        )
    return None
