"""The month before the demo: the same services, called with the time moved along.

Each charger and each connector has a story: a generator that yields the moment at which it goes on.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from onprem_csms.clock import to_text
from onprem_csms.demo.car import Car, arriving_car
from onprem_csms.demo.outlet import Socket
from onprem_csms.demo.till import top_up
from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.chargers import Boot, ConnectorStatus, StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import AuthorizeRequest, Reading, StopReason
from onprem_csms.services.cards import cards
from onprem_csms.services.charging import authorization, presence, reports, sessions
from onprem_csms.services.core.context import Tx
from onprem_csms.services.money.wallets import TopUp

Story = Iterator[datetime]
_STEP = {"ac": timedelta(minutes=10), "dc": timedelta(minutes=2)}
_FALLS_ONCE_IN = 120
_GAP_H = {"ac": (0.5, 12.0), "dc": (0.3, 8.0)}


@dataclass(slots=True)
class Spot:
    """A connector with its register in Wh."""

    charger_id: str
    number: int
    socket: Socket
    register_wh: float


@dataclass(slots=True)
class History:
    """What happened, told in the order of time. ``tx`` is the transaction that is being told in."""

    random: Random
    timezone: ZoneInfo
    cards: list[str]
    over: bool = False
    _waiting: list[tuple[datetime, int, Story]] = field(default_factory=list)
    _told: int = 0
    _tx: Tx | None = None

    @property
    def tx(self) -> Tx:
        """The transaction; its ``now`` is the moment that is told."""
        assert self._tx is not None  # noqa: S101 - stories are told inside ``tell`` only
        return self._tx

    def add(self, at: datetime, story: Story) -> None:
        """Let a story begin at a moment."""
        self._told += 1
        heapq.heappush(self._waiting, (at, self._told, story))

    def tell(self, tx: Tx, until: datetime) -> None:
        """Tell what happened until a moment; the transaction's own time is put back afterwards."""
        self._tx = tx
        with moved(tx, tx.now):
            while self._waiting and self._waiting[0][0] < until:
                at, _, story = heapq.heappop(self._waiting)
                self._go_on(at, story)

    def finish(self, tx: Tx) -> None:
        """End every story now: running sessions stop, nobody comes any more."""
        self._tx, self.over = tx, True
        while self._waiting:
            _, _, story = heapq.heappop(self._waiting)
            self._go_on(tx.now, story)

    def _go_on(self, at: datetime, story: Story) -> None:
        _set_time(self.tx, at)
        following = next(story, None)
        if following is not None:
            self.add(max(at, following), story)

    # ------------------------------------------------------------------ the stories

    def connection(self, boot: Boot, until: datetime) -> Story:
        """A charger comes, is lost for a while now and then, and for good after ``until``."""
        presence.booted(self.tx, boot)
        while not self.over and self.tx.now < until:
            remote = f"192.168.10.{10 + sum(boot.charger_id.encode()) % 200}"
            interval = presence.connected(self.tx, boot.charger_id, "ocpp1.6", remote)
            yield self.tx.now + timedelta(hours=self.random.expovariate(1 / 60))
            presence.disconnected(self.tx, boot.charger_id, interval, "lost")
            if not self.over:
                yield self.tx.now + timedelta(minutes=self.random.uniform(0.5, 15))

    def days_of(self, spot: Spot, until: datetime) -> Story:
        """People come to a connector, one after the other, until a moment; now and then it is broken."""
        self.become(spot, "available")
        while not self.over and self.tx.now < until:
            yield self._next_visit(spot)
            if self.over:
                return
            if self.random.randrange(40) == 0:
                self.become(spot, "faulted", "GroundFailure")
                yield self.tx.now + timedelta(minutes=self.random.uniform(10, 90))
                self.become(spot, "available")
            elif self.cards:
                card = self.cards.pop(self.random.randrange(len(self.cards)))
                yield from self._visit(spot, card)
                self.cards.append(card)

    def _next_visit(self, spot: Spot) -> datetime:
        at = self.tx.now + timedelta(hours=self.random.uniform(*_GAP_H[spot.socket.current]))
        local = at.astimezone(self.timezone)
        if local.hour < 6 and spot.socket.current == "dc":
            at += timedelta(hours=6 - local.hour)
        return at

    def _visit(self, spot: Spot, uid: str) -> Story:
        self._refill(uid)
        self.become(spot, "preparing")
        request = AuthorizeRequest(spot.charger_id, uid)
        allowed = authorization.authorize(self.tx, request).status == "accepted"
        yield self.tx.now + timedelta(seconds=self.random.randrange(15, 60))
        if allowed and not self.over:
            yield from self._session(spot, uid, arriving_car(self.random, 1.0))
        self.become(spot, "available")

    def _session(self, spot: Spot, uid: str, car: Car) -> Story:
        begin = Report(
            spot.charger_id,
            "begin",
            None,
            Place(0, spot.number),
            self.tx.now,
            token=Token(uid),
            register_wh=int(spot.register_wh),
        )
        answer = reports.take(self.tx, begin)
        assert answer.session_id is not None  # noqa: S101 - a begin always has a session
        if answer.verdict is not None and answer.verdict.status == "accepted":
            self.become(spot, "charging")
            yield from self._flow(spot, answer.reference, car)
        view = sessions.get(self.tx, answer.session_id)
        reason: StopReason = "remote" if view.stop_wanted else "local"
        # Some meters show less at the end than a moment before.
        shown = int(spot.register_wh) - (1_400 if self.random.randrange(_FALLS_ONCE_IN) == 0 else 0)
        end = Report(
            spot.charger_id, "end", answer.reference, None, self.tx.now, register_wh=shown, reason=reason
        )
        reports.take(self.tx, end)
        self.become(spot, "finishing")
        yield self.tx.now + timedelta(minutes=2)

    def _flow(self, spot: Spot, reference: str | None, car: Car) -> Story:
        while not (car.full or self.over or self._must_stop(spot)):
            power, began = car.power_w(spot.socket.current, spot.socket.power_w), self.tx.now
            yield began + _STEP[spot.socket.current]
            energy = power * (self.tx.now - began).total_seconds() / 3600
            spot.register_wh += energy
            car.charge(energy)
            soc = round(car.soc * 100) if spot.socket.current == "dc" else None
            left = round(car.power_w(spot.socket.current, spot.socket.power_w))
            reading = Reading(self.tx.now, int(spot.register_wh), left, soc_percent=soc)
            place = Place(0, spot.number)
            update = Report(spot.charger_id, "update", reference, place, self.tx.now, readings=(reading,))
            reports.take(self.tx, update)
        if car.full and not self.over:
            self.become(spot, "suspended_vehicle")
            yield self.tx.now + timedelta(minutes=self.random.expovariate(1 / 12))

    def _must_stop(self, spot: Spot) -> bool:
        view = sessions.active_on(self.tx, spot.charger_id, Place(0, spot.number))
        return view is None or view.stop_wanted is not None

    def become(self, spot: Spot, status: ConnectorStatus, error: str = "") -> None:
        """Change the status of a connector."""
        change = StatusChange(spot.charger_id, Place(0, spot.number), status, self.tx.now, error)
        presence.status_changed(self.tx, change)

    def _refill(self, uid: str) -> None:
        """Most people come to the desk before their balance is gone."""
        wallet = cards.get(self.tx, uid).wallet
        if wallet is None or wallet.available > 9_000 or self.random.randrange(15) == 0:
            return
        amount = self.random.choice((5_000, 10_000, 15_000, 20_000, 20_000, 30_000))
        method: Literal["cash", "bank"] = "bank" if self.random.randrange(3) == 0 else "cash"
        key = f"demo:{uid}:{to_text(self.tx.now)}"
        top_up(self.tx, TopUp(wallet.id, amount, key, method=method))

    def once(self, work: Callable[[Tx], None]) -> Story:
        """Something happens once."""
        work(self.tx)
        yield from ()


@contextmanager
def moved(tx: Tx, at: datetime) -> Iterator[None]:
    """Let a transaction live at another time; its own comes back afterwards."""
    present = tx.now
    _set_time(tx, at)
    try:
        yield
    finally:
        _set_time(tx, present)


def _set_time(tx: Tx, at: datetime) -> None:
    tx.now, tx.now_text = at, to_text(at)
