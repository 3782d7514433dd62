"""Two sessions at once on one balance, in random order with top-ups and stops: never more is spent than there is."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import reports
from onprem_csms.services.money import holds, wallets
from onprem_csms.services.money.wallets import TopUp
from onprem_csms.services.site import verify
from tests import reporting
from tests.services.conftest import BEGIN, House

WORLDS = 400
CHUNKS = 4
MINUTES = 50
WH_A_MINUTE = 183  # 11 kW


@dataclass
class Car:
    """A car at its charger, with its session."""

    charger_id: str
    uid: str
    reference: str = ""
    session_id: int = 0
    register: int = 0
    ended: bool = False


class Company:
    """Two cars of one company that pay from one balance."""

    def __init__(self, tx: Tx, seed: int) -> None:
        self.tx, self.random, self.paid = tx, random.Random(seed), 0
        self.seed = seed
        self.cars = [Car(f"Y{seed}-{n}", f"05{seed:08X}{n:04X}") for n in range(2)]
        first = cards.create(tx, NewCard(uid=self.cars[0].uid, kind="prepaid"))
        assert first.wallet is not None
        self.wallet_id = first.wallet.id
        cards.create(tx, NewCard(uid=self.cars[1].uid, kind="prepaid", wallet_id=self.wallet_id))
        holds.set_policy(tx, self.wallet_id, "as_needed")
        for car in self.cars:
            inventory.create(tx, NewCharger(car.charger_id, security_profile=0))
        self.top_up(self.random.randint(700, 6_000))

    def top_up(self, amount: int) -> None:
        self.paid += amount
        wallets.top_up(self.tx, TopUp(self.wallet_id, amount, f"two-{self.seed}-{self.paid}"))

    def begin(self, car: Car, at: datetime) -> None:
        answer = reports.take(self.tx, reporting.begin((car.charger_id, 1), car.uid, 0, at))
        assert answer.session_id is not None
        assert answer.verdict is not None
        car.reference, car.session_id = answer.reference or "", answer.session_id
        car.ended = answer.verdict.status != "accepted"
        if car.ended:
            self.end(car, at)

    def go_on(self, car: Car, at: datetime) -> None:
        """Draw a minute's energy and say so; stop at once where that is wanted, or by itself."""
        car.register += WH_A_MINUTE
        reading = Reading(at, car.register, 60 * WH_A_MINUTE)
        place = (car.charger_id, 1)
        for _ in range(self.random.choice((1, 1, 2))):
            reports.take(self.tx, reporting.readings(place, car.reference, (reading,)))
        row = session_rows.get(self.tx, car.session_id)
        assert row is not None
        if row.stop_wanted or self.random.random() < 0.02:
            self.end(car, at)

    def end(self, car: Car, at: datetime) -> None:
        car.ended = True
        for _ in range(self.random.choice((1, 2))):
            reports.take(self.tx, reporting.end(car.charger_id, car.reference, car.register, at, car.uid))

    def check(self) -> None:
        found = wallets.get(self.tx, self.wallet_id)
        assert 0 <= found.held <= found.balance, f"seed {self.seed}"

    def live(self) -> None:
        starts = [self.random.randint(0, 15) for _ in self.cars]
        for minute in range(MINUTES):
            at = BEGIN + timedelta(minutes=minute)
            if self.random.random() < 0.05:
                self.top_up(self.random.randint(1, 2_000))
            for car, start in self.random.sample(list(zip(self.cars, starts, strict=True)), 2):
                if minute == start:
                    self.begin(car, at)
                elif minute > start and not car.ended:
                    self.go_on(car, at)
                self.check()
        for car in self.cars:
            if not car.ended:
                self.end(car, BEGIN + timedelta(minutes=MINUTES))
        self.settled()

    def settled(self) -> None:
        rows = [session_rows.get(self.tx, car.session_id) for car in self.cars]
        spent = sum(row.cost for row in rows if row is not None)
        found = wallets.get(self.tx, self.wallet_id)
        assert (found.held, found.balance) == (0, self.paid - spent), f"seed {self.seed}"
        assert found.balance >= 0, f"seed {self.seed}"


def _live(tx: Tx, seed: int) -> None:
    Company(tx, seed).live()


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_two_sessions_at_once_never_overspend_their_balance(house: House, chunk: int) -> None:
    house.clock.at = BEGIN + timedelta(hours=1)
    each = WORLDS // CHUNKS
    for seed in range(chunk * each, (chunk + 1) * each):
        await house.do(_live, seed)
    assert await house.faults() == []
    assert (await house.store.read(verify.verify)).sessions > each
