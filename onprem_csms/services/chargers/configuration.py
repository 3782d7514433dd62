"""The variables of chargers: what they report, and what the site wants of them until they agree."""

from collections.abc import Iterable

from onprem_csms.db.chargers import desired
from onprem_csms.db.chargers import variables as rows
from onprem_csms.db.chargers.desired import Desired
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.variables import Setting, Told, Variable, WishStatus
from onprem_csms.errors import NotFound
from onprem_csms.events import Event
from onprem_csms.services.chargers import inventory

LONGEST_VALUE = 10_000
MOST_VARIABLES = 20_000
"""Kept of one charger: a report without end must not fill the disk."""


def report(tx: Tx, charger_id: str, told: Iterable[Told]) -> None:
    """Keep what a charger reported."""
    room = MOST_VARIABLES - rows.count(tx, charger_id)
    for one in list(told)[: max(0, room)]:
        value = None if one.value is None else one.value[:LONGEST_VALUE]
        rows.report(tx, charger_id, one._replace(value=value, values=one.values[:LONGEST_VALUE]))
    tx.emit(Event("charger", charger_id))


def want(tx: Tx, charger_id: str, variable: Variable, value: str, status: WishStatus = "wanted") -> None:
    """Keep what the site wants of a variable, and what the charger said to it."""
    desired.put(tx, charger_id, (variable, value), status)
    tx.emit(Event("charger", charger_id))


def knows_model(tx: Tx, charger_id: str) -> bool:
    """Tell whether a charger has ever told a part of its device model."""
    return rows.has_components(tx, charger_id)


def unmet(tx: Tx, charger_id: str) -> list[Desired]:
    """Return the wishes that a charger has not answered, oldest first."""
    return desired.unmet(tx, charger_id)


def tried(tx: Tx, charger_id: str, variable: Variable) -> None:
    """Count that a wish was sent."""
    desired.tried(tx, charger_id, variable)


def forget_wish(tx: Tx, charger_id: str, variable: Variable) -> None:
    """Want nothing of a variable any more; NotFound when nothing was wanted."""
    if not desired.delete(tx, charger_id, variable):
        raise NotFound("Nothing is wanted of {key}.", key=variable.key)
    tx.emit(Event("charger", charger_id))


def find(tx: Tx, charger_id: str) -> list[Setting]:
    """Return a charger's variables by component, place and name."""
    return rows.find(tx, charger_id)


def of_charger(tx: Tx, charger_id: str) -> list[Setting]:
    """Return a charger's variables as ``find``; NotFound where there is no such charger."""
    inventory.check_known(tx, charger_id)
    return rows.find(tx, charger_id)


def value(tx: Tx, charger_id: str, variable: Variable) -> str | None:
    """Return the value of a variable as last reported; None when it is not known."""
    return rows.value(tx, charger_id, variable)
