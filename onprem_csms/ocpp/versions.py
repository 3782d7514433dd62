"""The versions of OCPP that are spoken here: each a table of what may be said in both directions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from onprem_csms.domain.chargers.commands import Command
from onprem_csms.ocpp.link.incoming import Action
from onprem_csms.ocpp.link.outgoing import CommandKind
from onprem_csms.ocpp.v16 import actions, commands
from onprem_csms.services.core.context import Tx


@dataclass(frozen=True, slots=True)
class Version:
    """One version; ``protocol`` is its WebSocket subprotocol, ``schemas`` the folder of its schemas."""

    protocol: str
    schemas: str
    actions: Mapping[str, Action]
    commands: Mapping[str, CommandKind]
    translate: Callable[[Command], tuple[str, dict[str, Any]]]
    """Neutral command to request; Invalid where the version can't say it."""
    parts: Callable[[Tx, str, Command], list[Command]]
    """Cut a command that reads or sets variables into such as the charger takes in one message each."""

    @property
    def must_answer(self) -> frozenset[str]:
        """The actions that carry money."""
        return frozenset(name for name, action in self.actions.items() if action.must_answer is not None)


V16 = Version("ocpp1.6", "v16", actions.ACTIONS, commands.COMMANDS, commands.translate, commands.parts)

VERSIONS: dict[str, Version] = {V16.protocol: V16}
DEFAULT = V16
"""What a charger speaks that names no version, where that is allowed."""


def of(protocol: str) -> Version:
    """Return the version of a subprotocol, the default one for what is not known."""
    return VERSIONS.get(protocol, DEFAULT)
