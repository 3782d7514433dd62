"""Prices change from a moment on, sessions keep theirs, and the nearest word says which tariff holds."""

from datetime import timedelta

import pytest

from onprem_csms.db.engine.connection import RuleError
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import ChargerChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.money.tariffs import Tariff, simple_tariff
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.services.cards import cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.chargers import inventory
from onprem_csms.services.money import tariffs
from onprem_csms.services.money.tariffs import Assignment, Payer, Subject
from tests.services.conftest import House

FIRST = Place(0, 1)


def priced(price: str, name: str = "Other") -> Tariff:
    return simple_tariff(name, "HUF", per_kwh=price)


async def name_for(house: House, payer: Payer = tariffs.ANYBODY, place: Place = FIRST) -> str:
    found = await house.do(tariffs.price_for, "CP1", place, payer)
    name: str = found.name
    return name


async def test_a_changed_price_is_a_new_version_and_the_former_can_still_be_read(house: House) -> None:
    first = await house.do(tariffs.create, priced("100"))
    house.later(60)
    second = await house.do(tariffs.change, first.id, priced("120"))
    assert (first.version, second.version) == (1, 2)
    assert (await house.do(tariffs.version, first.version_id)).tariff == priced("100")
    assert (await house.store.read(tariffs.version, second.version_id)).tariff == priced("120")
    assert (await house.do(tariffs.change, first.id, priced("120"))).version == 2, (
        "the same again is no change"
    )
    with pytest.raises(NotFound):
        await house.do(tariffs.version, 99)


async def test_no_version_is_ever_written_again(house: House) -> None:
    def cheaper(tx: Tx) -> None:
        tx.execute("UPDATE tariff_versions SET definition = '{}'")

    with pytest.raises(RuleError):
        await house.do(cheaper)
    with pytest.raises(RuleError):
        await house.do(lambda tx: tx.execute("DELETE FROM tariff_versions"))


async def test_a_price_for_later_holds_from_its_moment_on(house: House) -> None:
    stored = await house.do(
        tariffs.create,
        priced("100"),
    )
    await house.do(tariffs.make_default, stored.id)
    begin = house.clock.at + timedelta(hours=1)
    await house.do(tariffs.change, stored.id, priced("150", "Dearer"), begin)
    assert await name_for(house) == "Other"
    house.later(3599)
    assert await name_for(house) == "Other"
    house.later(1)
    assert await name_for(house) == "Dearer"
    assert [one.number for one in await house.store.read(tariffs.versions, stored.id)] == [1, 2]
    with pytest.raises(Invalid):
        await house.do(tariffs.change, stored.id, priced("1"), house.clock.at - timedelta(seconds=1))


async def test_the_nearest_assignment_holds(house: House) -> None:
    await house.do(inventory.ensure_connector, "CP1", Place(0, 1))
    payer = Payer(7, "FLEET")
    subjects = [
        Subject("site"),
        Subject("charger", "CP1"),
        Subject("connector", "CP1", 0, 1),
        Subject("group", "FLEET"),
        Subject("person", "7"),
    ]
    assert await name_for(house, payer) == "Standard"
    for subject in subjects:
        stored = await house.do(tariffs.create, priced("100", subject.scope))
        await house.do(tariffs.assign, Assignment(subject, stored.id, house.clock.at))
        assert await name_for(house, payer) == subject.scope
    assert await name_for(house) == "connector", "a stranger's person and group say nothing"
    assert await name_for(house, place=Place(1, 1)) == "charger"
    house.later(1)
    await house.do(tariffs.assign, Assignment(subjects[-1], None, house.clock.at))
    assert await name_for(house, payer) == "group"


async def test_a_group_of_drivers_charges_by_its_own_tariff(house: House) -> None:
    stored = await house.do(tariffs.create, priced("50", "Fleet"))
    await house.do(tariffs.assign, Assignment(Subject("group", "FLEET"), stored.id, house.clock.at))
    for uid, group in (("04A1", "FLEET"), ("04A2", None)):
        card = await house.do(cards.create, NewCard(uid=uid, kind="prepaid", group=group))
        await house.top_up(card.wallet.id, 5_000)
        started = await house.start(uid)
        house.later(3_600)
        await house.stop(started, 10_000)
        session = await house.session(started.session_id)
        assert session.cost == (500 if group else 1_790)
    assert await house.faults() == []


async def test_an_assignment_goes_before_the_charger_s_own_setting_from_its_day_on(house: House) -> None:
    own, dated = [await house.do(tariffs.create, priced("1", name)) for name in ("own", "dated")]
    await house.do(inventory.update, "CP1", ChargerChange(tariff_id=own.id))
    begin = house.clock.at + timedelta(days=1)
    await house.do(tariffs.assign, Assignment(Subject("charger", "CP1"), dated.id, begin))
    assert await name_for(house) == "own"
    with pytest.raises(Conflict, match="in use"):
        await house.do(tariffs.archive, dated.id)
    house.later(86_400)
    assert await name_for(house) == "dated"
    read = await house.store.read(tariffs.price_for, "CP1", FIRST)
    assert read is not None
    assert read.name == "dated"
    with pytest.raises(Invalid):
        await house.do(
            tariffs.assign, Assignment(Subject("site"), own.id, house.clock.at - timedelta(days=1))
        )
