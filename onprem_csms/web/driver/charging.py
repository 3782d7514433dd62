"""One session of the driver: live while it runs, its account of costs afterwards."""

from dataclasses import dataclass
from fractions import Fraction

from aiohttp import web

from onprem_csms.services.drivers import driving
from onprem_csms.services.drivers.driving import Charge
from onprem_csms.web.base import context, formats, redirect, render
from onprem_csms.web.driver.prices import exact
from onprem_csms.web.driver.visitor import number_of
from onprem_csms.web.formats import Formats
from onprem_csms.web.guards import driver_of


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the account: its kind, how much of it, the price, the sum in minor units."""

    kind: str
    quantity: str
    price: str
    gross: int


@dataclass(frozen=True, slots=True)
class ChargePage:
    """A session; ``seconds`` since its begin, ``lines`` once it has a bill, ``available`` as it is now."""

    charge: Charge
    seconds: int
    ended: str
    lines: list[Line]
    available: int | None


async def show(request: web.Request) -> web.StreamResponse:
    """Show the session."""
    ctx, card_id = context(request), driver_of(request)
    charge = await ctx.read(driving.own_charge, card_id, number_of(request))
    wallet = (await ctx.read(driving.account, card_id)).card.wallet
    session = charge.session
    until = session.ended_at or ctx.clock.now()
    page = ChargePage(
        charge=charge,
        seconds=max(0, int((until - session.began_at).total_seconds())),
        ended=_ended(charge, formats(request)),
        lines=_lines(charge, formats(request)),
        available=wallet.available if wallet else None,
    )
    return render(request, "driver/session.html", page)


async def stop(request: web.Request) -> web.StreamResponse:
    """Ask the charger to end the session; the page tells when it has."""
    number = number_of(request)
    await context(request).write(driving.stop, driver_of(request), number)
    return redirect(request, f"/driver/sessions/{number}")


def _ended(charge: Charge, formats: Formats) -> str:
    """The end as text: the time alone on the day of the begin."""
    began, ended = formats.local(charge.session.began_at), charge.session.ended_at
    if ended is None or formats.local(ended).date() != began.date():
        return formats.when(ended)
    return f"{formats.local(ended):%H:%M}"


def _lines(charge: Charge, formats: Formats) -> list[Line]:
    bill = charge.session.bill or {}
    return [_line(line, bill["currency"], formats) for line in bill.get("lines", ())]


def _line(line: dict[str, str | int], currency: str, formats: Formats) -> Line:
    kind, quantity, price = str(line["kind"]), Fraction(line["quantity"]), Fraction(line["price"])
    gross = int(line["gross"])
    if kind == "energy":
        return Line(kind, formats.energy(int(quantity)), f"{exact(price, currency, formats)}/kWh", gross)
    if kind in ("time", "parking_time"):
        per_minute = exact(price / 60, currency, formats)
        return Line(kind, formats.duration(float(quantity)), f"{per_minute}/min", gross)
    return Line(kind, "", "", gross)
