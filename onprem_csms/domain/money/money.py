"""Money: whole numbers of a currency's minor unit, read from and written for people."""

import re
from fractions import Fraction

from onprem_csms.domain.money.currencies import Currency, currency_of
from onprem_csms.errors import Invalid

MAX_MINOR = 10**12

_NO_BREAK = "\u00a0"
# What people and formatters put between thousands: space, no-break, narrow no-break, thin.
_SPACES = re.compile("[ \u00a0\u202f\u2009]")
# Unambiguous only with both marks: "1,234.56", as English writes it.
_ENGLISH = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+)(\.[0-9]+)")
_NUMBER = re.compile(r"([0-9]{1,3}(?: [0-9]{3})+|[0-9]{1,15})(?:[.,]([0-9]{1,15}))?")


def parse_amount(text: str, currency: str) -> int:
    """Read an amount as people write it ("5 000", "12,50", "12.50", "5 000 Ft") into minor units.

    Zero is an amount, a negative one is not. Raises Invalid (path "amount") for anything else.
    """
    money = currency_of(currency)
    plain = _without_symbol(_SPACES.sub(" ", text).strip(), money)
    if grouped := _ENGLISH.fullmatch(plain):
        plain = grouped[1].replace(",", "") + grouped[2]
    found = _NUMBER.fullmatch(plain)
    if found is None:
        raise Invalid("Write the amount in digits, such as 5000.", path="amount")
    whole, decimals = found[1].replace(" ", ""), found[2] or ""
    if len(decimals) > money.decimals:
        raise Invalid("The amount has more decimals than its currency.", path="amount")
    minor = int(whole + decimals.ljust(money.decimals, "0"))
    if minor > MAX_MINOR:
        raise Invalid("The amount is too large.", path="amount")
    return minor


def format_amount(minor: int, currency: str, locale: str = "en") -> str:
    """Write minor units for people: "5 000 Ft", "€12.50" (en), "12,50 €" (hu).

    The spaces are no-break spaces. Forints are written the Hungarian way in every language.
    """
    money = currency_of(currency)
    leads = money.leads(locale)
    whole, decimals = divmod(abs(minor), 10**money.decimals)
    number = f"{whole:,}".replace(",", "," if leads else _NO_BREAK)
    if money.decimals:
        number += f"{'.' if leads else ','}{decimals:0{money.decimals}d}"
    sign = "-" if minor < 0 else ""
    return f"{sign}{money.symbol}{number}" if leads else f"{sign}{number}{_NO_BREAK}{money.symbol}"


def round_half_up(exact: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def _without_symbol(text: str, money: Currency) -> str:
    """`text` without the currency's own symbol or code, which may stand on either side."""
    for mark in (money.symbol, money.code):
        if text.casefold().endswith(mark.casefold()):
            return text[: -len(mark)].rstrip()
        if text.casefold().startswith(mark.casefold()):
            return text[len(mark) :].lstrip()
    return text
