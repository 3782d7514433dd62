"""What the writer remembers between writes never hides a change."""

from datetime import timedelta

import pytest

from onprem_csms.domain.chargers.chargers import ChargerChange, ConnectorChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import AuthorizeRequest
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.services.cards import cards, people
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.cards.people import NewPerson
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import authorization
from onprem_csms.services.core.context import Tx
from onprem_csms.services.money import ledger, tariffs, wallets
from onprem_csms.services.money.ledger import EntryFilter
from onprem_csms.services.money.wallets import TopUp
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
