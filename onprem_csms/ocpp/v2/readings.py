"""OCPP 2.0.1: which variables say what a charger sends of its meter, and how often (part 2, section J02, 2.7)."""

from onprem_csms.domain.chargers.readings import Readings
from onprem_csms.domain.chargers.variables import Variable
from onprem_csms.ocpp.v16.readings import MEASURANDS

COMPONENT = "SampledDataCtrlr"


def variables(wanted: Readings) -> tuple[tuple[Variable, str], ...]:
    """Return the variables and their values; a begin and an end need the register."""
    measured = ",".join(MEASURANDS[one] for one in wanted.measured)
    register = MEASURANDS["energy"]
    return (
        (Variable(COMPONENT, "TxUpdatedMeasurands"), measured),
        (Variable(COMPONENT, "TxUpdatedInterval"), str(wanted.every_s)),
        (Variable(COMPONENT, "TxStartedMeasurands"), register),
        (Variable(COMPONENT, "TxEndedMeasurands"), register),
    )
