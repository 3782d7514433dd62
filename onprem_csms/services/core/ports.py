"""What the services need from outside, as protocols: the chargers and the card readers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from onprem_csms.domain.chargers.commands import Command

CommandStatus = Literal["sent", "answered", "error", "timeout"]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command to a charger ended; ``request`` and ``response`` as on the wire.

    ``accepted`` is True when the charger's answer agrees, None when the answer has no such word.
    """

    id: int
    status: CommandStatus
    request: Mapping[str, Any]
    response: Mapping[str, Any] | None = None
    accepted: bool | None = None


class Stations(Protocol):
    """The chargers that are connected now."""

    def online(self, charger_id: str) -> bool:
        """Tell whether the charger has a connection."""

    async def send(
        self, charger_id: str, action: str, request: Mapping[str, Any], *, origin: str, wait: bool = True
    ) -> CommandResult:
        """Send a request in the charger's own protocol; NotFound, Conflict (offline) or Invalid with its path."""

    async def perform(self, charger_id: str, command: Command, *, origin: str) -> CommandResult:
        """Send a neutral command, translated to what the charger speaks; Conflict when it is offline."""


@dataclass(frozen=True, slots=True)
class ReaderState:
    """A card reader as the desk shows it: ``state`` and a sentence that says what is wrong."""

    id: str
    name: str
    decoder: str
    path: str
    state: Literal["connected", "absent", "error"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeskTap:
    """The last card of a station: its number, or why it was refused; ``number`` counts the taps."""

    station_id: str
    number: int
    at: datetime
    uid: str | None
    refusal: str = ""


class Readers(Protocol):
    """The card readers of the desk."""

    def states(self) -> list[ReaderState]:
        """List every configured reader with its state."""

    def last_tap(self, station_id: str) -> DeskTap | None:
        """Return the station's current tap."""
