"""Card numbers: how one is written, which are refused, and how a charger may spell the same card.

The number of a card (its UID) is written here as upper-case hexadecimal, byte 0 of ISO 14443-3 first
(OCPP 1.6 section 3.9); a charger may also send a word, such as ``FREE CHARGING``. Numbers are compared as
text, so everything that comes from outside passes ``canonical_uid`` (chargers), ``desk_uid`` (readers and
people at the desk) or ``from_keyboard`` (what a keyboard reader typed).
"""

import re
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Literal

from onprem_csms.errors import Invalid

NumberFormat = Literal["hex", "hex-reversed", "decimal", "decimal-reversed"]
NUMBER_FORMATS: tuple[NumberFormat, ...] = ("hex", "hex-reversed", "decimal", "decimal-reversed")

# OCPP 2.0.1 IdTokenType: 36 characters; 1.6 has 20.
MAX_CHARACTERS = 36
# ISO 14443-3 has 4, 7 and 10 bytes, EM4100 5, ISO 15693 8; chargers that cut numbers leave no fewer than 4.
MIN_BYTES, MAX_BYTES = 4, 10
# Between the lengths of real cards: a reader lost a byte.
_NO_CARD = (6, 9)
# What a charger may have padded with zero bytes (ISO 14443-3).
_CARD_LENGTHS = (4, 7, 10)
# 8H10D carries the low 32 bits of a number, 10H13D all 40 bits of an EM4100 card.
_DECIMAL_BYTES = {10: 4, 13: 5}

_HEX = re.compile(r"[0-9A-F]+")
_DIGITS = re.compile(r"[0-9]+")
_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:([ :-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2})*")
_PREFIXED = re.compile(r"0[Xx](?=[0-9A-Fa-f]{2}(?:[ :-]?[0-9A-Fa-f]{2})*$)")
# Fewer than 4 bytes would match strangers' cards.
_FIRST = re.compile(r"first:([4-9])")

# On a Hungarian layout the key of the digit 0 types ö.
_HUNGARIAN_ZERO = str.maketrans("öÖ", "00")


def canonical_uid(text: str) -> str:
    """Write a card number the one way it is stored and compared: trimmed, upper case.

    Hexadecimal numbers and words alike; bytes that stand apart (``04:6E:51``) and a ``0x`` before them are written
    as those without. Invalid when it is empty, longer than 36 characters or holds characters that can't be printed.
    """
    uid = _joined(text).upper()
    if not uid:
        raise Invalid("The card number is empty.", path="uid")
    if len(uid) > MAX_CHARACTERS:
        raise Invalid("The card number is longer than 36 characters.", path="uid")
    if not uid.isprintable():
        raise Invalid("The card number holds characters that can't be printed.", path="uid")
    return uid


def desk_uid(text: str) -> str:
    """Read the hexadecimal number of a card at the desk, byte 0 first; pairs may stand apart (``04:6E:51``).

    Invalid, with a sentence for the operator, when it is no card number or must not be issued: a number that
    is made up at each tap, or the misread part of a longer one.
    """
    uid = canonical_uid(text)
    if not _HEX.fullmatch(uid):
        raise Invalid("A card number has the digits 0 to 9 and the letters A to F only.", path="uid")
    if len(uid) % 2:
        raise Invalid("The card number has an odd number of digits; read the card again.", path="uid")
    if len(uid) < 2 * MIN_BYTES:
        raise Invalid("The card number is too short; a card has at least 4 bytes.", path="uid")
    if len(uid) > 2 * MAX_BYTES:
        raise Invalid("The card number is too long; a card has at most 10 bytes.", path="uid")
    if len(uid) // 2 in _NO_CARD:
        raise Invalid(
            "No card has 6 or 9 bytes: the reader lost a part of the number. Read the card again.", path="uid"
        )
    _refuse_untrue(uid)
    return uid


def from_keyboard(text: str, number_format: NumberFormat = "hex") -> str:
    """Read what a keyboard reader typed, or a person copied from a card; Invalid as ``desk_uid``.

    A number of digits only can be hexadecimal or decimal: nothing in it tells, so ``number_format`` decides.
    """
    return from_reader(text.translate(_HUNGARIAN_ZERO), number_format)


def from_reader(text: str, number_format: NumberFormat = "hex") -> str:
    """Read a number as a reader prints it, in the reader's ``number_format``; Invalid as ``desk_uid``.

    ``decimal``: the bytes of the card, byte 0 highest, as one number (up to 10 digits: 4 bytes; 13 digits:
    5 bytes); ``decimal-reversed``: the same with byte 0 lowest; ``hex-reversed``: hexadecimal, last byte
    first. To the decimal settings, what holds a letter is hexadecimal.
    """
    text = _joined(text)
    if number_format == "hex-reversed":
        text = _reversed_bytes(text)
    elif number_format != "hex" and _DIGITS.fullmatch(text):
        text = _from_decimal(text)
        text = _reversed_bytes(text) if number_format == "decimal-reversed" else text
    return desk_uid(text)


def check_rule(rule: str) -> str:
    """Return a charger's rule as it is stored; Invalid when there is no such rule."""
    parts = rule.split(",")
    if all(part in _TRANSFORMS or _FIRST.fullmatch(part) for part in parts) and len(parts) <= _MOST_RULES:
        return rule
    raise Invalid(
        "There is no such rule for card numbers; use none, reverse, strip_zeros, strip_bcc, decimal, "
        "decimal-reversed or first:4, or up to 4 of them with commas between.",
        path="uid_rule",
    )


