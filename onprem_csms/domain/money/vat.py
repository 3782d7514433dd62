"""When VAT falls due: at the charging, or already at the top-up; pure. Amounts are minor units.

A balance that buys one thing at one rate is a single-purpose voucher: its VAT falls due when it is sold
(Directive 2006/112/EC, article 30b(1)), and the charging carries no second one. A wallet knows which part of its
balance is of that kind, and how much VAT was due for it; both are used up in proportion.
"""

from fractions import Fraction
from typing import Literal, NamedTuple

from onprem_csms.domain.money.money import round_half_up

VatDue = Literal["at_charging", "at_topup"]
VAT_DUE: tuple[VatDue, ...] = ("at_charging", "at_topup")


class Taxed(NamedTuple):
    """A part of a balance and the VAT that was due for it."""

    gross: int
    vat: int


NOT_TAXED = Taxed(0, 0)


class Split(NamedTuple):
    """How a bill is booked: ``vat`` that falls due now, and what is ``used`` of the part whose VAT was due before."""

    vat: int
    used: Taxed


def included(gross: int, percent: Fraction) -> int:
    """Return the VAT within a gross sum, half up: gross × 27/127 at 27 %."""
    return round_half_up(gross * percent / (100 + percent))


def topped_up(balance: int, taxed: int, amount: int, percent: Fraction) -> Taxed:
    """Return which part of a top-up is taxed when it comes: all but what only fills a balance up to zero.

    What was charged below zero was taxed then.
    """
    part = max(0, min(amount, balance + amount - taxed))
    return Taxed(part, included(part, percent))


def use(taxed: Taxed, gross: int) -> Taxed:
    """Return what is used of a taxed part when ``gross`` is spent; the last of it takes the last of its VAT."""
    part = min(gross, taxed.gross)
    if part == taxed.gross:
        return taxed
    return Taxed(part, round_half_up(Fraction(taxed.vat * part, taxed.gross)))


def split(taxed: Taxed, gross: int, vat: int) -> Split:
    """Split what a bill takes (or gives back, both below zero) between a taxed part and the rest.

    ``taxed`` is the wallet's, or for what is given back that which the session used.
    """
    if gross == 0 or taxed.gross == 0:
        return Split(vat, NOT_TAXED)
    used = use(taxed, abs(gross))
    due = round_half_up(Fraction(vat * (abs(gross) - used.gross), abs(gross)))
    return Split(due, used if gross > 0 else Taxed(-used.gross, -used.vat))
