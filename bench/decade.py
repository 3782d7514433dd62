"""The life of a site, told through the services that tell it every day, with the time moved along.

So whatever the product writes is in the file: sessions with their readings, entries in their chain, statuses,
connections, and the raw messages of the last month.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from onprem_csms.db.chargers.message_log import Message
from onprem_csms.demo.history import History, Spot
from onprem_csms.demo.outlet import Socket
from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.chargers import Boot, NewCharger
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report, ReportAnswer
from onprem_csms.domain.charging.sessions import AuthorizeRequest, Reading
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.services.cards import balances, cards, people
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.cards.people import NewPerson
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import authorization, reports
from onprem_csms.services.core.context import Tx
from onprem_csms.services.money import tariffs
from onprem_csms.services.money.wallets import TopUp

CHARGERS, CONNECTORS, PEOPLE = 40, 2, 800
SESSIONS_A_YEAR = 80_000
READINGS, STEP = 6, timedelta(minutes=15)
PERSONAL_ONE_IN = 10
TOP_UP, LOW = 20_000, 6_000
SOCKET = Socket("ac", 22_000)
_GAP_H = CHARGERS * CONNECTORS * 365.25 * 24 / SESSIONS_A_YEAR - 1.6
"""Between two sessions of a connector, in the middle; a session takes 1.6 hours with plugging in and out."""


@dataclass(slots=True)
class Life:
    """What is told: who has how much money, what chargers said, how many sessions ended."""

    random: Random
    messages_from: datetime
    wallets: dict[str, int] = field(default_factory=dict)
    money: dict[str, int] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)
    sessions: int = 0
    top_ups: int = 0

    def say(self, charger_id: str, at: datetime, call: str, answer: str = "{}") -> None:
        """Keep a message and its answer, if they are young enough to be kept."""
        if at < self.messages_from:
            return
        number = len(self.said)
        self.said.append(Message(charger_id, at, "in", f'[2,"{number}",{call}]'.encode()))
        self.said.append(Message(charger_id, at, "out", f'[3,"{number}",{answer}]'.encode()))


def build(tx: Tx, life: Life) -> None:
    """Make the site: prices, chargers, people with a card each, most of them paying before."""
    prices = simple_tariff(
        "Site",
        "HUF",
        start_fee="50",
        per_kwh="149",
        idle_per_minute="10",
        idle_grace_minutes=30,
        vat_percent="27",
        timezone="Europe/Budapest",
    )
    tariffs.create(tx, prices, is_default=True)
    for number in range(CHARGERS):
        inventory.create(
            tx, NewCharger(name_of(number), f"Row {number // 8}", security_profile=0, max_power_w=22_000)
        )
        for connector in range(1, CONNECTORS + 1):
            inventory.ensure_connector(tx, name_of(number), Place(0, connector))
    for number in range(PEOPLE):
        _welcome(tx, life, number)


def _welcome(tx: Tx, life: Life, number: int) -> None:
    uid = f"04{number:012X}"
    person = people.create(tx, NewPerson(f"Person {number}"))
    kind: Literal["personal", "prepaid"] = "personal" if number % PERSONAL_ONE_IN == 0 else "prepaid"
    card = cards.create(tx, NewCard(uid, kind, person_id=person.id))
    life.free.append(uid)
    if card.wallet is not None:
        life.wallets[uid] = card.wallet.id
        life.money[uid] = 0


def name_of(number: int) -> str:
    """A charger's identity."""
    return f"CP{number:02d}"


def history(life: Life, began: datetime, until: datetime) -> History:
    """Every connector's story, and the connection's of every charger."""
    told = History(life.random, ZoneInfo("Europe/Budapest"), [])
    for number in range(CHARGERS):
        boot = Boot(name_of(number), "Maker", "M1", f"SN{number}", "1.0", {})
        told.add(began, told.connection(boot, until))
        for connector in range(1, CONNECTORS + 1):
            spot = Spot(name_of(number), connector, SOCKET, float(life.random.randrange(10**6)))
            told.add(began + timedelta(minutes=1), _days(told, life, spot))
    return told


