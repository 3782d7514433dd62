"""What the writer remembers between writes never hides a change."""

from datetime import timedelta

import pytest

from onprem_csms.clock import to_text
from onprem_csms.db.chargers import chargers
from onprem_csms.db.charging import orders
from onprem_csms.db.charging import sessions as rows
from onprem_csms.domain.chargers.chargers import ChargerChange, ConnectorChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import AuthorizeRequest
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.services.cards import cards, people
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.cards.people import NewPerson
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import authorization, reports
from onprem_csms.services.core.context import Tx
from onprem_csms.services.money import ledger, tariffs, wallets
from onprem_csms.services.money.ledger import EntryFilter
from onprem_csms.services.money.wallets import TopUp
from tests import reporting
from tests.services.conftest import House


async def verdict(house: House, uid: str) -> str:
    answer = await house.do(authorization.authorize, AuthorizeRequest("CP1", uid))
    status: str = answer.status
    return status


async def test_a_card_is_judged_by_its_present_state(house: House) -> None:
    await house.prepaid_card("04A1", 5_000)
    assert await verdict(house, "04A1") == "accepted"
    await house.do(cards.block, "04A1", "lost")
    assert await verdict(house, "04A1") == "blocked"
    await house.do(cards.unblock, "04A1")
    assert await verdict(house, "04A1") == "accepted"
    await house.do(cards.change, "04A1", {"expires_at": house.clock.at - timedelta(days=1)})
    assert await verdict(house, "04A1") == "expired"
    await house.do(cards.archive, "04A1")
    assert await verdict(house, "04A1") == "invalid"
    await house.do(cards.create, NewCard("04A1", "personal"))
    assert await verdict(house, "04A1") == "accepted"


async def test_a_card_shows_its_holder_s_present_name(house: House) -> None:
    person = await house.do(people.create, NewPerson("Kiss Anna"))
    await house.do(cards.create, NewCard("04A1", "personal", person_id=person.id))
    assert (await house.do(cards.get, "04A1")).person_name == "Kiss Anna"
    await house.do(people.change, person.id, {"name": "Nagy Anna"})
    assert (await house.do(cards.get, "04A1")).person_name == "Nagy Anna"


async def test_a_session_begins_with_the_tariff_that_holds_now(house: House) -> None:
    await house.prepaid_card("04A1", 50_000)

    async def name_at_start() -> str:
        house.later(60)
        started = await house.start("04A1")
        session = await house.session(started.session_id)
        await house.stop(started, 0)
        assert session.tariff is not None
        return session.tariff.name

    assert await name_at_start() == "Standard"
    other = await house.do(tariffs.create, simple_tariff("Other", "HUF", per_kwh="100"))
    await house.do(inventory.update, "CP1", ChargerChange(tariff_id=other.id))
    assert await name_at_start() == "Other"
    await house.do(tariffs.change, other.id, simple_tariff("Changed", "HUF", per_kwh="90"))
    assert await name_at_start() == "Changed"
    third = await house.do(tariffs.create, simple_tariff("Third", "HUF", per_kwh="80"))
    await house.do(inventory.ensure_connector, "CP1", Place(0, 1))
    await house.do(inventory.update_connector, "CP1", Place(0, 1), ConnectorChange(tariff_id=third.id))
    assert await name_at_start() == "Third"
    await house.do(inventory.update_connector, "CP1", Place(0, 1), ConnectorChange(tariff_id=None))
    await house.do(inventory.update, "CP1", ChargerChange(tariff_id=None))
    await house.do(tariffs.make_default, third.id)
    assert await name_at_start() == "Third"


async def test_the_chain_goes_on_from_its_last_entry_after_a_write_that_failed(house: House) -> None:
    wallet_id = await house.prepaid_card("04A1", 5_000)

    def book_and_fail(tx: Tx) -> None:
        wallets.top_up(tx, TopUp(wallet_id, 100, "never"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await house.do(book_and_fail)
    await house.top_up(wallet_id, 700)
    assert (await house.wallet(wallet_id)).balance == 5_700
    assert len(await house.store.read(ledger.entries, EntryFilter(wallet_id=wallet_id))) == 2
    assert await house.faults() == []


def as_stored(tx: Tx, card_id: int) -> list[object]:
    """What the writer remembers of a charger's and a card's sessions, or what a reader finds."""
    span = rows.begun_about(tx, "CP1", 0, 2**60)
    return [
        list(rows.newest_of(tx, "CP1")),
        list(rows.begun_about(tx, "CP1", 0, 2**60, last=True))[: rows.NEWEST],
        [(one.id, one.state, one.review) for one in span],
        sorted(one.id for one in rows.active_of_card(tx, card_id)),
        chargers.max_power(tx, "CP1"),
    ]


async def test_what_is_remembered_of_sessions_is_what_is_stored(house: House) -> None:
    await house.prepaid_card("04A1", 90_000)
    card_id = (await house.do(cards.get, "04A1")).id

    async def same() -> None:
        assert await house.do(as_stored, card_id) == await house.store.read(as_stored, card_id)

    await same()
    begun = []
    for number in range(rows.NEWEST + 3):
        house.later(30)
        started = await house.start("04A1", meter=200 * number)
        begun.append(started)
        await same()
        await house.meter(started, 200 * number + 150)
        await same()
        await house.stop(started, 200 * number + 200)
        await same()
    await house.stop(begun[-1], 999_999)  # flagged after its end
    report = reporting.begin(("CP1", 2), "04B2", 0, house.clock.at - timedelta(hours=2))
    await house.tell(report)  # a backlog, older than the newest
    await house.do(inventory.update, "CP1", ChargerChange(max_power_w=7_000))
    await same()


async def test_a_start_that_failed_is_not_remembered(house: House) -> None:
    await house.prepaid_card("04A1", 5_000)
    card_id = (await house.do(cards.get, "04A1")).id
    await house.stop(await house.start("04A1"), 200)
    house.later(600)

    def begin_and_fail(tx: Tx) -> None:
        reports.take(tx, reporting.begin(("CP1", 1), "04A1", 200, house.clock.at))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await house.do(begin_and_fail)
    assert await house.do(as_stored, card_id) == await house.store.read(as_stored, card_id)
    assert (await house.start("04A1", meter=200)).verdict.status == "accepted"


async def test_an_order_of_a_card_that_never_ordered_is_found(house: House) -> None:
    wallet_id = await house.prepaid_card("04A1", 5_000)
    card_id = (await house.do(cards.get, "04A1")).id
    assert await house.do(orders.open_for, "CP1", card_id) is None
    order = {
        "id": "o1",
        "idempotency_key": "k1",
        "charger_id": "CP1",
        "evse": 0,
        "connector": 1,
        "uid": "04A1",
        "card_id": card_id,
        "wallet_id": wallet_id,
        "amount": 1_000,
        "status": "held",
        "created_at": to_text(house.clock.at),
        "expires_at": to_text(house.clock.at + timedelta(minutes=2)),
    }
    await house.do(orders.insert, order)
    found = await house.do(orders.open_for, "CP1", card_id)
    assert found is not None
    assert found.id == "o1"
