"""The site that is measured: chargers with passwords, cards that pay before or later, a tariff of every price.

So a session goes through the whole of the business: verdict, hold, running cost, forecast, bill, ledger.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.wire import Identity
from onprem_csms.clock import SystemClock
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database, Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.events import Bus
from onprem_csms.ocpp.endpoint import server
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.rfid.station import Readers
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import NewOperator
from onprem_csms.services.cards import balances, cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.core.context import Context
from onprem_csms.services.money import tariffs
from onprem_csms.services.money.wallets import TopUp

BALANCE = 2_000_000
NAME, PASSWORD = "bench", "a password of the bench"
MAX_POWER_W = 300_000
CONFIG = """
[server]
host = "127.0.0.1"

[ocpp]
max_handshakes = 10000
set_readings = false

[log]
level = "warning"
"""


async def furnish(folder: Path, stations: int, cards: int, *, operator: bool = False) -> list[Identity]:
    """Make the site in ``folder``; the first ``cards`` stations have a prepaid and a personal card of their own."""
    (folder / "config.toml").write_text(CONFIG)
    data = DataFolder(folder / "data")
    keys.create(data)
    identities = [
        Identity(f"B{number:05d}", secrets.token_hex(10), f"04{number:012X}", f"05{number:012X}")
        for number in range(stations)
    ]
    async with opened(folder) as store:
        await store.write(_tariff)
        for first in range(0, stations, 500):
            await store.write(_chargers, identities[first : first + 500])
        for first in range(0, cards, 500):
            await store.write(_cards, identities[first : min(first + 500, cards)])
        if operator:
            await operators.add(context(store), NewOperator(NAME, PASSWORD))
    return identities


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Database]:
    """The store of the site in ``folder``."""
    data = DataFolder(folder / "data")
    store = await Database.open(data.database, keys.unlock(data))
    try:
        yield store
    finally:
        await store.close()


def context(store: Database) -> Context:
    """What services want that do more than one transaction; nothing of it listens."""
    bus, clock = Bus(), SystemClock()
    return Context(store, bus, clock, store.settings, server.stations(Options()), Readers((), bus, clock))


def _tariff(tx: Tx) -> None:
    prices = simple_tariff(
        "Bench",
        "HUF",
        start_fee="20",
        per_kwh="149",
        per_minute="2",
        idle_per_minute="10",
        idle_grace_minutes=10,
        vat_percent="27",
        timezone="Europe/Budapest",
    )
    tariffs.create(tx, prices, is_default=True)


def _chargers(tx: Tx, identities: list[Identity]) -> None:
    for station in identities:
        inventory.create(tx, NewCharger(station.id, password=station.password, max_power_w=MAX_POWER_W))


def _cards(tx: Tx, identities: list[Identity]) -> None:
    for station in identities:
        cards.create(tx, NewCard(station.personal, "personal"))
        card = cards.create(tx, NewCard(station.prepaid, "prepaid", currency="HUF"))
        assert card.wallet is not None
        balances.top_up(tx, TopUp(card.wallet.id, BALANCE, f"bench:{station.prepaid}"))
