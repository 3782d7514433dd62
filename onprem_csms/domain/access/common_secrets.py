"""Passwords and PINs that guessers try first: patterns, and a short list of our own; pure."""

import re
from itertools import pairwise

_WORDS = frozenset(
    (
        "admin",
        "administrator",
        "adminadmin",
        "charger",
        "charging",
        "chargingstation",
        "csms",
        "dragon",
        "football",
        "hello",
        "iloveyou",
        "jelszo",
        "jelszó",
        "letmein",
        "login",
        "master",
        "monkey",
        "onpremcsms",
        "onprem",
        "operator",
        "password",
        "passwort",
        "princess",
        "qwertz",
        "qwerty",
        "secret",
        "server",
        "starwars",
        "station",
        "sunshine",
        "superman",
        "titok",
        "tolto",
        "töltő",
        "toltoallomas",
        "töltőállomás",
        "trustno",
        "welcome",
        "changeme",
        "default",
        "electric",
        "electricity",
        "budapest",
        "hungary",
        "magyarorszag",
        "magyarország",
        "szeretlek",
        "kiskutya",
    )
)
_ROWS = (
    "qwertzuiop",
    "qwertyuiop",
    "asdfghjkl",
    "yxcvbnm",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
)
_LEET = str.maketrans("0134578@$!", "oleastbasi")
_FEW_CHARACTERS = 4
# Down, across and around the keys of a phone.
_KEYPAD = frozenset(
    (
        "2580",
        "0852",
        "1470",
        "0741",
        "3690",
        "0963",
        "1379",
        "9731",
        "1397",
        "7931",
        "1590",
        "3570",
        "1593",
        "3571",
        "147258",
        "258369",
        "147369",
        "159357",
        "357159",
        "741852",
        "852963",
        "14789632",
        "25800852",
    )
)
_SINGLE = frozenset(
    ("1004", "4711", "0815", "1337", "6969", "5150", "8008", "4200", "0420", "1122", "2211", "112233")
)


def is_common_password(password: str, name: str = "") -> bool:
    """Tell whether a password is one of the first that a guesser tries; ``name`` is its owner's."""
    plain = password.casefold()
    if len(set(plain)) <= _FEW_CHARACTERS or _repeats(plain):
        return True
    bare = re.sub(r"[\W\d_]+", "", plain)
    words = {bare, re.sub(r"[\W\d_]+$", "", plain).translate(_LEET)}
    own = re.sub(r"\W+", "", name.casefold())
    if own:
        words |= {word.replace(own, "", 1) for word in words if own in word and len(own) > 3}
    return any(word in _WORDS or _in_a_row(word) for word in words) or _in_a_row(plain) or plain == own


def is_common_pin(pin: str) -> bool:
    """Tell whether a PIN is a pattern, a row, a year, a day or one that many people choose."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if len(steps) == 1 or _repeats(pin) or (len(set(pin)) <= 2 and len(pin) > 4):
        return True
    if pin in _KEYPAD or pin in _SINGLE or pin == pin[::-1]:
        return True
    return _is_year_or_day(pin)


def _repeats(text: str) -> bool:
    """Tell whether a text is a shorter one several times over: 1212, abcabc."""
    return len(text) > 1 and text in (text + text)[1:-1]


def _in_a_row(word: str) -> bool:
    """Tell whether a word is empty or runs along the keyboard or the alphabet."""
    doubled = [row * 2 for row in _ROWS] + [row[::-1] * 2 for row in _ROWS]
    return not word or (len(word) > 3 and any(word in row for row in doubled))


def _is_year_or_day(pin: str) -> bool:
    if len(pin) == 4:
        return pin[:2] in ("19", "20")
    if len(pin) not in (6, 8):
        return False
    year, month, day = (pin[:-4], pin[-4:-2], pin[-2:])
    first, second, rest = (pin[:2], pin[2:4], pin[4:])
    whole = len(pin) == 6
    return (_is_day(month, day) and (whole or year[:2] in ("19", "20"))) or (
        (_is_day(second, first) or _is_day(first, second)) and (whole or rest[:2] in ("19", "20"))
    )


def _is_day(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31
