"""What a charger proves itself with: made, sealed and compared.

The keys are random and long, so a fast keyed hash is enough, and a whole site can come back after a power
cut within seconds (a slow password hash would admit twenty a second).
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from onprem_csms.db.chargers import chargers as rows
from onprem_csms.db.chargers.chargers import Identity, Sealed
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import PasswordForm, canonical_password, password_forms

SALT_BYTES = 16
# 20 characters: the longest text that chargers of 1.6 take verbatim (white paper A00.FR.205: 16 to 20 bytes).
GENERATED_LENGTH = 20
# No character that is mistaken for another when it is typed into a charger.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def generate() -> str:
    """Make a random password that can be typed: 20 characters, 116 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(GENERATED_LENGTH))


def seal(tx: Tx, password: bytes) -> Sealed:
    """Return how a password is kept; makes the pepper with the first one."""
    salt = secrets.token_bytes(SALT_BYTES)
    pepper = rows.pepper(tx)
    if pepper is None:
        pepper = secrets.token_hex(32)
        rows.set_pepper(tx, pepper)
    return Sealed(salt, _digest(pepper, salt, canonical_password(password)))


def columns(sealed: Sealed | None) -> dict[str, Any]:
    """Return the columns of a charger with this password as its only one."""
    return {
        "password_salt": None if sealed is None else sealed.salt,
        "password_digest": None if sealed is None else sealed.digest,
        "password_form": "",
        "old_password_salt": None,
        "old_password_digest": None,
    }


@dataclass(frozen=True, slots=True)
class Match:
    """Which password fitted: in what form it came, and whether it was the one before the last change."""

    form: PasswordForm
    old: bool = False


def match(tx: Tx, known: Identity | None, sent: bytes) -> Match | None:
    """Compare what a charger sent with what is kept of it; None when it does not fit.

    For an unknown charger (None) the same work is done in vain, so that the time tells nothing.
    """
    pepper = rows.pepper(tx) or ""
    found = None
    for old, kept in ((False, known and known.password), (True, known and known.old)):
        salt, digest = kept or (bytes(SALT_BYTES), bytes(32))
        for form, candidate in password_forms(sent):
            computed = _digest(pepper, salt, candidate)
            if hmac.compare_digest(computed, digest) and kept:
                found = found or Match(form, old)
    return found


def fits(tx: Tx, sealed: Sealed, sent: bytes) -> bool:
    """Tell whether what was sent is the password that was sealed, in whatever form."""
    pepper = rows.pepper(tx) or ""
    return any(
        hmac.compare_digest(_digest(pepper, sealed.salt, form), sealed.digest)
        for _, form in password_forms(sent)
    )


def _digest(pepper: str, salt: bytes, password: bytes) -> bytes:
    return hmac.digest(pepper.encode(), salt + password, "sha256")
