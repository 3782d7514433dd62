"""A real encrypted store whose clock the test moves, with one tariff and cards to charge with."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onprem_csms.clock import ManualClock, from_millis
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.charging.reports import Report, ReportAnswer
from onprem_csms.domain.charging.sessions import Reading, Verdict
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.events import Bus
from onprem_csms.services.cards import balances, cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import reports, sessions, supervisor
from onprem_csms.services.charging.sessions import SessionView
from onprem_csms.services.money import tariffs, wallets
from onprem_csms.services.money.wallets import TopUp, Wallet
from onprem_csms.services.site import verify
from tests import reporting

BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Started:
    """What a charger learned of a session that it began."""

    session_id: int
    reference: str
    verdict: Verdict


@dataclass
class House:
    """The store and short words for what tests do with it."""

    store: Database
    clock: ManualClock
    topups: int = field(default=0)
    bus: Bus = field(default_factory=Bus)

    async def do(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Run a service function as a durable transaction."""
        return await self.store.write(fn, *args)

    def later(self, seconds: float) -> datetime:
        """Move the clock on and return the new time."""
        self.clock.at += timedelta(seconds=seconds)
        return self.clock.at

    async def passing(self, seconds: float) -> float:
        """Let time pass while the supervisor looks at whatever is due, until it wants a stop; returns the time."""
        begin = self.clock.at
        until = begin + timedelta(seconds=seconds)
        wanted = await self.store.read(_stops_wanted)
        while (look := await self.store.read(_next_look)) is not None and look <= until:
            self.clock.at = max(self.clock.at, look)
            await self.do(supervisor.settle_due)
            if await self.store.read(_stops_wanted) > wanted:
                return (self.clock.at - begin).total_seconds()
        self.clock.at = until
        return seconds

    async def prepaid_card(self, uid: str, amount: int) -> int:
        """Issue a prepaid card with a balance; returns the wallet's id."""
        await self.do(cards.create, NewCard(uid=uid, kind="prepaid"))
        card = await self.do(cards.get, uid)
        if amount:
            await self.top_up(card.wallet.id, amount)
        wallet_id: int = card.wallet.id
        return wallet_id

    async def top_up(self, wallet_id: int, amount: int) -> None:
        """Top a wallet up with a key of its own."""
        self.topups += 1
        await self.do(balances.top_up, TopUp(wallet_id, amount, f"test-{self.topups}"))

    async def tell(self, report: Report) -> ReportAnswer:
        """Report something."""
        answer: ReportAnswer = await self.do(reports.take, report)
        return answer

    async def start(
        self, uid: str, charger_id: str = "CP1", connector: int = 1, meter: int = 0, **more: Any
    ) -> Started:
        """Report a start now."""
        report = reporting.begin((charger_id, connector), uid, meter, self.clock.at, **more)
        return self.started(await self.tell(report))

    @staticmethod
    def started(answer: ReportAnswer) -> Started:
        """Return what a begin is always answered."""
        assert answer.session_id is not None
        assert answer.reference is not None
        assert answer.verdict is not None
        return Started(answer.session_id, answer.reference, answer.verdict)

    async def meter(
        self, started: Started, register: int | None, power: int | None = None, charger_id: str = "CP1"
    ) -> None:
        """Report a reading now."""
        reading = Reading(self.clock.at, register, power)
        await self.tell(reporting.readings((charger_id, 1), started.reference, (reading,)))

    async def stop(
        self, started: Started, meter: int | None, charger_id: str = "CP1", **more: Any
    ) -> ReportAnswer:
        """Report the end now."""
        return await self.tell(reporting.end(charger_id, started.reference, meter, self.clock.at, **more))

    async def session(self, session_id: int) -> SessionView:
        """Look at a session."""
        return await self.store.read(sessions.get, session_id)

    async def wallet(self, wallet_id: int) -> Wallet:
        """Look at a wallet."""
        return await self.store.read(wallets.get, wallet_id)

    async def faults(self) -> list[str]:
        """Count the books again."""
        return (await self.store.read(verify.verify)).faults


def _next_look(tx: Tx) -> datetime | None:
    looks = (one.exhausts for one in session_rows.active(tx) if one.stop_wanted is None)
    return min((from_millis(look) for look in looks if look is not None), default=None)


def _stops_wanted(tx: Tx) -> int:
    return sum(1 for one in session_rows.active(tx) if one.stop_wanted is not None)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A new installation with a default tariff: start fee 300 Ft, 149 Ft/kWh, 10 Ft per idle minute after 10."""
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    clock, bus = ManualClock(BEGIN), Bus()
    store = await Database.open(
        folder.database, keys.unlock(folder), clock=clock, bus=bus, settings=SiteSettings()
    )
    tariff = simple_tariff(
        "Standard",
        "HUF",
        start_fee="300",
        per_kwh="149",
        idle_per_minute="10",
        idle_grace_minutes=10,
        vat_percent="27",
        timezone="Europe/Budapest",
    )
    made = House(store, clock, bus=bus)
    tariff_id = await made.do(tariffs.create, tariff)
    await made.do(tariffs.make_default, getattr(tariff_id, "id", tariff_id))
    for number in range(10):
        await made.do(inventory.create, NewCharger(f"CP{number}", security_profile=0))
    yield made
    await store.close()
