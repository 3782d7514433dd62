"""The machine's clock jumps: nothing expires, nothing is deleted, stops come after true seconds, and it is said."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from onprem_csms import app, config
from onprem_csms.clock import SteadyClock
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import NewOperator
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory, records
from onprem_csms.services.charging import reports, sessions, supervisor
from onprem_csms.services.core import audit, logins
from onprem_csms.services.core.audit import AuditLine
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.logins import Owner
from onprem_csms.services.money import tariffs, wallets
from onprem_csms.services.money.wallets import TopUp
from onprem_csms.services.site.housekeeping import Housekeeper
from tests import reporting

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
YEAR_S = 365 * 86_400


@dataclass
class Machine:
    """A machine whose clock and whose true seconds a test moves."""

    clock_s: float = NOW.timestamp()
    true_s: float = 1_000.0

    def wait(self, seconds: float, fast: float = 1.0) -> None:
        """Let time pass; the machine's clock may go faster than it should."""
        self.true_s += seconds
        self.clock_s += seconds * fast

    def clock(self) -> SteadyClock:
        """Start a program."""
        return SteadyClock(lambda: self.clock_s, lambda: self.true_s)


@pytest.fixture
def machine() -> Machine:
    """One that tells the right time so far."""
    return Machine()


@pytest.fixture
async def site(tmp_path: Path, machine: Machine) -> AsyncIterator[app.Program]:
    """The whole program on that machine, with a card, a charger and a tariff."""
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    async with app.running(config.on_port(config.Config(), 0), folder, machine.clock()) as program:
        await program.ctx.write(furnish)
        yield program


def furnish(tx: Tx) -> None:
    price = simple_tariff("Standard", "HUF", per_kwh="149", vat_percent="27", timezone="Europe/Budapest")
    tariffs.make_default(tx, tariffs.create(tx, price).id)
    inventory.create(tx, NewCharger("CP1", security_profile=0))
    card = cards.create(tx, NewCard(uid="04AABBCCDD", kind="prepaid"))
    assert card.wallet is not None
    wallets.top_up(tx, TopUp(card.wallet.id, 5_000, "first"))


async def begin(program: app.Program) -> tuple[int, str]:
    """Begin a session and let it charge for a minute at 11 kW; returns its id and reference."""
    now = program.ctx.clock.now()
    answer = await program.ctx.write(reports.take, reporting.begin(("CP1", 1), "04AABBCCDD", 0, now))
    assert answer.session_id is not None
    assert answer.reference is not None
    return answer.session_id, answer.reference


async def read(program: app.Program, reference: str, register: int) -> None:
    reading = Reading(program.ctx.clock.now(), register, 11_000)
    await program.ctx.write(reports.take, reporting.readings(("CP1", 1), reference, (reading,)))


async def said(program: app.Program, times: int) -> list[AuditLine]:
    """Wait until it was written down so often that the clock has jumped."""
    while True:
        lines = [line for line in await program.ctx.read(audit.find) if line.action == "clock.jumped"]
        if len(lines) == times:
            return lines
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("jump_s", [YEAR_S, -YEAR_S, 3_600, -3_600])
async def test_a_jump_expires_nothing_deletes_nothing_and_is_said(
    site: app.Program, machine: Machine, jump_s: int
) -> None:
    ctx = site.ctx
    operator_id = await operators.add(ctx, NewOperator("Anna", "a long sentence of Anna"))
    secret = await ctx.write(logins.begin, Owner("operator", operator_id))
    ctx.store.log_message("CP1", "in", b'[2,"1","Heartbeat",{}]')
    session_id, reference = await begin(site)
    machine.wait(60)
    await read(site, reference, 183)
    machine.clock_s += jump_s
    lines = await said(site, 1)
    assert lines[0].detail == f"seconds: {jump_s}"
    await Housekeeper(ctx).tick()
    await ctx.write(supervisor.settle_due)
    assert ctx.clock.now() == NOW + timedelta(seconds=60)
    assert await ctx.read(logins.find, secret) is not None
    assert len(await ctx.read(records.messages, "CP1")) == 1
    assert (await ctx.read(sessions.get, session_id)).stop_wanted is None
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{site.port}/healthz") as response,
    ):
        told = await response.json()
    assert response.status == 200
    assert f"{abs(jump_s)} s {'ahead of' if jump_s > 0 else 'behind'} our time" in told["clock"]
    machine.clock_s -= jump_s
    await said(site, 2)


@pytest.mark.parametrize("jump_s", [0, YEAR_S, -YEAR_S])
async def test_a_stop_comes_after_the_true_seconds_whatever_the_clock_does(
    site: app.Program, machine: Machine, jump_s: int
) -> None:
    session_id, reference = await begin(site)
    machine.wait(60)
    await read(site, reference, 183)
    machine.clock_s += jump_s
    # 4,970 Ft at 149 Ft/kWh and 11 kW last for some three hours.
    machine.wait(10_000)
    await site.ctx.write(supervisor.settle_due)
    assert (await site.ctx.read(sessions.get, session_id)).stop_wanted is None
    machine.wait(1_000)
    await site.ctx.write(supervisor.settle_due)
    assert (await site.ctx.read(sessions.get, session_id)).stop_wanted == "balance_used_up"


def test_a_clock_that_is_put_right_by_a_little_is_followed_and_never_backward(machine: Machine) -> None:
    clock = machine.clock()
    for apart in (-20, 20):
        machine.clock_s += apart
        before = clock.now()
        for _ in range(3_600):
            machine.wait(1)
            clock.look()
            assert before < clock.now() <= before + timedelta(seconds=1.011)
            before = clock.now()
        assert not clock.apart
        assert clock.now().timestamp() == pytest.approx(machine.clock_s, abs=0.01)


def test_a_clock_that_goes_wrong_by_a_hundredth_is_followed_for_ever(machine: Machine) -> None:
    clock = machine.clock()
    for _ in range(36_000):
        machine.wait(1, fast=1.005)
        clock.look()
    assert not clock.apart


@pytest.mark.parametrize(
    "clock,begins",
    [
        # Behind what was written down by a little: on from there.
        (NOW - timedelta(hours=3), NOW),
        # An empty battery.
        (datetime(2000, 1, 1, tzinfo=UTC), NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW),
        # Far behind: what was written down was wrong.
        (NOW - timedelta(days=30), NOW - timedelta(days=30)),
        (NOW + timedelta(days=30), NOW + timedelta(days=30)),
    ],
)
def test_a_start_repeats_no_time_that_was_written_down_as_present(clock: datetime, begins: datetime) -> None:
    machine = Machine(clock_s=clock.timestamp())
    own = machine.clock()
    own.begin_after(NOW)
    assert own.now() == begins


async def test_the_program_goes_on_after_the_last_moment_of_the_one_before(
    tmp_path: Path, machine: Machine
) -> None:
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    settings = config.on_port(config.Config(), 0)
    async with app.running(settings, folder, machine.clock()) as before:
        await before.ctx.store.prove()
    machine.clock_s -= 3_600
    async with app.running(settings, folder, machine.clock()) as after:
        assert after.ctx.clock.now() >= NOW
