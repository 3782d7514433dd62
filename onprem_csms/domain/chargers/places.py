"""Where at a charger something happens, in no protocol's words; pure."""

import re
from typing import NamedTuple

from onprem_csms.errors import NotFound

_LABEL = re.compile(r"(?:(\d{1,4})\.)?(\d{1,4})")


class Place(NamedTuple):
    """An EVSE and a connector of it, numbered as the charger numbers them.

    A version of OCPP without EVSEs (1.6) has ``evse`` 0 and the connector's number. (0, 0) is the charger as
    a whole, (n, 0) an EVSE as a whole or a connector of it that the charger did not name.
    """

    evse: int
    connector: int

    @property
    def whole_charger(self) -> bool:
        """Tell whether the charger as a whole is meant."""
        return self.evse == 0 and self.connector == 0

    @property
    def label(self) -> str:
        """Its short name for people and addresses: ``2`` of a charger without EVSEs, else ``1.2``."""
        return f"{self.evse}.{self.connector}" if self.evse else str(self.connector)

    def shares_outlet(self, other: "Place") -> bool:
        """Tell whether they can hold but one session at a time: connectors of one EVSE, or the same connector."""
        if self.evse or other.evse:
            return self.evse == other.evse
        return self.connector == other.connector


def by_label(text: str) -> Place:
    """Return the place of a label; NotFound when it is none."""
    found = _LABEL.fullmatch(text)
    if found is None:
        raise NotFound("The charger has no connector {number}.", number=text[:20])
    return Place(int(found[1] or 0), int(found[2]))


WHOLE_CHARGER = Place(0, 0)
