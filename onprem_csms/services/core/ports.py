"""What the services need from outside, as protocols: the chargers and the card readers."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.command_life import Ending
from onprem_csms.domain.chargers.commands import Command
from onprem_csms.domain.chargers.readings import Readings
from onprem_csms.domain.chargers.variables import Variable

Lane = Literal["stop", "limit", "rest"]
CommandStatus = Literal["sent", "answered", "error", "timeout", "lost", "superseded"]


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


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a request: ``response`` is the answer, or the error's code, description and details."""

    ending: Ending
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """A request in a charger's own words, checked and ready to go out.

    ``shown`` and ``shown_answer`` are what may be written down, without secrets. ``prepare`` runs in the transaction
    that stores the command, ``record`` in the one that stores its ending, so that the same is on record
    whoever gave the command. ``agrees`` reads the word of the answer, None where it has no such word.
    A stop overtakes a limit, a limit the rest; of those that wait with the same ``replaces`` only the newest is sent.
    ``patience_s``: how long the answer is waited for at most; None: as long as for any.
    """

    charger_id: str
    action: str
    request: Mapping[str, Any]
    shown: Mapping[str, Any]
    prepare: Callable[[Tx], None]
    record: Callable[[Tx, Reply], None]
    shown_answer: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    agrees: Callable[[Reply], bool | None]
    lane: Lane = "rest"
    replaces: Hashable = None
    patience_s: float | None = None


class Stations(Protocol):
    """The chargers that are connected now."""

    def online(self, charger_id: str) -> bool:
        """Tell whether the charger has a connection."""

    def protocols(self) -> Mapping[str, str]:
        """Return the versions that are spoken, the newest first: the name on the wire and the one for people."""

    def translate(self, charger_id: str, command: Command) -> tuple[str, Mapping[str, Any]]:
        """Return the action and the request that a command is in the charger's protocol; Invalid where it has none."""

    def parts(self, tx: Tx, charger_id: str, command: Command) -> list[Command]:
        """Split a command into what the charger takes at once."""

    def reading_variables(self, charger_id: str, wanted: Readings) -> tuple[tuple[Variable, str], ...]:
        """Return the variables, with their values, that let a charger send readings."""

    def order(self, charger_id: str, action: str, request: Mapping[str, Any]) -> Order:
        """Check a request of the charger's protocol; NotFound for its name, Invalid with the path of the fault."""

    def dispatch(self, order: Order, sent: Callable[[], None]) -> "asyncio.Future[Reply]":
        """Send an order in its turn; Conflict when the charger is offline or too much waits for it.

        ``sent`` is called when it has been written to the connection; the future always ends.
        """

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something run beside; its errors are logged, the end of the process waits for it."""


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
