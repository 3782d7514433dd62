"""Slow hashes of what people choose: passwords and PINs.

Argon2id (RFC 9106, its second recommended choice: 64 MiB, three passes). One hash takes about 0.2 s, so it is
computed in a thread and never inside a transaction.
"""

import re
from secrets import token_bytes

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from onprem_csms.domain.access.common_secrets import is_common_password, is_common_pin
from onprem_csms.errors import Invalid

SALT_BYTES = 16
HASH_BYTES = 32
PASSES = 3
MEMORY_KIB = 64 * 1024
LEAST_PASSWORD, LONGEST_PASSWORD = 10, 256
_PIN = re.compile(r"[0-9]{4,8}", re.ASCII)


def hash_password(password: str) -> str:
    """Hash a password of 10 to 256 characters; Invalid (path ``password``) for another length."""
    if len(password) < LEAST_PASSWORD:
        raise Invalid("A password needs at least {least} characters.", path="password", least=LEAST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        raise Invalid("A password has at most {most} characters.", path="password", most=LONGEST_PASSWORD)
    return _hash(password)


def choose_password(password: str, name: str = "") -> str:
    """Hash a new password; Invalid also for one that guessers try first. ``name`` is its owner's."""
    if len(password) >= LEAST_PASSWORD and is_common_password(password, name):
        raise Invalid("This password is one of those that are tried first. Choose another.", path="password")
    return hash_password(password)


def verify_password(hashed: str, password: str) -> bool:
    """Tell whether the password is the one that was hashed; a damaged hash fits none."""
    return len(password) <= LONGEST_PASSWORD and _verify(hashed, password)


def hash_pin(pin: str) -> str:
    """Hash a PIN; Invalid (path ``pin``) unless it has 4 to 8 digits."""
    if not _PIN.fullmatch(pin):
        raise Invalid("A PIN has 4 to 8 digits.", path="pin")
    return _hash(pin)


def choose_pin(pin: str) -> str:
    """Hash a new PIN; Invalid also for one that guessers try first: a row, a pattern, a year, a birthday."""
    if _PIN.fullmatch(pin) and is_common_pin(pin):
        raise Invalid("This PIN is one of those that are tried first. Choose another.", path="pin")
    return hash_pin(pin)


def verify_pin(hashed: str, pin: str) -> bool:
    """Tell whether the PIN is the one that was hashed; what can't be a PIN costs no time."""
    return _PIN.fullmatch(pin) is not None and _verify(hashed, pin)


def _hash(secret: str) -> str:
    salt = token_bytes(SALT_BYTES)
    kdf = Argon2id(salt=salt, length=HASH_BYTES, iterations=PASSES, lanes=1, memory_cost=MEMORY_KIB)
    return kdf.derive_phc_encoded(_bytes(secret))


def _verify(hashed: str, secret: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(_bytes(secret), hashed)
    except InvalidKey:
        return False
    return True


def _bytes(secret: str) -> bytes:
    # A lone surrogate is not text that UTF-8 can write; it is kept apart from every other.
    return secret.encode("utf-8", "surrogatepass")
