"""What a prepaid session costs beyond its balance, or leaves of it: every kind of charger, in fast time.

11, 22 and 150 kW; readings every 10, 60, 300 and 900 s; with power, the register alone, currents alone or none;
messages late or lost, clocks an hour slow or fast, a stop refused once, a contactor that closes and opens late, five
minutes offline. Each charger has two sessions: the second one knows what the first one taught.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bench.lockstep import OFFLINE, Case, Charger, SteppedClock
from onprem_csms import app
from onprem_csms.config import Config, Ocpp, Server
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.services.cards import balances, cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import sessions
from onprem_csms.services.money import tariffs, wallets
from onprem_csms.services.money.wallets import TopUp

WATTS = (11_000, 22_000, 150_000)
EVERY_S = (10, 60, 300, 900)
KINDS = ("power", "register", "currents", "none")
TROUBLES = (
    "-",
    "jitter",
    "loss",
    "slow clock",
    "fast clock",
    "refused stop",
    "late contactor",
    "offline 5 min",
)
PER_KWH, START_FEE = 149, 300
FIRST_S, LATER_S = 1_500, 2_700
MARK_S, MARK_PERCENT = 10, 2.0
DISOBEYS = ("refused stop",)
PAUSE_S = 30


@dataclass(frozen=True)
class Found:
    """What came of a session: what it cost beyond its balance (below zero: left), in Ft, and the balance."""

    case: Case
    round: int
    beyond: int
    balance: int

    @property
    def mark(self) -> float:
        """What ten seconds at full power cost."""
        return self.case.watts * MARK_S * PER_KWH / 3_600_000

    @property
    def missed(self) -> bool:
        """Tell whether it is above a mark; a charger that does not obey has none."""
        if self.case.trouble in DISOBEYS:
            return False
        return self.beyond > self.mark or (self.often and self.left_percent > MARK_PERCENT)

    @property
    def often(self) -> bool:
        """Tell whether readings that say something come each minute at least, none of them kept back for minutes."""
        return self.case.every_s <= 60 and self.case.kind != "none" and self.case.trouble != "offline 5 min"

    @property
    def left_percent(self) -> float:
        """The part of the balance that was left."""
        return max(0.0, -100 * self.beyond / self.balance)


def cases() -> list[Case]:
    """Every combination; a charger that sends nothing has no interval."""
    found = [Case(*one) for one in product(WATTS, EVERY_S, KINDS[:-1], TROUBLES)]
    return found + [Case(watts, 900, "none", trouble) for watts, trouble in product(WATTS, TROUBLES)]


async def run(folder: Path) -> None:
    """Play every case and print the table; ends with 1 where a mark is missed."""
    found = await play(folder, cases())
    table(found)
    missed = [one for one in found if one.missed]
    print(f"{len(found)} sessions, {len(missed)} beyond a mark: {'MISSED' if missed else 'reached'}")
    if missed:
        raise SystemExit(1)


async def play(
    folder: Path, wanted: Sequence[Case], lengths_s: tuple[int, int] = (FIRST_S, LATER_S)
) -> list[Found]:
    """Play two sessions of each case, whose money lasts so long at full power; returns what came of them."""
    data, clock = DataFolder(folder / "data"), SteppedClock()
    keys.create(data)
    config = Config(server=Server(host="127.0.0.1", port=0), ocpp=Ocpp(set_readings=False))
    session = ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=None))
    async with app.running(config, data, clock) as program, session as http:
        chargers = [
            Charger(f"P{number:04d}", "a password of the bench", f"04{number:012X}", case)
            for number, case in enumerate(wanted)
        ]
        await program.ctx.write(_furnish, chargers)
        playing = Playing(program, http, clock, chargers)
        return [one for number, length in enumerate(lengths_s) for one in await playing.round(number, length)]


def _furnish(tx: Tx, chargers: Iterable[Charger]) -> None:
    prices = simple_tariff(
        "Bench",
        "HUF",
        start_fee=str(START_FEE),
        per_kwh=str(PER_KWH),
        vat_percent="27",
        timezone="Europe/Budapest",
    )
    tariffs.create(tx, prices, is_default=True)
    for one in chargers:
        inventory.create(tx, NewCharger(one.id, password=one.password, max_power_w=one.case.watts))
        cards.create(tx, NewCard(one.card, "prepaid", currency="HUF"))


class Playing:
    """A running program and its chargers, moved second by second."""

    def __init__(
        self, program: app.Program, http: ClientSession, clock: SteppedClock, chargers: Sequence[Charger]
    ) -> None:
        self._program, self._http, self._clock, self._chargers = program, http, clock, chargers
        self._second = 0

    async def round(self, number: int, length_s: int) -> list[Found]:
        """Let every charger charge a card whose money lasts so long at full power."""
        ctx, balance = self._program.ctx, dict[str, int]()
        for one in self._chargers:
            wanted = START_FEE + one.case.watts * length_s * PER_KWH // 3_600_000
            balance[one.id] = await ctx.write(_fill, one.card, wanted, number)
        for one in self._chargers:
            if one.ws is None:
                await one.come(self._http, self._program.port)
        await self._all(one.call("BootNotification", _BOOT) for one in self._chargers)
        for _ in range(PAUSE_S):
            await self._pass_second()
        began = self._second
        await self._all(one.start() for one in self._chargers)
        while any(one.running for one in self._chargers) and self._second < began + 3 * length_s:
            await self._go_offline(self._second - began)
            await self._pass_second()
        return [
            Found(
                one.case,
                number + 1,
                await ctx.read(_cost, one.transaction) - balance[one.id],
                balance[one.id],
            )
            for one in self._chargers
        ]

    async def _pass_second(self) -> None:
        self._second += 1
        self._clock.at = self._clock.at.__class__.fromtimestamp(
            self._clock.at.timestamp() + 1, self._clock.at.tzinfo
        )
        said = [one.advance(self._second) for one in self._chargers]
        await self._all(words for words in said if words is not None)
        await self._program.supervisor.tick()
        await self._program.supervisor.settled()

    async def _go_offline(self, age: int) -> None:
        if age not in {OFFLINE.start, OFFLINE.stop}:
            return
        for one in self._chargers:
            if one.case.trouble == "offline 5 min" and one.running:
                await (one.leave() if age == OFFLINE.start else one.come(self._http, self._program.port))

    @staticmethod
    async def _all(works: Iterable[Any]) -> None:
        await asyncio.gather(*works)


_BOOT = {"chargePointVendor": "Bench", "chargePointModel": "Lockstep"}


def _fill(tx: Tx, uid: str, wanted: int, number: int) -> int:
    card = cards.get(tx, uid)
    assert card.wallet is not None
    wallet = wallets.get(tx, card.wallet.id)
    if wallet.balance < wanted:
        balances.top_up(tx, TopUp(wallet.id, wanted - wallet.balance, f"{uid}:{number}"))
    return wallets.get(tx, wallet.id).balance


def _cost(tx: Tx, transaction: int) -> int:
    id = session_rows.id_of(tx, str(transaction))
    return 0 if id is None else sessions.get(tx, id).cost


def table(found: Sequence[Found]) -> None:
    """Print the worst of each kind and trouble: beyond the balance and left of it, in Ft, in both rounds."""
    print("bill minus balance in Ft, of the first and the second session; below zero: left of the balance")
    print(f"{'kW':>4} {'every':>6} {'kind':9} {'trouble':15} {'first':>7} {'later':>7}   mark")
    for case in dict.fromkeys(one.case for one in found):
        first, later = (one for one in found if one.case == case)
        print(
            f"{case.watts // 1000:4} {case.every_s:5}s {case.kind:9} {case.trouble:15}"
            f" {first.beyond:7} {later.beyond:7}   {later.mark:.0f}"
            f"{'  MISSED' if first.missed or later.missed else ''}"
        )
