"""The short way of the calls that come by the thousand: a typed struct, one service call, the answer's payload."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from onprem_csms.ocpp.rpc.moments import Window
from onprem_csms.ocpp.rpc.typed import Decode


class Heard(NamedTuple):
    """A call as it was decoded: ``payload`` is a struct of the message's schema."""

    charger_id: str
    payload: Any
    window: Window
    now: datetime


class Deed(NamedTuple):
    """What a call asks for: a service function (None: nothing is stored), its value, and the answer from its result."""

    service: Callable[..., Any] | None
    value: Any
    answer: Callable[[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FastAction:
    """One action; ``read`` returns None for what the tolerant way must look at: whatever would be counted as odd."""

    decode: Decode
    read: Callable[[Heard], Deed | None]


class FastCall(NamedTuple):
    """A call that took the short way so far."""

    id: str
    action: str
    deed: Deed
