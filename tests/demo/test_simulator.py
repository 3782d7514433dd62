"""The simulated chargers against the real program: they connect as real ones do and live a day."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random

import pytest

from onprem_csms.app import Program
from onprem_csms.db.engine.database import Tx
from onprem_csms.demo.car import Car, arriving_car
from onprem_csms.demo.outlet import Pace
from onprem_csms.demo.scenery import (
    AWAY,
    GUEST_CARD,
    GUEST_CHARGER,
    HOLDERS,
    NEWCOMER,
    ODD,
    PLACES,
    STRANGE_CARDS,
)
from onprem_csms.demo.simulator import Cast, simulate
from onprem_csms.domain.chargers.commands import RemoteStart, RemoteStop
from onprem_csms.domain.chargers.places import Place
from onprem_csms.services.chargers import inventory, records, sending
from onprem_csms.services.chargers.records import MessageFilter
from onprem_csms.services.charging import sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Context
from onprem_csms.services.site import verify

# A day in seconds: batteries are full after a moment, connections break all the time.
A_DAY_IN_SECONDS = Pace(
    meter_s=0.2,
    plug_s=0.1,
    pause_s=(0.05, 0.5),
    idle_s=(0.1, 0.4),
    fault_s=0.3,
    fault_every=10,
    touch_s=(2.0, 5.0),
    away_s=(0.1, 0.3),
    hurry=2_000,
)
# Nobody comes; a session lasts until it is stopped.
QUIET = Pace(meter_s=0.2, plug_s=0.1, touch_s=(3600, 3600), hurry=1)


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until a condition holds."""
    while not await condition():  # noqa: ASYNC110 - many conditions, none with an event of its own
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def playing(program: Program, pace: Pace, ids: set[str]) -> AsyncIterator[Context]:
    """Let some of the chargers play."""
    makes = [make for make in (*(place.make for place in PLACES), NEWCOMER) if make.id in ids]
    cards = [uid for holder in HOLDERS for uid, _, _ in holder.cards if uid != GUEST_CARD]
    cast = Cast(makes, cards, STRANGE_CARDS)
    play = asyncio.create_task(simulate(f"ws://127.0.0.1:{program.port}/ocpp", cast, pace=pace))
    try:
        yield program.ctx
    finally:
        play.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await play


async def ended_since(ctx: Context, last: int) -> list[SessionView]:
    found = await ctx.read(sessions.find, SessionFilter(state="ended", limit=1000))
    return [session for session in found if session.id > last]


def refusals(tx: Tx) -> list[str]:
    """Every CALLERROR that the program has sent."""
    wanted = MessageFilter(direction="out", text="[4,", limit=1000)
    return [
        message.text
        for charger in inventory.find(tx)
        for message in records.search_messages(tx, charger.id, wanted)
        if message.text.startswith("[4,")
    ]


async def test_every_charger_lives_a_day_and_the_books_are_right_afterwards(program: Program) -> None:
    everybody = {place.make.id for place in PLACES if place.make.id != AWAY} | {NEWCOMER.id}
    newest = (await program.ctx.read(sessions.find, SessionFilter(limit=1)))[0].id
    async with playing(program, A_DAY_IN_SECONDS, everybody) as ctx:

        async def busy() -> bool:
            return len(await ended_since(ctx, newest)) >= 60

        await until(busy)
    ended = await ended_since(ctx, newest)
    assert {session.charger_id for session in ended} == everybody - {NEWCOMER.id, GUEST_CHARGER}
    assert sum(session.cost for session in ended) > 0
    assert all(session.energy_wh < 2_000 for session in ended)
    assert (await ctx.read(verify.verify)).faults == []
    assert await ctx.read(refusals) == []
    quirks = {quirk.kind for quirk in await ctx.read(records.quirks, ODD)}
    assert {"no_subprotocol", "number_for_text"} <= quirks
    assert await ctx.read(records.quirks, "FAST-1") == []


async def test_a_newcomer_waits_at_the_door_until_it_is_let_in(program: Program) -> None:
    async with playing(program, QUIET, {NEWCOMER.id}) as ctx:

        async def waits() -> bool:
            return any(
                attempt.identity == NEWCOMER.id
                for attempt in await ctx.read(inventory.refused_attempts, known=False)
            )

        async def is_in() -> bool:
            return ctx.stations.online(NEWCOMER.id)

        await until(waits)
        await ctx.write(inventory.accept_attempt, NEWCOMER.id, use="offered")
        await until(is_in)


