"""What a charger's opening request says: who, with what key, in which versions. Pure.

OCPP-J 1.6 sections 3.1 and 6.2; what chargers make of them stands in ``docs/chargers.md``.
"""

import base64
import binascii
import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from onprem_csms.domain.chargers.chargers import LONGEST_IDENTITY

PREFIX = "ocpp"
LONGEST_PATH = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WHOLE_URL = re.compile(r"^(?:wss?|https?):/*[^/]*/", re.IGNORECASE)


class Credentials(NamedTuple):
    """User and password of Basic authentication; the password as the bytes that came."""

    user: str
    password: bytes


def identities(raw_path: str) -> tuple[str, ...]:
    """List the identities that a path may mean, the plainest first; none when it holds no usable one.

    The path is decoded once. Slashes around are dropped; where a whole address was typed, what follows
    its last ``/ocpp/`` counts; where a charger appends its serial, its first part may be the identity.
    """
    path = raw_path.partition("?")[0][:LONGEST_PATH]
    _, found, rest = path.lstrip("/").partition("/")
    plain = unquote(rest if found else "", errors="replace").strip("/ \t")
    candidates = [plain]
    inner = _WHOLE_URL.sub("", plain)
    if inner != plain:
        candidates = [inner.strip("/")]
    if f"{PREFIX}/" in candidates[0].lower():
        candidates.insert(
            0, re.split(rf"(?:^|/){PREFIX}/+", candidates[0], flags=re.IGNORECASE)[-1].strip("/")
        )
    candidates.extend(_parts(candidates[0]))
    usable = (
        text for text in candidates if text and len(text) <= LONGEST_IDENTITY and not _CONTROL.search(text)
    )
    return tuple(dict.fromkeys(usable))


def candidates(raw_path: str, sent: Credentials | None) -> tuple[str, ...]:
    """List the identities that a request may mean: those of its path, and its user name where the path only
    appends something to that (a serial, as some do).
    """
    found = identities(raw_path)
    user = "" if sent is None else sent.user
    if user and any(identity.casefold().startswith(user.casefold()) for identity in found):
        found = tuple(dict.fromkeys((*found, user)))
    return found


def _parts(text: str) -> list[str]:
    """List what a text with something appended to the identity may begin with, the longest first."""
    steps = text.split("/")
    return ["/".join(steps[:count]) for count in range(len(steps) - 1, 0, -1)][:4]


def credentials(header: str | None) -> Credentials | None:
    """Read an Authorization header; None without usable ones. Only the first colon divides (RFC 7617)."""
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.casefold() != "basic" or len(encoded) > LONGEST_PATH:
        return None
    encoded = encoded.strip()
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, password = decoded.partition(b":")
    if not colon:
        return None
    return Credentials(_text(user), password)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


LIBRARIES = frozenset(("libwebsockets.org", "websocket.org", "github.com"))
"""Hosts that libraries of chargers name as their Origin, though no page of theirs is behind it."""


def foreign_origin(origin: str | None, host: str, allowed: Collection[str] = ()) -> bool:
    """Tell whether a page of another site has opened the connection: a browser names its site in Origin, truly.

    Chargers send none, ``file://``, the address that they call, or that of their library.
    """
    if not origin or origin in allowed:
        return False
    try:
        parts = urlsplit(origin)
        named, own = parts.hostname or "", urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return True
    if parts.scheme.lower() not in ("http", "https"):
        return False
    return named not in {own, *LIBRARIES}


def subprotocols(headers: list[str]) -> tuple[str, ...]:
    """List what a charger offers to speak, in its order."""
    offered = (name.strip() for header in headers for name in header.split(","))
    return tuple(name[:50] for name in offered if name)[:20]
