"""What each call costs the store: statements a call and pages a COMMIT of fifty calls, with a ceiling for each.

A ceiling is what was reached, two pages above it where random ids decide which page is touched; whoever gets below
lowers it. Raising one needs a reason in the commit.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.speech import Speech
from bench.station import Station
from bench.v16 import V16
from bench.v201 import V201
from bench.wire import Identity
from tests.performance.counting import Cost, Crowd, crowd, texts

CALLS = 50
Ceilings = dict[str, tuple[float, int]]
"""Action → (statements a call, pages of a COMMIT of fifty)."""


def card_of(kind: str, station: Station) -> str:
    return station.identity.prepaid if kind == "prepaid" else station.identity.personal


async def a_session(stations: Crowd, kind: str) -> dict[str, Cost]:
    """What the calls of a session cost, each sent by every station at once."""
    costs: dict[str, Cost] = {}
    costs["status"], _ = await stations.together(lambda one: one.speech.plugged())
    costs["authorize"], answers = await stations.together(
        lambda one: one.speech.authorize(card_of(kind, one))
    )
    for station, answer in zip(stations.stations, answers, strict=True):
        station.must_accept(answer)
    costs["start"], answers = await stations.together(lambda one: one.speech.start(card_of(kind, one)))
    for station, answer in zip(stations.stations, answers, strict=True):
        station.must_accept(answer)
        station.speech.started(answer)
    costs["charging"], _ = await stations.together(lambda one: one.speech.charging())
    for _ in range(3):
        costs["reading"], _ = await stations.together(lambda one: one.speech.reading())
    costs["stop"], _ = await stations.together(lambda one: one.speech.stop())
    costs["freed"], _ = await stations.together(lambda one: one.speech.freed())
    assert not [answer for station in stations.stations for answer in station.refused]
    return costs


CEILINGS: dict[tuple[str, str], Ceilings] = {
    ("1.6", "personal"): {
        "status": (3, 14),
        "authorize": (0, 3),
        "start": (1, 12),
        "charging": (3, 12),
        "reading": (1, 4),
        "stop": (3, 18),
        "freed": (3, 15),
    },
    ("1.6", "prepaid"): {
        "status": (3, 15),
        "authorize": (0, 3),
        "start": (3, 18),
        "charging": (3, 12),
        "reading": (1, 5),
        "stop": (6.04, 36),
        "freed": (3, 15),
    },
    ("2.0.1", "personal"): {
        "status": (3, 13),
        "authorize": (0, 3),
        "start": (2, 16),
        "charging": (3, 15),
        "reading": (1, 8),
        "stop": (7, 28),
        "freed": (3, 15),
    },
    ("2.0.1", "prepaid"): {
        "status": (3, 13),
        "authorize": (0, 3),
        "start": (4, 25),
        "charging": (3, 15),
        "reading": (1, 8),
        "stop": (10.04, 47),
        "freed": (3, 15),
    },
}
NOT_MEASURED_YET = (0.0, 0)
VERSIONS: dict[str, Callable[[Identity], Speech]] = {"1.6": V16, "2.0.1": V201}


@pytest.mark.parametrize("version,kind", CEILINGS)
async def test_a_call_costs_the_store_no_more_than_it_did(tmp_path: Path, version: str, kind: str) -> None:
    async with crowd(tmp_path, CALLS, VERSIONS[version]) as stations:
        await a_session(stations, kind)
        costs = await a_session(stations, kind)
    ceilings = CEILINGS[version, kind]
    above = [
        f"{action}: {cost.statements:.2f} statements a call, {cost.pages} pages\n{texts(cost)}"
        for action, cost in costs.items()
        if cost.statements > ceilings.get(action, NOT_MEASURED_YET)[0]
        or cost.pages > ceilings.get(action, NOT_MEASURED_YET)[1]
    ]
    assert not above, "\n".join(above)
