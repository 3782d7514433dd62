"""What chargers that choose their own references report: in any order, twice, without a begin, without a place."""

from dataclasses import replace
from datetime import timedelta

from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.services.charging import review, sessions
from onprem_csms.services.charging.sessions import SessionFilter
from tests.services.conftest import BEGIN, House

CARD = "04AABBCCDD"


def report(step: str, minute: int, register: int | None = None, **more: object) -> Report:
    at = BEGIN + timedelta(minutes=minute)
    readings = () if register is None else (Reading(at, register),)
    told = Report("CP1", step, "tx-1", None, at, readings=readings, own_reference=True)  # type: ignore[arg-type]
    return replace(told, **more)  # type: ignore[arg-type]


async def test_a_begin_without_a_card_waits_for_it_and_the_bill_begins_with_the_card(house: House) -> None:
    wallet_id = await house.prepaid_card(CARD, 5000)
    begun = await house.tell(report("begin", 0, 1000, place=Place(1, 1)))
    assert begun.reference == "tx-1"
    house.later(3600)
    shown = await house.tell(report("update", 60, 1000, token=Token(CARD)))
    assert shown.verdict is not None
    assert (shown.verdict.status, shown.limit) == ("accepted", 5000)
    assert (await house.wallet(wallet_id)).held == 5000
    house.later(3600)
    await house.tell(report("end", 120, 8000))
    session = await house.session(begun.session_id or 0)
    assert (session.began_at, session.energy_wh) == (BEGIN + timedelta(minutes=60), 7000)
    assert (await house.wallet(wallet_id)).balance == 5000 - 300 - 1043
    assert await house.faults() == []


async def test_a_begin_told_twice_is_one_session_and_an_end_told_twice_is_booked_once(house: House) -> None:
    wallet_id = await house.prepaid_card(CARD, 5000)
    for _ in range(2):
        await house.tell(report("begin", 0, 1000, place=Place(1, 1), token=Token(CARD)))
    house.later(3600)
    for _ in range(2):
        await house.tell(report("end", 60, 8000))
    await house.tell(report("update", 61, 8000))
    assert len(await house.store.read(sessions.find, SessionFilter())) == 1
    assert (await house.wallet(wallet_id)).balance == 5000 - 300 - 1043
    assert await house.faults() == []


async def test_an_end_whose_begin_was_lost_is_a_session_of_its_own(house: House) -> None:
    house.later(3600)
    ended = await house.tell(report("end", 60, 8000, place=Place(1, 1)))
    session = await house.session(ended.session_id or 0)
    assert (session.state, session.energy_wh) == ("ended", 0)
    assert "never_begun" in [item.kind for item in await house.store.read(review.find)]
    assert await house.faults() == []
