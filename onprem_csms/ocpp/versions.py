"""The versions of OCPP that are spoken here: each a table of what may be said in both directions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from onprem_csms.domain.chargers.commands import Command
from onprem_csms.domain.chargers.readings import Readings
from onprem_csms.domain.chargers.variables import Variable
from onprem_csms.ocpp.link.fast import FastAction
from onprem_csms.ocpp.link.incoming import Action
from onprem_csms.ocpp.link.outgoing import CommandKind
from onprem_csms.ocpp.v2 import actions as v2_actions
from onprem_csms.ocpp.v2 import commands as v2_commands
from onprem_csms.ocpp.v2 import hot as v2_hot
from onprem_csms.ocpp.v2 import readings as v2_readings
from onprem_csms.ocpp.v2 import requests as v2_requests
from onprem_csms.ocpp.v2 import variables as v2_variables
from onprem_csms.ocpp.v16 import actions as v16_actions
from onprem_csms.ocpp.v16 import commands as v16_commands
from onprem_csms.ocpp.v16 import hot as v16_hot
from onprem_csms.ocpp.v16 import readings as v16_readings
from onprem_csms.services.core.context import Tx


@dataclass(frozen=True, slots=True)
class Version:
    """One version; ``name`` for people, ``protocol`` its WebSocket subprotocol, ``schemas`` its folder of schemas."""

    name: str
    protocol: str
    schemas: str
    actions: Mapping[str, Action]
    commands: Mapping[str, CommandKind]
    translate: Callable[[Command], tuple[str, dict[str, Any]]]
    """Neutral command to request; Invalid where the version can't say it."""
    parts: Callable[[Tx, str, Command], list[Command]]
    """Cut a command that reads or sets variables into such as the charger takes in one message each."""

    readings: Callable[[Readings], tuple[tuple[Variable, str], ...]]
    """The variables that say what a charger sends of its meter."""

    fast: Mapping[str, FastAction] = field(default_factory=dict)
    """The calls that come by the thousand, on their short way."""
    error_codes: Mapping[str, str] = field(default_factory=dict)
    """What it calls an error, where it is not as in 1.6."""
    unreadable: str = ""
    """What it calls a frame that can't be read, where that has a name of its own."""
    compression: bool = False
    """Whether frames may be compressed (OCPP-J 2.0.1, section 3.3); some chargers of 1.6 break on it."""
    reads_first: bool = False
    """Whether a charger's variables are read when it comes for the first time (2.0.1 part 2, B07.FR.14)."""
    also: "tuple[Version, ...]" = ()
    """What a charger that agreed on this version may really speak: its messages are understood all the same."""

    @property
    def must_answer(self) -> frozenset[str]:
        """The actions that carry money."""
        return frozenset(name for name, action in self.actions.items() if action.must_answer is not None)


V16 = Version(
    "1.6J",
    "ocpp1.6",
    "v16",
    v16_actions.ACTIONS,
    v16_commands.COMMANDS,
    v16_commands.translate,
    v16_commands.parts,
    v16_readings.variables,
    fast=v16_hot.FAST,
)
V201 = Version(
    "2.0.1",
    "ocpp2.0.1",
    "v201",
    v2_actions.ACTIONS,
    v2_commands.COMMANDS,
    v2_requests.translate,
    v2_variables.parts,
    v2_readings.variables,
    error_codes={
        "FormationViolation": "FormatViolation",
        "OccurenceConstraintViolation": "OccurrenceConstraintViolation",
    },
    unreadable="RpcFrameworkError",
    fast=v2_hot.FAST,
    compression=True,
    reads_first=True,
    also=(V16,),
)

VERSIONS: dict[str, Version] = {version.protocol: version for version in (V201, V16)}
"""The newest first: of those that both sides speak, the first is taken."""
DEFAULT = V16
"""What a charger speaks that names no version, where that is allowed."""


def choose(offered: Iterable[str], pinned: str) -> Version | None:
    """Return the newest version that a charger offers and that is spoken here; where one is pinned, only that."""
    names = {name.lower() for name in offered}
    for protocol, version in VERSIONS.items():
        if protocol in names and pinned in ("", protocol):
            return version
    return None


def of(protocol: str) -> Version:
    """Return the version of a subprotocol, the default one for what is not known."""
    return VERSIONS.get(protocol, DEFAULT)