def rules_of(rule: str) -> tuple[str, ...]:
    """Return the rules that a charger's rule is combined of, in the order in which they are tried."""
    return tuple(check_rule(rule).split(","))


def is_cut(rule: str) -> bool:
    """Tell whether a single rule says that the charger sends a part of the number only."""
    return _FIRST.fullmatch(rule) is not None


def transform(uid: str, rule: str) -> str:
    """Rewrite a canonical number by a charger's rule, of several by the first that fits; Invalid as ``check_rule``.

    ``none``; ``reverse``: last byte first; ``strip_zeros``: without the zero bytes that pad a card of 4, 7 or
    10 bytes; ``strip_bcc``: 5 bytes without the check byte of the first four; ``first:4``: the first 4 bytes;
    ``decimal``, ``decimal-reversed``: the bytes as one decimal number, byte 0 highest or lowest.
    What the rule can't be applied to (a word, no check byte) stays as it is.
    """
    rewritten = (_rewritten(uid, part) for part in rules_of(rule))
    return next((one for one in rewritten if one != uid), uid)


def _rewritten(uid: str, rule: str) -> str:
    cut = _FIRST.fullmatch(rule)
    if cut is None:
        return _TRANSFORMS[rule](uid) if _is_bytes(uid) or rule.startswith("decimal") else uid
    return uid[: 2 * int(cut[1])] if _is_bytes(uid) else uid


def matches(charger_uid: str, card_uid: str, rule: str) -> bool:
    """Tell whether the canonical number that a charger sent means this card, by the charger's rule.

    The number itself always matches: a charger echoes what a remote start gave it.
    """
    return charger_uid == card_uid or any(_means(charger_uid, card_uid, part) for part in rules_of(rule))


def _means(charger_uid: str, card_uid: str, rule: str) -> bool:
    if is_cut(rule):
        # The charger has cut the number: a longer one that merely begins alike is another card.
        return _rewritten(card_uid, rule) == charger_uid
    return _rewritten(charger_uid, rule) == card_uid


def learn_rule(charger_uid: str, card_uid: str, present: str = "none") -> str | None:
    """Propose the rule by which taps at the desk and at the charger are one card; None if none does.

    ``present`` is the charger's rule now: it stays where it fits, else the new one is tried after it. The operator
    confirms it; it is never applied silently.
    """
    if present != "none" and matches(charger_uid, card_uid, present):
        return present
    rules = (*_TRANSFORMS, *(f"first:{size}" for size in range(4, 10)))
    found = next((rule for rule in rules if matches(charger_uid, card_uid, rule)), None)
    if found in (None, "none") or present == "none":
        return found
    combined = f"{present},{found}"
    return combined if combined.count(",") < _MOST_RULES else None


def _refuse_untrue(uid: str) -> None:
    if len(uid) == 8 and uid.startswith("08"):
        raise Invalid(
            "This card makes up a new number at each tap, as phones do. Use another card.",
            path="uid",
        )
    if len(uid) in (8, 10) and uid.startswith("88"):
        raise Invalid(
            "Only a part of the card's number was read. Hold the card still and try again.", path="uid"
        )


def _joined(text: str) -> str:
    """Join bytes that were printed apart or after 0x; a word with spaces in it stays."""
    text = _PREFIXED.sub("", text.strip(), count=1)
    return re.sub(r"[ :-]", "", text) if _PAIRS.fullmatch(text) else text


def _from_decimal(digits: str) -> str:
    size = _DECIMAL_BYTES.get(max(len(digits), 10))
    if size is None or int(digits) >= 256**size:
        raise Invalid(
            "This is no decimal card number: it has at most 10 digits, up to 4294967295.", path="uid"
        )
    return f"{int(digits):0{2 * size}X}"


def _decimal(digits: str) -> str:
    """Read what a charger sent as one decimal number: 4 bytes where they hold it, else 5, else 7."""
    if not _DIGITS.fullmatch(digits):
        return digits
    size = next((size for size in (4, 5, 7) if int(digits) < 256**size), None)
    return digits if size is None else f"{int(digits):0{2 * size}X}"


def _decimal_reversed(digits: str) -> str:
    return _reversed_bytes(_decimal(digits)) if _DIGITS.fullmatch(digits) else digits


def _is_bytes(uid: str) -> bool:
    return len(uid) % 2 == 0 and _HEX.fullmatch(uid) is not None


def _reversed_bytes(uid: str) -> str:
    """Turn the order of the pairs; an odd number of digits stays odd, so that it is still refused."""
    return "".join(uid[at : at + 2] for at in reversed(range(0, len(uid), 2)))


def _without_padding(uid: str) -> str:
    """Cut at the shortest length a card can have that leaves only zero bytes behind."""
    sizes = (size for size in _CARD_LENGTHS if not uid[2 * size :].strip("0"))
    return uid[: 2 * next(sizes, len(uid))]


def _without_bcc(uid: str) -> str:
    """Cut the fifth byte where it is the XOR of the first four (ISO 14443-3, block check character)."""
    data = bytes.fromhex(uid)
    return uid[:8] if len(data) == 5 and reduce(xor, data) == 0 else uid


_TRANSFORMS: dict[str, Callable[[str], str]] = {
    "none": str,
    "reverse": _reversed_bytes,
    "strip_zeros": _without_padding,
    "strip_bcc": _without_bcc,
    "decimal": _decimal,
    "decimal-reversed": _decimal_reversed,
}
_MOST_RULES = 4
