"""A simple tariff with a second price per kWh in a part of each day, as the admin's form says it."""

from dataclasses import dataclass, replace
from datetime import time

from onprem_csms.domain.money.tariff_model import Element, Restrictions, Tariff


@dataclass(frozen=True, slots=True)
class SecondPrice:
    """From ``start`` until ``end``, local time, the energy costs what ``element`` says."""

    element: Element
    start: time
    end: time


def with_second_price(tariff: Tariff, second: SecondPrice) -> Tariff:
    """Return the tariff with its second price before all others: the first that matches counts."""
    hours = Restrictions(start_time=second.start, end_time=second.end)
    return replace(tariff, elements=(replace(second.element, restrictions=hours), *tariff.elements))


def without_second_price(tariff: Tariff) -> tuple[Tariff, SecondPrice | None]:
    """Take a tariff apart into what it is without its second price, and that price; None where it has none."""
    first = tariff.elements[0]
    start, end = first.restrictions.start_time, first.restrictions.end_time
    only_hours = first.restrictions == Restrictions(start_time=start, end_time=end)
    only_energy = [component.dimension for component in first.components] == ["energy"]
    if len(tariff.elements) == 1 or start is None or end is None or not only_hours or not only_energy:
        return tariff, None
    plain = replace(first, restrictions=Restrictions())
    return replace(tariff, elements=tariff.elements[1:]), SecondPrice(plain, start, end)
