"""A bill: amounts times prices, each line rounded once half up, with the VAT that is in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from onprem_csms.domain.money.money import round_half_up
from onprem_csms.domain.money.tariff_model import Dimension, Tariff
from onprem_csms.domain.money.tariff_plan import SECOND_US, Amount, Plan

# Per kWh, per minute, per session, other: EU 2023/1804 article 5(4).
DISPLAY_ORDER: tuple[Dimension, ...] = ("energy", "time", "flat", "parking_time")


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: `quantity` in Wh, seconds or times; `price` gross per kWh, hour or once; `gross` rounded; all
    minor units.

    The kinds `minimum` and `maximum` bring the total to the tariff's bound; a `maximum` is negative.
    """

    kind: Dimension | Literal["minimum", "maximum"]
    quantity: Fraction
    price: Fraction
    vat_percent: Fraction
    gross: int


@dataclass(frozen=True, slots=True)
class VatShare:
    """What one rate of VAT has in a bill, in minor units: net + vat = gross."""

    percent: Fraction
    net: int
    vat: int
    gross: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What a session costs, in minor units: net + vat = gross = the sum of the lines. Energy and times as
    measured.
    """

    lines: tuple[BillLine, ...]
    shares: tuple[VatShare, ...]
    net: int
    vat: int
    gross: int
    energy_wh: int
    seconds_charging: int
    seconds_idle: int
    currency: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, before any step: Wh and whole seconds."""

    energy_wh: int
    seconds_charging: int
    seconds_idle: int


def make_bill(plan: Plan, amounts: Sequence[Amount], measured: Measured) -> Bill:
    """The bill over amounts of the plan's components (Wh, microseconds, times), already stepped up."""
    lines = _lines(plan, amounts)
    if plan.bounded:
        lines += _to_bounds(plan.tariff, _gross_by_rate(lines))
    shares = tuple(_share(percent, gross) for percent, gross in _gross_by_rate(lines).items())
    return Bill(
        lines=tuple(lines),
        shares=shares,
        net=sum(share.net for share in shares),
        vat=sum(share.vat for share in shares),
        gross=sum(share.gross for share in shares),
        energy_wh=measured.energy_wh,
        seconds_charging=measured.seconds_charging,
        seconds_idle=measured.seconds_idle,
        currency=plan.tariff.currency,
    )


def _lines(plan: Plan, amounts: Sequence[Amount]) -> list[BillLine]:
    """A line for every component that counted something, in the order of display."""
    lines = []
    for dimension in DISPLAY_ORDER:
        for index, component in enumerate(plan.components):
            if component.dimension != dimension or not amounts[index]:
                continue
            amount = amounts[index]
            timed = dimension in {"time", "parking_time"}
            quantity = Fraction(amount) / SECOND_US if timed else Fraction(amount)
            numerator, half, denominator = plan.halves[index]
            gross = int((amount * numerator + half) // denominator)
            lines.append(BillLine(dimension, quantity, plan.prices[index], plan.vats[index], gross))
    return lines


def _gross_by_rate(lines: Sequence[BillLine]) -> dict[Fraction, int]:
    """The gross sum of every rate of VAT, highest rate first."""
    if lines and all(line.vat_percent is lines[0].vat_percent for line in lines):
        # As good as always; comparing and hashing fractions takes longer than all the rest.
        return {lines[0].vat_percent: sum(line.gross for line in lines)}
    rates = sorted({line.vat_percent for line in lines}, reverse=True)
    return {rate: sum(line.gross for line in lines if line.vat_percent == rate) for rate in rates}


def _share(percent: Fraction, gross: int) -> VatShare:
    """The VAT within a gross sum: gross × 27/127 at 27 %, half up."""
    numerator, denominator = percent.as_integer_ratio()
    whole = 100 * denominator + numerator
    vat = (2 * gross * numerator + whole) // (2 * whole)  # half up, as round_half_up does
    return VatShare(percent, gross - vat, vat, gross)


def _to_bounds(tariff: Tariff, gross: Mapping[Fraction, int]) -> list[BillLine]:
    """The lines that bring the total to the tariff's bound, shared among the rates of VAT as the costs are.

    The bounds are gross where the prices are, else net (OCPI 2.2.1, Tariff: min_price and max_price).
    """
    gross = gross or {tariff.vat: 0}
    inclusive = tariff.prices_include_vat
    basis = dict(gross) if inclusive else {rate: _share(rate, sum_).net for rate, sum_ in gross.items()}
    whole = sum(basis.values())
    wanted = max(whole, tariff.min_price or 0)
    if tariff.max_price is not None:
        wanted = min(wanted, tariff.max_price)
    if wanted == whole:
        return []
    lines = []
    for rate, part in _allocate(wanted, basis).items():
        bounded = part if inclusive else round_half_up(part * (100 + rate) / 100)
        difference = bounded - gross[rate]
        kind: Literal["minimum", "maximum"] = "minimum" if wanted > whole else "maximum"
        if difference:
            lines.append(BillLine(kind, Fraction(1), Fraction(difference), rate, difference))
    return lines


def _allocate(wanted: int, weights: Mapping[Fraction, int]) -> dict[Fraction, int]:
    """`wanted` in whole parts in proportion to the weights; the parts add up to it."""
    whole, seen, given = sum(weights.values()), 0, 0
    parts = {}
    for rate, weight in weights.items():
        seen += weight
        up_to = round_half_up(Fraction(wanted * seen, whole)) if whole else wanted
        parts[rate] = up_to - given
        given = up_to
    return parts
