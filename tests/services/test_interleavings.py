"""Random interleavings of duplicates, replays, reorderings and reboots against a simple model.

Each interleaving is a history that truly happened at a few chargers; its messages are then delivered
the way networks and chargers do it. Whatever the order, the books must say what truly happened.
"""

import os
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from onprem_csms.clock import to_text
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.domain.money.money import round_half_up
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import ending, reports, sessions
from onprem_csms.services.charging.sessions import SessionFilter
from onprem_csms.services.money import wallets
from onprem_csms.services.money.wallets import TopUp
from onprem_csms.services.site import verify
from tests import reporting
from tests.services.conftest import BEGIN, House

INTERLEAVINGS = int(os.environ.get("INTERLEAVINGS", "10_000"))
CHUNKS = 20


@dataclass
class Truth:
    """A session that truly happened: its card, its registers at its moments."""

    charger_id: str
    uid: str
    begin: datetime
    registers: list[tuple[datetime, int]]
    transaction_id: str = ""
    session_id: int = 0
    stopped: bool = False

    @property
    def energy(self) -> int:
        return self.registers[-1][1] - self.registers[0][1]

    @property
    def cost(self) -> int:
        return 300 + round_half_up(Fraction(149 * self.energy, 1000))


@dataclass
class Card:
    """A card of the model: what was paid in, once for each top-up."""

    uid: str
    wallet_id: int = 0
    paid: dict[str, int] = field(default_factory=dict)


class World:
    """One interleaving: it delivers messages, and knows what must come out."""

    def __init__(self, tx: Tx, seed: int) -> None:
        self.tx = tx
        self.random = random.Random(seed)
        self.seed = seed
        self.truths: list[Truth] = []
        # Half of the chargers number EVSEs and choose their transactions' ids, as those of 2.x do.
        self.chooses_references = self.random.random() < 0.5
        inventory.create(tx, NewCharger(f"X{seed}", security_profile=0))
        self.cards = [self._card(n) for n in range(self.random.randint(1, 2))]

    def _card(self, number: int) -> Card:
        card = Card(f"04{self.seed:08X}{number:04X}")
        made = cards.create(self.tx, NewCard(uid=card.uid, kind="prepaid"))
        assert made.wallet is not None
        card.wallet_id = made.wallet.id
        return card

    def top_up(self, card: Card) -> None:
        key = f"{self.seed}-{card.uid}-{len(card.paid)}"
        card.paid[key] = self.random.randint(100_000, 200_000)
        for _ in range(self.random.choice((1, 1, 2, 3))):
            wallets.top_up(self.tx, TopUp(card.wallet_id, card.paid[key], key))

    def charge(self, card: Card) -> None:
        """A session from its start to its stop, delivered out of order, twice, or with the stop lost for a while."""
        truth = self._happen(card)
        self._start(truth)
        messages = [self._reading(truth, at, register) for at, register in truth.registers[1:-1]]
        messages += self.random.sample(messages, self.random.randint(0, len(messages)))
        self.random.shuffle(messages)
        late = [messages.pop() for _ in range(min(len(messages), self.random.randint(0, 2)))]
        for message in messages:
            reports.take(self.tx, message)
            if self.random.random() < 0.15:
                self._start(truth)
        if self.random.random() < 0.25:
            self._reboot(truth)
        for _ in range(self.random.choice((1, 1, 2))):
            self._stop(truth)
        for message in late:
            reports.take(self.tx, message)

    def _happen(self, card: Card) -> Truth:
        last = self.truths[-1] if self.truths else None
        begin = (last.registers[-1][0] if last else BEGIN) + timedelta(seconds=self.random.randint(301, 900))
        register = last.registers[-1][1] if last else self.random.randint(0, 10_000_000)
        moments, registers = begin, [(begin, register)]
        for _ in range(self.random.randint(2, 5)):
            moments += timedelta(seconds=self.random.randint(30, 900))
            register += self.random.randint(0, 3_000)
            registers.append((moments, register))
        truth = Truth(f"X{self.seed}", card.uid, begin, registers)
        self.truths.append(truth)
        return truth

    def _told(self, truth: Truth, report: Report) -> Report:
        """The report as a charger of this world's kind tells it."""
        if not self.chooses_references:
            return report
        number = self.truths.index(truth)
        sequence = self.random.randint(0, 9)
        reference = f"{self.seed}-{number}"
        place = None if report.step == "end" else Place(1, 1)
        return replace(report, reference=reference, own_reference=True, sequence=sequence, place=place)

    def _start(self, truth: Truth) -> None:
        place, register = (truth.charger_id, 1), truth.registers[0][1]
        begin = reporting.begin(place, truth.uid, register, truth.begin, told=to_text(truth.begin))
        answer = reports.take(self.tx, self._told(truth, begin))
        assert answer.reference is not None
        assert answer.session_id is not None
        assert truth.transaction_id in {"", answer.reference}, "a repeated start got another transaction"
        truth.transaction_id, truth.session_id = answer.reference, answer.session_id

    def _reading(self, truth: Truth, at: datetime, register: int) -> Report:
        told = reporting.readings((truth.charger_id, 1), truth.transaction_id, (Reading(at, register),))
        return self._told(truth, told)

    def _reboot(self, truth: Truth) -> None:
        """The charger restarts; its session is closed here, and the true end comes late."""
        from onprem_csms.db.charging import sessions as rows

        row = rows.get(self.tx, truth.session_id)
        assert row is not None
        ending.close(self.tx, row, "reboot")

    def _stop(self, truth: Truth) -> None:
        at, register = truth.registers[-1]
        late = timedelta(seconds=self.random.choice((0, 0, 7))) if truth.stopped else timedelta(0)
        end = reporting.end(truth.charger_id, truth.transaction_id, register, at + late, truth.uid)
        reports.take(self.tx, self._told(truth, end))
        truth.stopped = True

    def check(self) -> None:
        found = sessions.find(self.tx, SessionFilter(charger_id=f"X{self.seed}", limit=100))
        assert sorted((view.id, view.energy_wh, view.cost) for view in found) == sorted(
            (truth.session_id, truth.energy, truth.cost) for truth in self.truths
        ), f"seed {self.seed}"
        for card in self.cards:
            wallet = wallets.get(self.tx, card.wallet_id)
            spent = sum(truth.cost for truth in self.truths if truth.uid == card.uid)
            assert (wallet.balance, wallet.held) == (sum(card.paid.values()) - spent, 0), f"seed {self.seed}"


def _interleave(tx: Tx, seed: int) -> None:
    world = World(tx, seed)
    for card in world.cards:
        world.top_up(card)
    for _ in range(world.random.randint(1, 4)):
        card = world.random.choice(world.cards)
        if world.random.random() < 0.3:
            world.top_up(card)
        world.charge(card)
    world.check()


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_the_books_say_what_truly_happened_in_whatever_order_it_is_told(
    house: House, chunk: int
) -> None:
    house.clock.at = BEGIN + timedelta(hours=1)
    for seed in range(chunk * INTERLEAVINGS // CHUNKS, (chunk + 1) * INTERLEAVINGS // CHUNKS):
        await house.do(_interleave, seed)
    findings = await house.store.read(verify.verify)
    assert findings.faults == []
    assert findings.sessions >= INTERLEAVINGS // CHUNKS