def _days(told: History, life: Life, spot: Spot) -> Iterator[datetime]:
    told.become(spot, "available")
    while True:
        yield told.tx.now + timedelta(hours=life.random.uniform(0.1, 2 * _GAP_H - 0.1))
        uid = life.free.pop(life.random.randrange(len(life.free)))
        yield from _visit(told, life, spot, uid)
        life.free.append(uid)


def _visit(told: History, life: Life, spot: Spot, uid: str) -> Iterator[datetime]:
    _refill(told.tx, life, uid)
    _become(told, life, spot, "preparing")
    authorization.authorize(told.tx, AuthorizeRequest(spot.charger_id, uid))
    life.say(
        spot.charger_id,
        told.tx.now,
        f'"Authorize",{{"idTag":"{uid}"}}',
        '{"idTagInfo":{"status":"Accepted"}}',
    )
    yield told.tx.now + timedelta(seconds=20)
    begin = Report(
        spot.charger_id,
        "begin",
        None,
        Place(0, spot.number),
        told.tx.now,
        token=Token(uid),
        register_wh=int(spot.register_wh),
    )
    answer = reports.take(told.tx, begin)
    assert answer.verdict is not None
    assert answer.verdict.status == "accepted", answer
    _become(told, life, spot, "charging")
    yield from _flow(told, life, spot, answer)
    end = Report(
        spot.charger_id,
        "end",
        answer.reference,
        None,
        told.tx.now,
        register_wh=int(spot.register_wh),
        reason="local",
    )
    answer = reports.take(told.tx, end)
    _tell_end(told, life, spot, answer)
    life.sessions += 1
    if uid in life.money:
        life.money[uid] -= answer.cost or 0
    _become(told, life, spot, "available")


def _flow(told: History, life: Life, spot: Spot, begun: ReportAnswer) -> Iterator[datetime]:
    power = life.random.choice((3_600, 7_200, 11_000, 11_000, 22_000))
    for _ in range(READINGS):
        yield told.tx.now + STEP
        spot.register_wh += power * STEP.total_seconds() / 3600
        at, register = told.tx.now, int(spot.register_wh)
        reading = Reading(at, register, power)
        update = Report(
            spot.charger_id, "update", begun.reference, Place(0, spot.number), at, readings=(reading,)
        )
        reports.take(told.tx, update)
        life.say(spot.charger_id, at, _meter_values(spot, begun.reference, reading))


def _meter_values(spot: Spot, reference: str | None, reading: Reading) -> str:
    return (
        f'"MeterValues",{{"connectorId":{spot.number},"transactionId":{reference},"meterValue":[{{"timestamp":'
        f'"{reading.at.isoformat()}","sampledValue":[{{"value":"{reading.energy_wh}","measurand":'
        '"Energy.Active.Import.Register","unit":"Wh"},{"value":"'
        f'{reading.power_w}","measurand":"Power.Active.Import","unit":"W"}}]}}]}}'
    )


def _tell_end(told: History, life: Life, spot: Spot, answer: ReportAnswer) -> None:
    stop = f'{{"transactionId":{answer.reference},"meterStop":{int(spot.register_wh)},"timestamp":'
    life.say(spot.charger_id, told.tx.now, f'"StopTransaction",{stop}"{told.tx.now.isoformat()}"}}')


def _become(told: History, life: Life, spot: Spot, status: str) -> None:
    told.become(spot, status)  # type: ignore[arg-type]
    word = f'{{"connectorId":{spot.number},"errorCode":"NoError","status":"{status.title()}"}}'
    life.say(spot.charger_id, told.tx.now, f'"StatusNotification",{word}')


def _refill(tx: Tx, life: Life, uid: str) -> None:
    if life.money.get(uid, LOW) >= LOW:
        return
    life.top_ups += 1
    balances.top_up(tx, TopUp(life.wallets[uid], TOP_UP, f"desk:{life.top_ups}"))
    life.money[uid] += TOP_UP
