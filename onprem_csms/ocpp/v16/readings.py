"""OCPP 1.6: which keys say what a charger sends of its meter, and how often (9.1.12 to 9.1.19)."""

from onprem_csms.domain.chargers.readings import Measured, Readings
from onprem_csms.domain.chargers.variables import Variable

MEASURANDS: dict[Measured, str] = {
    "energy": "Energy.Active.Import.Register",
    "power": "Power.Active.Import",
    "current": "Current.Import",
    "voltage": "Voltage",
    "charge": "SoC",
}


def variables(wanted: Readings) -> tuple[tuple[Variable, str], ...]:
    """Return the keys and their values."""
    measured = ",".join(MEASURANDS[one] for one in wanted.measured)
    return (
        (Variable("", "MeterValuesSampledData"), measured),
        (Variable("", "MeterValueSampleInterval"), str(wanted.every_s)),
    )
