"""Exact numbers as texts: decimals where they end, fractions where they don't."""

import re
from fractions import Fraction

from onprem_csms.errors import Invalid

_DECIMAL = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]{1,12})?")
_TOO_LARGE = 10**12
_RATIO = re.compile(r"-?[0-9]{1,24}/[1-9][0-9]{0,23}")


def exact(value: object) -> Fraction:
    """Read a number that must not be negative: a whole number, a fraction, or a text such as "149", "0,25" or
    "1/3".

    A float is taken as the decimal that it prints as. Raises Invalid otherwise.
    """
    number = _fraction(value)
    if number is None:
        raise Invalid("Write a number, such as 149 or 0.25.")
    if number < 0:
        raise Invalid("It must not be negative.")
    return number


def exact_text(number: Fraction) -> str:
    """Write a number so that `exact` reads the same one: "149", "0.25", or "1/3" where decimals would
    never end.
    """
    denominator, places = number.denominator, 0
    for prime in (2, 5):
        power = 0
        while denominator % prime == 0:
            denominator //= prime
            power += 1
        places = max(places, power)
    if denominator != 1 or places > 12:
        return str(number)
    digits = f"{abs(number.numerator) * 10**places // number.denominator:0{places + 1}d}"
    sign = "-" if number < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def _fraction(value: object) -> Fraction | None:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _TOO_LARGE):
        value = str(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _DECIMAL.fullmatch(text):
        return Fraction(text.replace(",", "."))
    return Fraction(text) if _RATIO.fullmatch(text) else None
