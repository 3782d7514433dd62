"""The device model of a charger: its variables, by component and place; pure.

A version of OCPP without components (1.6) has one list of keys: they are variables of the component ``""``.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from onprem_csms.domain.chargers.places import WHOLE_CHARGER, Place
from onprem_csms.errors import Invalid

Attribute = Literal["actual", "target", "least", "most"]
Mutability = Literal["read_only", "read_write", "write_only"]
WishStatus = Literal["", "wanted", "accepted", "reboot_required", "rejected", "not_supported"]
"""What became of a wanted value; ``wanted`` is sent again until the charger answers."""

LONGEST_KEY = 300
_KEY = re.compile(
    r"(?:(?P<component>[^.()\[\]]+)"
    r"(?:\[(?P<instance>[^\]]*)\])?"
    r"(?:\((?P<evse>\d{1,9})(?:,(?P<connector>\d{1,9}))?\))?"
    r"\.)?"
    r"(?P<variable>[^()\[\]]+)"
    r"(?:\[(?P<variable_instance>[^\]]*)\])?"
)


class Variable(NamedTuple):
    """Which variable: all of this together names one (OCPP 2.0.1 part 2, section 2.46 and 2.47)."""

    component: str
    name: str
    instance: str = ""
    place: Place = WHOLE_CHARGER
    name_instance: str = ""

    @property
    def key(self) -> str:
        """Its one text form: ``Component[instance](evse,connector).Name[instance]``, without a component the name."""
        name = f"{self.name}[{self.name_instance}]" if self.name_instance else self.name
        if not self.component:
            return name
        instance = f"[{self.instance}]" if self.instance else ""
        return f"{self.component}{instance}{self._where()}.{name}"

    def _where(self) -> str:
        evse, connector = self.place
        if connector:
            return f"({evse},{connector})"
        return f"({evse})" if evse else ""


class Told(NamedTuple):
    """A value of a variable as a charger reports it; None is what it did not say.

    ``values`` is the list of what may be chosen, as the charger writes it, ``data_type`` its own word for it.
    """

    variable: Variable
    value: str | None
    attribute: Attribute = "actual"
    mutability: Mutability | None = None
    data_type: str = ""
    unit: str = ""
    values: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable as it was reported (``reported_at`` None: never), and what the site wants of it, if anything."""

    variable: Variable
    attribute: Attribute
    value: str | None
    mutability: Mutability
    data_type: str
    unit: str
    values: str
    reported_at: datetime | None
    wanted: str | None
    wanted_status: WishStatus
    wanted_at: datetime | None

    @property
    def key(self) -> str:
        """The variable's text form."""
        return self.variable.key

    @property
    def component(self) -> str:
        """The component's name, empty for a key of 1.6."""
        return self.variable.component

    @property
    def instance(self) -> str:
        """Which of several components of this name."""
        return self.variable.instance

    @property
    def evse(self) -> int:
        """The EVSE that it is of, 0: the charger's."""
        return self.variable.place.evse

    @property
    def connector(self) -> int:
        """The connector that it is of, 0: of the whole EVSE."""
        return self.variable.place.connector

    @property
    def name(self) -> str:
        """The variable's own name."""
        return self.variable.name

    @property
    def name_instance(self) -> str:
        """Which of several variables of this name."""
        return self.variable.name_instance

    @property
    def readonly(self) -> bool:
        """Whether the charger says that it can't be changed."""
        return self.mutability == "read_only"


def by_key(text: str) -> Variable:
    """Read the text form of a variable; Invalid when it is none."""
    found = _KEY.fullmatch(text.strip()) if len(text) <= LONGEST_KEY else None
    if found is None:
        raise Invalid("This names no variable: write Component.Variable.", path="key")
    part = {name: value or "" for name, value in found.groupdict().items()}
    place = Place(int(part["evse"] or 0), int(part["connector"] or 0))
    return Variable(part["component"], part["variable"], part["instance"], place, part["variable_instance"])
