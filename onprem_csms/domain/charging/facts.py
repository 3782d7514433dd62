"""What was reported of a session, kept as facts in the order of arrival; pure.

A fact is one element of a charger's message, with the moment that it is about. The session is folded from them
(``folding``): whatever the order in which they came and however often, the same facts give the same session.
"""

from collections.abc import Iterable
from typing import NamedTuple

from onprem_csms.domain.charging.sessions import Activity, ReadingContext

ACTIVITIES: tuple[Activity, ...] = ("paused", "charging", "idle")
"""Of two states told for one moment the first one here counts: it is the cheaper one."""


class Fact(NamedTuple):
    """One moment as it was told: ``at`` in UTC milliseconds, register in Wh, power in W, current in mA, voltage in mV.

    None is what the charger did not say. ``activity`` is a change of who holds the energy back.
    """

    at: int
    register_wh: int | None = None
    power_w: int | None = None
    current_ma: int | None = None
    voltage_mv: int | None = None
    soc_percent: int | None = None
    context: ReadingContext = "periodic"
    activity: Activity | None = None


class Moment(NamedTuple):
    """All that was told of one moment: a charger may spread it over several elements, or contradict itself."""

    at: int
    registers_wh: tuple[int, ...]
    power_w: int | None
    soc_percent: int | None
    activity: Activity | None


def moments(facts: Iterable[Fact], began: int) -> list[Moment]:
    """Bring facts together by their moments, in time, each fact once.

    What is told of the time before the begin is a clock that was set since: it counts at the begin.
    """
    by_moment: dict[int, set[Fact]] = {}
    for fact in facts:
        by_moment.setdefault(max(fact.at, began), set()).add(fact)
    return [together(at, told) for at, told in sorted(by_moment.items())]


def together(at: int, facts: Iterable[Fact]) -> Moment:
    """Make one moment of the facts that were told of it; their order and repetition do not matter."""
    told = list(facts)
    registers = sorted({fact.register_wh for fact in told if fact.register_wh is not None})
    activities = [fact.activity for fact in told if fact.activity is not None]
    return Moment(
        at,
        tuple(registers),
        _largest(fact.power_w for fact in told),
        _largest(fact.soc_percent for fact in told),
        min(activities, key=ACTIVITIES.index) if activities else None,
    )


def single(fact: Fact) -> Moment:
    """Make a moment of the only fact that was told of it: the same as ``together``, and faster."""
    registers = () if fact.register_wh is None else (fact.register_wh,)
    return Moment(fact.at, registers, fact.power_w, fact.soc_percent, fact.activity)


def _largest(numbers: Iterable[int | None]) -> int | None:
    return max((number for number in numbers if number is not None), default=None)
