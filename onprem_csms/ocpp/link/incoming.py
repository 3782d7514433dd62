"""A call of a charger on its way to its handler, and what a table of actions says of each."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from onprem_csms.domain.chargers.chargers import Registration
from onprem_csms.ocpp.rpc import moments
from onprem_csms.services.core.context import Context

BROKEN, CLOCK = "broken", "clock"
"""Flags for the services: parts of the message had to be guessed; its time was not believed."""

_LARGEST = 2**53


class Station(Protocol):
    """What a handler may do to the connection that its call came on."""

    def quirk(self, kind: str, example: str = "") -> None:
        """Count a deviation."""

    def registered(self, registration: Registration) -> None:
        """Remember what the charger was told at its boot."""


class Incoming:
    """One call. A plain class with slots, because one is made for every message."""

    __slots__ = ("action", "broken", "charger_id", "ctx", "payload", "raw", "station", "window")

    def __init__(self, ctx: Context, station: Station, charger_id: str, window: moments.Window) -> None:
        self.ctx = ctx
        self.station = station
        self.charger_id = charger_id
        self.window = window
        """The span in which this call's times are believed, and when it was received."""
        self.action = ""
        self.payload: dict[str, Any] = {}
        self.raw = ""
        self.broken = False

    def flags(self, quirks: tuple[str, ...], *, clock: bool) -> tuple[str, ...]:
        """Count what was odd and return what the services must know of it."""
        for kind in quirks:
            self.station.quirk(kind, self.raw)
        if not (clock or self.broken):
            return ()
        return (*((BROKEN,) if self.broken else ()), *((CLOCK,) if clock else ()))

    def whole(self, name: str, *, least: int = 0) -> int | None:
        """Return a number that fits everywhere; None and ``broken`` when it is missing or absurd."""
        value = self.payload.get(name)
        if value is None or not least <= value <= _LARGEST:
            self.broken = True
            return None
        return int(value)

    def optional(self, name: str) -> int | None:
        """Return a number above zero that may be missing."""
        value = self.payload.get(name)
        return None if value is None or not 0 < value <= _LARGEST else int(value)

    def text(self, name: str, longest: int) -> str:
        """Return a text that can be shown; empty when it is missing."""
        return printable(str(self.payload.get(name, "")), longest)


def printable(text: str, longest: int) -> str:
    """Return what can be shown of a text."""
    if not text.isprintable():
        text = "".join(character for character in text if character.isprintable())
    return text[:longest].strip()


Handler = Callable[[Incoming], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Action:
    """What the router does around a handler.

    ``must_answer`` marks a message that carries money: it makes the normal answer, from a number that
    may serve as the transaction's id, even when the csms fails. ``stand_ins`` fill what may be missing.
    ``lenient``: the handler copes with what is missing, so that the message is answered whatever it leaves out.
    ``also``: members that the message does not have and some chargers send with a meaning; the handler checks them.
    """

    handler: Handler
    must_answer: Callable[[int], dict[str, Any]] | None = None
    before_accepted: bool = False
    lenient: bool = False
    stand_ins: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