async def start_as_guest(ctx: Context) -> int:
    """Begin a session at the guests' charger from here; returns its id."""

    async def online() -> bool:
        charger = await ctx.read(inventory.get, GUEST_CHARGER)
        ready = all(one.status == "available" for one in charger.connectors)
        return ctx.stations.online(GUEST_CHARGER) and ready

    async def running() -> SessionView | None:
        return await ctx.read(sessions.active_on, GUEST_CHARGER, Place(0, 1))

    await until(online)
    result = await sending.perform(ctx, GUEST_CHARGER, RemoteStart(GUEST_CARD, Place(0, 1)), origin="test")
    assert result.accepted
    await until(running)
    session = await running()
    assert session is not None
    return session.id


async def test_a_session_that_is_begun_and_ended_from_here_costs_what_flowed(program: Program) -> None:
    async with playing(program, QUIET, {GUEST_CHARGER}) as ctx:
        session_id = await start_as_guest(ctx)

        async def costs() -> bool:
            return (await ctx.read(sessions.get, session_id)).cost > 0

        async def ended() -> bool:
            return (await ctx.read(sessions.get, session_id)).state == "ended"

        await until(costs)
        transaction = (await ctx.read(sessions.get, session_id)).transaction_id
        await sending.perform(ctx, GUEST_CHARGER, RemoteStop(transaction), origin="test")
        await until(ended)
        session = await ctx.read(sessions.get, session_id)
        assert session.reason == "remote"
        assert session.bill is not None
        assert session.bill["energy_wh"] == session.energy_wh > 0


async def test_a_reset_ends_the_session_and_the_charger_boots_again(program: Program) -> None:
    async with playing(program, QUIET, {GUEST_CHARGER}) as ctx:
        session_id = await start_as_guest(ctx)
        before = (await ctx.read(inventory.get, GUEST_CHARGER)).booted_at
        result = await sending.ask(ctx, GUEST_CHARGER, "Reset", {"type": "Hard"}, origin="test")
        assert result.accepted

        async def booted_again() -> bool:
            return (await ctx.read(inventory.get, GUEST_CHARGER)).booted_at != before

        await until(booted_again)
        session = await ctx.read(sessions.get, session_id)
        assert (session.state, session.reason) == ("ended", "hard_reset")


@pytest.mark.parametrize(
    "action, request_, word",
    [
        ("GetConfiguration", {"key": ["NumberOfConnectors"]}, None),
        ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "10"}, "Accepted"),
        ("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "10"}, "Rejected"),
        ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}, "Accepted"),
        ("UnlockConnector", {"connectorId": 1}, "Unlocked"),
        ("TriggerMessage", {"requestedMessage": "StatusNotification"}, "Accepted"),
        ("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}, "NotImplemented"),
        (
            "ReserveNow",
            {"connectorId": 1, "expiryDate": "2100-01-01T00:00:00Z", "idTag": GUEST_CARD, "reservationId": 5},
            "Accepted",
        ),
        ("ClearCache", {}, "Accepted"),
    ],
)
async def test_a_command_is_answered_as_a_charger_would(
    program: Program, action: str, request_: dict[str, object], word: str | None
) -> None:
    async with playing(program, QUIET, {GUEST_CHARGER}) as ctx:

        async def online() -> bool:
            return ctx.stations.online(GUEST_CHARGER)

        await until(online)
        result = await sending.ask(ctx, GUEST_CHARGER, action, request_, origin="test")
        assert result.status == "answered"
        assert result.response is not None
        assert result.response.get("status") == word


def test_a_battery_takes_less_and_less_and_then_nothing() -> None:
    car = Car(capacity_wh=60_000, ac_w=11_000, dc_w=150_000, soc=0.1, enough=1.0)
    powers = []
    while not car.full:
        powers.append(car.power_w("dc", 100_000))
        car.charge(500)
    assert powers[0] == 100_000
    assert powers == sorted(powers, reverse=True)
    assert powers[-1] < 30_000
    assert car.power_w("dc", 100_000) == 0


def test_a_hurried_car_is_full_sooner_at_the_same_power() -> None:
    slow, quick = (arriving_car(Random(3), hurry) for hurry in (1, 30))
    assert quick.capacity_wh * 30 == pytest.approx(slow.capacity_wh)
    assert quick.power_w("ac", 22_000) == slow.power_w("ac", 22_000)
