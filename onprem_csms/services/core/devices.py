"""Browsers that were signed in before: a cookie proves it, for each operator or card apart.

It permits nothing but to be counted by itself when a secret is tried, see ``domain.access.tries``.
"""

import hmac
import secrets

from onprem_csms.db.core import meta
from onprem_csms.db.engine.database import Tx

_KEY = "device_key"
MOST = 8


def recognise(tx: Tx, owner: str, cookie: str) -> str:
    """Return the name of a browser that was signed in as ``owner`` ("operator:3", "card:17"), else an empty text."""
    key = meta.get(tx, _KEY)
    if not key or not owner:
        return ""
    for token in cookie.split("~")[:MOST]:
        name, _, proof = token.partition(".")
        if name and hmac.compare_digest(_proof(key, owner, name).encode(), proof.encode("utf-8", "replace")):
            return name
    return ""


def remember(tx: Tx, owner: str, cookie: str) -> str:
    """Return the cookie of a browser that has just signed in; it remembers the last eight who did there."""
    if recognise(tx, owner, cookie):
        return cookie
    key = meta.get(tx, _KEY)
    if not key:
        key = secrets.token_hex(32)
        meta.set_value(tx, _KEY, key)
    name = secrets.token_hex(8)
    tokens = [f"{name}.{_proof(key, owner, name)}", *(token for token in cookie.split("~") if token)]
    return "~".join(tokens[:MOST])


def _proof(key: str, owner: str, name: str) -> str:
    digest = hmac.digest(bytes.fromhex(key), f"{owner} {name}".encode("utf-8", "replace"), "sha256")
    return digest.hex()[:32]
