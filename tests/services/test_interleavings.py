"""Random interleavings of duplicates, replays, reorderings and reboots against a simple model.

Each interleaving is a history that truly happened at a charger with one or two connectors; its messages are delivered
the way networks and chargers do it, those of two sessions at once among each other, with statuses, orders and
top-ups in between. Whatever the order, the books must say what truly happened.

``INTERLEAVINGS`` says how many; an ordinary run plays a part of them.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from onprem_csms.clock import to_text
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import ConnectorStatus, NewCharger, StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.domain.money.money import round_half_up
from onprem_csms.errors import Conflict
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import ending, orders, presence, reports, sessions
from onprem_csms.services.charging.orders import OrderRequest
from onprem_csms.services.charging.sessions import SessionFilter
from onprem_csms.services.money import holds, wallets
from onprem_csms.services.money.wallets import TopUp
from onprem_csms.services.site import verify
from tests import reporting
from tests.services.conftest import BEGIN, House

INTERLEAVINGS = int(os.environ.get("INTERLEAVINGS", "1_000"))
CHUNKS = 20
ONE_FEE_WITHIN = timedelta(seconds=300)
FEW_WH = 100
# Those that change no price; one that says "available" in mid-session is wrong.
STATUSES: tuple[ConnectorStatus, ...] = (
    "charging",
    "charging",
    "suspended_charger",
    "preparing",
    "faulted",
    "available",
)


@dataclass
class Truth:
    """A session that truly happened: its card, its registers at its moments; ``fee`` is False for a continuation."""

    connector: int
    uid: str
    begin: datetime
    registers: list[tuple[datetime, int]]
    fee: bool
    transaction_id: str = ""
    session_id: int = 0
    accepted: bool = True
    stopped: bool = False

    @property
    def energy(self) -> int:
        return self.registers[-1][1] - self.registers[0][1]

    @property
    def cost(self) -> int:
        if not self.accepted:
            return 0
        return (300 if self.fee else 0) + round_half_up(Fraction(149 * self.energy, 1000))

    def refused(self) -> None:
        """The charger delivers nothing to a card that may not charge."""
        self.accepted = False
        self.registers = [(at, self.registers[0][1]) for at, _ in self.registers]


@dataclass
class Card:
    """A card of the model, and the wallet that pays for it."""

    uid: str
    id: int
    wallet_id: int


@dataclass
class World:
    """One interleaving: it delivers messages, and knows what must come out."""

    tx: Tx
    seed: int
    truths: list[Truth] = field(default_factory=list)
    paid: dict[int, list[int]] = field(default_factory=dict)
    cards: list[Card] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        # Half of the chargers number EVSEs and choose their transactions' ids, as those of 2.x do.
        self.chooses_references = self.random.random() < 0.5
        self.charger_id = f"X{self.seed}"
        inventory.create(self.tx, NewCharger(self.charger_id, security_profile=0))
        self.company = self.random.random() < 0.5
        for number in range(self.random.randint(1, 2)):
            self._card(number)
        for wallet_id in {card.wallet_id for card in self.cards}:
            holds.set_policy(self.tx, wallet_id, self.random.choice(("all", "as_needed", "as_needed")))
            self.top_up(wallet_id)

    def _card(self, number: int) -> None:
        uid = f"04{self.seed:08X}{number:04X}"
        shared = self.cards[0].wallet_id if self.cards and self.company else None
        made = cards.create(self.tx, NewCard(uid=uid, kind="prepaid", wallet_id=shared))
        assert made.wallet is not None
        self.cards.append(Card(uid, made.id, made.wallet.id))

    def place(self, connector: int) -> Place:
        return Place(connector, 1) if self.chooses_references else Place(0, connector)

    # ------------------------------------------------------------------ what happens besides

    def top_up(self, wallet_id: int) -> None:
        amounts = self.paid.setdefault(wallet_id, [])
        amounts.append(self.random.randint(100_000, 200_000))
        key = f"{self.seed}-{wallet_id}-{len(amounts)}"
        for _ in range(self.random.choice((1, 1, 2, 3))):
            wallets.top_up(self.tx, TopUp(wallet_id, amounts[-1], key))

    def status(self, connector: int, at: datetime) -> None:
        shown = StatusChange(self.charger_id, self.place(connector), self.random.choice(STATUSES), at)
        for _ in range(self.random.choice((1, 1, 2))):
            presence.status_changed(self.tx, shown)

    def order(self, card: Card, connector: int) -> str | None:
        """Order by phone; some think better of it. Where the card or the connector is in use, nothing happens."""
        inventory.ensure_connector(self.tx, self.charger_id, self.place(connector))
        slug = next(
            one.slug
            for one in inventory.get(self.tx, self.charger_id).connectors
            if one.place == self.place(connector)
        )
        assert slug is not None
        self.seen["orders"] += 1
        key = f"{self.seed}-{self.seen['orders']}"
        request = OrderRequest(slug, card.id, self.random.choice((None, 20_000)), key)
        try:
            order = orders._hold(self.tx, request, True)[0]
            if self.random.random() < 0.3:
                orders.cancel(self.tx, order.id)
                return None
        except Conflict:
            return None
        return order.id

    # ------------------------------------------------------------------ a session

    def charge(self, connector: int, card: Card) -> Iterator[None]:
        """A session from its start to its stop, delivered out of order, twice, or with the stop lost for a while."""
        order_id = self.order(card, connector) if self.random.random() < 0.3 else None
        yield
        truth = self._happen(connector, card)
        self._start(truth)
        yield
        messages = [self._reading(truth, at, register) for at, register in truth.registers[1:-1]]
        messages += self.random.sample(messages, self.random.randint(0, len(messages)))
        self.random.shuffle(messages)
        late = [messages.pop() for _ in range(min(len(messages), self.random.randint(0, 2)))]
        for message in messages:
            reports.take(self.tx, message)
            yield
            if self.random.random() < 0.15:
                self._start(truth)
            if self.random.random() < 0.15:
                self.status(connector, truth.registers[1][0])
        if self.random.random() < 0.25:
            self._reboot(truth)
            yield
        for _ in range(self.random.choice((1, 1, 2))):
            self._stop(truth)
            yield
        for message in late:
            reports.take(self.tx, message)
            yield
        if order_id is not None and orders.get(self.tx, order_id).session_id is not None:
            self.seen["ordered"] += 1

    def _happen(self, connector: int, card: Card) -> Truth:
        last = next((one for one in reversed(self.truths) if one.connector == connector), None)
        gap = self.random.choice((self.random.randint(2, 20), self.random.randint(2, 900)))
        begin = (last.registers[-1][0] if last else BEGIN) + timedelta(seconds=gap)
        register = last.registers[-1][1] if last else self.random.randint(0, 10_000_000)
        moments, registers = begin, [(begin, register)]
        pace, most = self.random.choice(((900, 3_000), (900, 3_000), (40, 30)))
        for _ in range(self.random.randint(2, 5)):
            moments += timedelta(seconds=self.random.randint(pace // 30, pace))
            register += self.random.randint(0, most)
            registers.append((moments, register))
        truth = Truth(connector, card.uid, begin, registers, fee=not self._continues(connector, card, begin))
        running = [one for one in self.truths if not one.stopped and one.accepted and one.session_id]
        self.seen["two at once"] += bool(running)
        self.seen["one fee"] += not truth.fee
        self.truths.append(truth)
        return truth

    def _continues(self, connector: int, card: Card, begin: datetime) -> bool:
        """Whether the card began here just before and was given next to nothing: the start fee is due once."""
        return any(
            one.uid == card.uid
            and one.connector == connector
            and one.accepted
            and one.energy < FEW_WH
            and begin - one.begin < ONE_FEE_WITHIN
            for one in self.truths
        )

    def _told(self, truth: Truth, report: Report) -> Report:
        """The report as a charger of this world's kind tells it."""
        if not self.chooses_references:
            return report
        number = self.truths.index(truth)
        sequence = self.random.randint(0, 9)
        reference = f"{self.seed}-{number}"
        place = None if report.step == "end" else self.place(truth.connector)
        return replace(report, reference=reference, own_reference=True, sequence=sequence, place=place)

    def _start(self, truth: Truth) -> None:
        place, register = (self.charger_id, truth.connector), truth.registers[0][1]
        begin = reporting.begin(place, truth.uid, register, truth.begin, told=to_text(truth.begin))
        answer = reports.take(self.tx, self._told(truth, begin))
        assert answer.reference is not None
        assert answer.session_id is not None
        assert answer.verdict is not None
        assert truth.transaction_id in {"", answer.reference}, "a repeated start got another transaction"
        truth.transaction_id, truth.session_id = answer.reference, answer.session_id
        if answer.verdict.status != "accepted":
            truth.refused()
            self.seen["refused"] += 1

    def _reading(self, truth: Truth, at: datetime, register: int) -> Report:
        place = (self.charger_id, truth.connector)
        told = reporting.readings(place, truth.transaction_id, (Reading(at, register),))
        return self._told(truth, told)

    def _reboot(self, truth: Truth) -> None:
        """The charger restarts; its session is closed here, and the true end comes late."""
        row = session_rows.get(self.tx, truth.session_id)
        assert row is not None
        ending.close(self.tx, row, "reboot")

    def _stop(self, truth: Truth) -> None:
        at, register = truth.registers[-1]
        late = timedelta(seconds=self.random.choice((0, 0, 7))) if truth.stopped else timedelta(0)
        end = reporting.end(self.charger_id, truth.transaction_id, register, at + late, truth.uid)
        reports.take(self.tx, self._told(truth, end))
        truth.stopped = True

    # ------------------------------------------------------------------ the whole

    def live(self) -> None:
        """Let one or two connectors work at once; what they tell comes in any order among each other."""
        at_work = [self._day(number) for number in range(1, self.random.randint(1, 2) + 1)]
        while at_work:
            one = self.random.choice(at_work)
            if next(one, self) is self:
                at_work.remove(one)
            if self.random.random() < 0.05:
                self.top_up(self.random.choice(self.cards).wallet_id)
            self.covered()

    def _day(self, connector: int) -> Iterator[None]:
        for _ in range(self.random.randint(1, 3)):
            yield from self.charge(connector, self.random.choice(self.cards))

    def covered(self) -> None:
        for wallet_id in self.paid:
            wallet = wallets.get(self.tx, wallet_id)
            assert 0 <= wallet.held <= wallet.balance, f"seed {self.seed}"

    def check(self) -> None:
        for order in self.tx.all(
            "SELECT id FROM orders WHERE charger_id = ? AND ended_at IS NULL", (self.charger_id,)
        ):
            if orders.get(self.tx, order[0]).session_id is None:
                orders.cancel(self.tx, order[0])
        found = sessions.find(self.tx, SessionFilter(charger_id=self.charger_id, limit=100))
        assert sorted((view.id, view.energy_wh, view.cost) for view in found) == sorted(
            (truth.session_id, truth.energy, truth.cost) for truth in self.truths
        ), f"seed {self.seed}"
        for wallet_id, amounts in self.paid.items():
            uids = {card.uid for card in self.cards if card.wallet_id == wallet_id}
            spent = sum(truth.cost for truth in self.truths if truth.uid in uids)
            wallet = wallets.get(self.tx, wallet_id)
            assert (wallet.balance, wallet.held) == (sum(amounts) - spent, 0), f"seed {self.seed}"


def _interleave(tx: Tx, seed: int) -> Counter[str]:
    world = World(tx, seed)
    world.live()
    world.check()
    return world.seen


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_the_books_say_what_truly_happened_in_whatever_order_it_is_told(
    house: House, chunk: int
) -> None:
    house.clock.at = BEGIN + timedelta(hours=1)
    seen: Counter[str] = Counter()
    for seed in range(chunk * INTERLEAVINGS // CHUNKS, (chunk + 1) * INTERLEAVINGS // CHUNKS):
        seen += await house.do(_interleave, seed)
    for kind in ("two at once", "one fee", "refused", "ordered"):
        assert seen[kind] or INTERLEAVINGS < 50 * CHUNKS, kind
    findings = await house.store.read(verify.verify)
    assert findings.faults == []
    assert findings.sessions >= INTERLEAVINGS // CHUNKS
