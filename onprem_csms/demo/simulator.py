"""All simulated chargers of the demo, over real WebSockets."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from onprem_csms.demo.charger import Charger, Make
from onprem_csms.demo.outlet import Pace
from onprem_csms.demo.visitors import Visitors


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: the chargers, the cards of the people who come by, and cards that nobody here knows."""

    makes: Sequence[Make]
    cards: Sequence[str]
    strangers: Sequence[str] = ()


async def simulate(base_url: str, cast: Cast, *, pace: Pace | None = None, seed: int = 1) -> None:
    """Play until cancelled at ``ws://…/ocpp``. The same seed gives the same cars, cards and faults."""
    visitors = Visitors(cast.cards, cast.strangers)
    patience = aiohttp.ClientTimeout(total=None, connect=10)
    async with aiohttp.ClientSession(timeout=patience) as http, asyncio.TaskGroup() as group:
        for make in cast.makes:
            charger = Charger(make, visitors, pace or Pace(), seed)
            group.create_task(charger.run(http, base_url), name=f"simulated {make.id}")
