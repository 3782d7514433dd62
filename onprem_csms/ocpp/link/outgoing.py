"""A command of ours on its way to a charger, and what a table of commands says of each."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from onprem_csms.services.chargers.commanding import Outcome
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.ports import CommandResult


class Answered(NamedTuple):
    """A command with its outcome, as a ``record`` function gets it."""

    charger_id: str
    request: Mapping[str, Any]
    outcome: Outcome
    response: Mapping[str, Any]

    @property
    def status(self) -> str:
        """The word of the charger's answer, empty without one."""
        return str(self.response.get("status", "")) if self.outcome == "answered" else ""


Record = Callable[[Tx, Answered], None]
Prepare = Callable[[Tx, str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class CommandKind:
    """What happens around one command of the protocol.

    ``accepted``: the words of an answer that agrees; none where the answer has no such word. ``prepare``
    runs in the transaction that writes down the wish, ``record`` in the one that writes down the outcome,
    so that the same record is left whichever way the command was given. ``shown`` and ``shown_answer``
    return request and answer as they may be written down, without secrets.
    """

    accepted: frozenset[str] = frozenset(("Accepted",))
    prepare: Prepare | None = None
    record: Record | None = None
    shown: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    shown_answer: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None


class OutFrame(NamedTuple):
    """A call of ours as it goes out; ``text`` is what is written down of it, without secrets."""

    id: str
    action: str
    data: bytes
    text: str


class Pending:
    """A command that was handed in and has not ended: the frame, and who waits for the outcome."""

    __slots__ = ("action", "command_id", "data", "deadline", "id", "kind", "request", "result", "text")

    def __init__(
        self, frame: OutFrame, command_id: int, kind: CommandKind, request: Mapping[str, Any]
    ) -> None:
        self.id = frame.id
        self.action = frame.action
        self.data = frame.data
        self.text = frame.text
        self.command_id = command_id
        self.kind = kind
        self.request = request
        self.deadline = 0.0
        self.result: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
