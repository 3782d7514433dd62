"""Where at a charger something happens, in no protocol's words; pure."""

from typing import NamedTuple


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


WHOLE_CHARGER = Place(0, 0)
