"""What can be saved of a frame that is not JSON; pure. Only broken frames come here."""

import re
from typing import NamedTuple

LONGEST_MENDED = 64 * 1024
"""Bytes; mending costs about a microsecond a token, so a flood of large rubbish is not mended."""

_HEAD = re.compile(rb'\s*\[\s*"?2"?\s*,\s*(?:"([^"\\]{0,255})"|(-?\d{1,18}))\s*,\s*"/?([A-Za-z]{1,50})"')
_ANSWER = re.compile(rb"\s*\[\s*\"?[34]\"?\s*,")
_BRACKET_OR_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"'  # a string
    r"|[\[\]{},:]"
    r"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])"
    r"|[^\s\[\]{},:\"]+",  # a bare word, or a number that is none
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f]")
_LONE_SURROGATE = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_BAD_ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})|\\.', re.DOTALL)
_CLOSER = {"[": "]", "{": "}"}
_WORDS = frozenset(("true", "false", "null"))
_LONGEST_NUMBER = 30


class Head(NamedTuple):
    """The id and the action of a call whose payload can't be read."""

    id: str | int
    action: str


def head(data: bytes) -> Head | None:
    """Read the beginning of a call; None when it does not look like one."""
    found = _HEAD.match(data)
    if found is None:
        return None
    text, number, action = found.groups()
    id: str | int = int(number) if text is None else text.decode("utf-8", "replace")
    return Head(id, action.decode("ascii"))


def is_answer(data: bytes) -> bool:
    """Tell whether the frame begins like an answer: an error is never answered with an error."""
    return _ANSWER.match(data) is not None


def depth(data: bytes) -> int:
    """Count how deep the brackets outside of strings nest."""
    deepest = now = 0
    for token in _BRACKET_OR_STRING.findall(data):
        if token in (b"[", b"{"):
            now += 1
            deepest = max(deepest, now)
        elif token in (b"]", b"}"):
            now -= 1
    return deepest


def mend(data: bytes) -> bytes | None:
    """Return JSON from almost-JSON, or None when it is too long.

    A missing value becomes null, a missing list item nothing, NaN and numbers without end null, a
    missing end is closed, characters that no text may hold become the replacement character.
    """
    if len(data) > LONGEST_MENDED:
        return None
    out: list[str] = []
    open_brackets: list[str] = []
    for token in _TOKEN.findall(data.decode("utf-8", "replace").lstrip("\ufeff\x00")):
        if out and not open_brackets:
            break  # what follows the end is rubbish
        _append(out, open_brackets, token)
    if open_brackets and out[-1][-1].isdigit():
        out[-1] = "null"  # cut off in the middle, it would be another number
    while open_brackets:
        _close(out, open_brackets, _CLOSER[open_brackets[-1]])
    return "".join(out).encode("utf-8", "replace")


def _append(out: list[str], open_brackets: list[str], token: str) -> None:
    if token in _CLOSER:
        open_brackets.append(token)
        out.append(token)
    elif token in ("]", "}"):
        _close(out, open_brackets, token)
    elif token == ",":  # noqa: S105 - a token of JSON
        _comma(out)
    elif token == ":":  # noqa: S105
        out.append(token)
    else:
        out.append(_scalar(token))


def _close(out: list[str], open_brackets: list[str], token: str) -> None:
    if not open_brackets or _CLOSER[open_brackets[-1]] != token:
        return
    open_brackets.pop()
    if out[-1] == ",":
        out.pop()
    elif out[-1] == ":":
        out.append("null")
    out.append(token)


def _comma(out: list[str]) -> None:
    if not out:
        return
    if out[-1] == ":":
        out.append("null")
    if out[-1] not in ("[", "{", ","):
        out.append(",")


def _scalar(token: str) -> str:
    if token.startswith('"'):
        return _string(token)
    if token in _WORDS:
        return token
    try:
        number = float(token)
    except ValueError:
        return "null"
    finite = number - number == 0
    return (
        token.lstrip("+") if finite and len(token) <= _LONGEST_NUMBER and _is_json_number(token) else "null"
    )


def _is_json_number(token: str) -> bool:
    return re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", token) is not None


def _string(token: str) -> str:
    inner = _BAD_ESCAPE.sub(lambda found: found.group(0) if found.group(1) else "\\ufffd", token[1:-1])
    inner = _LONE_SURROGATE.sub(lambda found: found.group(1) or "\\ufffd", inner)
    return '"' + _CONTROL.sub("\\\\ufffd", inner) + '"'
