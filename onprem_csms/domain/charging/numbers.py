"""Transaction numbers that nobody can guess, made of the session's id and back again; pure.

A charger must not be able to guess another's transaction, and some keep the number in 31 bits. A keyed permutation
of the ids gives both without a column and an index for it: a Feistel network over 32 bits, walked until it falls
into the range (cycle walking).
"""

from functools import lru_cache
from hashlib import blake2s

LARGEST = 2**31 - 1
_HALF = 0xFFFF
_ROUNDS = range(4)


@lru_cache(maxsize=65_536)
def number_of(session_id: int, key: bytes) -> int:
    """Return the transaction number, 1 to 2³¹−1, of a session's id in the same range."""
    number = session_id
    while True:
        left, right = number >> 16, number & _HALF
        for turn in _ROUNDS:
            left, right = right, left ^ _mix(key, turn, right)
        number = left << 16 | right
        if 0 < number <= LARGEST:
            return number


@lru_cache(maxsize=65_536)
def id_of(number: int, key: bytes) -> int | None:
    """Return the id that has this number; None for a number that none can have."""
    if not 0 < number <= LARGEST:
        return None
    while True:
        left, right = number >> 16, number & _HALF
        for turn in reversed(_ROUNDS):
            left, right = right ^ _mix(key, turn, left), left
        number = left << 16 | right
        if 0 < number <= LARGEST:
            return number


@lru_cache(maxsize=65_536)
def _mix(key: bytes, turn: int, half: int) -> int:
    return int.from_bytes(blake2s(half.to_bytes(2) + bytes((turn,)), digest_size=2, key=key).digest())
