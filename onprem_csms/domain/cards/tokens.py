"""A token as a charger tells it: what was held to its reader, typed in, or sent to it; pure."""

from dataclasses import dataclass
from typing import Literal

TokenType = Literal[
    "",
    "card",
    "card_15693",
    "central",
    "contract",
    "key_code",
    "local",
    "mac_address",
    "none",
    "other",
]


@dataclass(frozen=True, slots=True)
class Token:
    """``value`` as it was told, up to 255 characters; ``type`` is empty where the version has no types.

    ``none`` is a start without a token: a button was pressed (OCPP 2.0.1, NoAuthorization).
    """

    value: str
    type: TokenType = ""
