"""The supervisor ends when it is told to, whatever happens at the same moment."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from onprem_csms.events import Bus, Event
from onprem_csms.services.charging.supervisor import Supervisor
from onprem_csms.services.core.context import Context

# Whoever has not ended within these turns of the loop waits for something else.
TURNS = 50


class Idle(Supervisor):
    """Nothing is due."""

    async def tick(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("turns", range(8))
async def test_an_event_at_the_moment_of_its_end_does_not_keep_it_alive(turns: int) -> None:
    bus = Bus()
    ctx = SimpleNamespace(bus=bus, clock=SimpleNamespace(now=lambda: datetime.now(UTC)))
    task = asyncio.create_task(Idle(cast("Context", ctx)).run())
    for _ in range(10):
        await asyncio.sleep(0)
    bus.publish(Event("token", "04AABBCC"))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    ended = task.done()
    bus.close()
    await asyncio.wait({task})
    assert ended
