"""The desk's bookings on a real store: whatever is sent twice, late or from two windows, money moves once."""

import asyncio
from dataclasses import replace

import pytest

from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.services.cards import people
from onprem_csms.services.cards.people import PersonFilter
from onprem_csms.services.core import audit
from onprem_csms.services.desk import cash_desk
from onprem_csms.services.desk.cash_desk import Blocking, DeskTopUp, IssueCard, Shown
from onprem_csms.services.site import verify
from tests.desk.site import ANNA, CLERK, NEW, OTHER, DeskSite

ISSUE = IssueCard(Shown(NEW, "key-1"), "prepaid", name="  Tóth   Éva ", amount=5_000, document="NY-77")


async def shown(site: DeskSite, uid: str = ANNA, key: str = "key") -> Shown:
    """What a form knows of a card that is shown now."""
    return Shown(uid, key, seen=(await site.ctx.read(cash_desk.show, uid)).seen)


async def test_an_issued_card_has_its_holder_its_balance_and_a_line_in_the_audit(site: DeskSite):
    booking = await site.at_desk.write(cash_desk.issue, ISSUE)
    assert (booking.card.person_name, booking.card.kind, booking.repeated) == ("Tóth Éva", "prepaid", False)
    assert booking.card.wallet is not None
    assert (booking.card.wallet.balance, booking.card.wallet.person_id) == (5_000, booking.card.person_id)
    lines = [(line.actor, line.action, line.subject) for line in await site.ctx.read(audit.find)]
    assert {(CLERK, "card.issue", NEW), (CLERK, "wallet.topup", str(booking.card.wallet.id))} <= set(lines)


async def test_the_form_of_a_new_card_sent_twice_makes_one_card_and_one_top_up(site: DeskSite):
    first, second = await asyncio.gather(*(site.at_desk.write(cash_desk.issue, ISSUE) for _ in range(2)))
    assert (first.repeated, second.repeated) == (False, True)
    assert first.receipt is not None
    assert second.receipt is not None
    assert first.receipt.entry_id == second.receipt.entry_id
    assert await site.balance(NEW) == 5_000
    assert len(await site.ctx.read(people.find, PersonFilter(text="Tóth Éva"))) == 1


async def test_a_card_that_another_window_has_issued_meanwhile_is_refused_and_nothing_is_booked(
    site: DeskSite,
):
    await site.at_desk.write(cash_desk.issue, ISSUE)
    with pytest.raises(Conflict):
        await site.at_desk.write(cash_desk.issue, replace(ISSUE, shown=Shown(NEW, "key-2"), name="Other"))
    assert await site.balance(NEW) == 5_000
    assert not await site.ctx.read(people.find, PersonFilter(text="Other"))


async def test_a_card_without_a_first_amount_sent_twice_is_refused_the_second_time(site: DeskSite):
    empty = replace(ISSUE, amount=0)
    assert (await site.at_desk.write(cash_desk.issue, empty)).receipt is None
    with pytest.raises(Conflict, match="issued already"):
        await site.at_desk.write(cash_desk.issue, empty)


async def test_a_card_needs_a_name_or_a_group(site: DeskSite):
    with pytest.raises(Invalid) as refused:
        await site.at_desk.write(cash_desk.issue, replace(ISSUE, name=" "))
    assert refused.value.path == "name"
    booking = await site.at_desk.write(cash_desk.issue, replace(ISSUE, name="", group="Fleet"))
    assert (booking.card.group, booking.card.person_id) == ("Fleet", None)


async def test_a_first_amount_that_is_refused_leaves_neither_card_nor_person(site: DeskSite):
    with pytest.raises(Invalid):
        await site.at_desk.write(cash_desk.issue, replace(ISSUE, amount=5_003))
    assert await site.ctx.read(cash_desk.find_card, NEW) is None
    assert not await site.ctx.read(people.find, PersonFilter(text="Tóth Éva"))


async def test_a_second_card_can_be_given_to_a_holder_who_is_known(site: DeskSite):
    anna = await site.prepaid()
    same = await site.ctx.read(cash_desk.namesakes, "  kovács  ANNA ")
    assert [person.id for person in same] == [anna.person_id]
    booking = await site.at_desk.write(cash_desk.issue, replace(ISSUE, person_id=anna.person_id))
    assert booking.card.person_id == anna.person_id
    assert booking.card.wallet != anna.wallet


async def test_a_form_that_comes_ten_times_at_once_books_once(site: DeskSite):
    await site.prepaid(amount=1_000)
    wanted = DeskTopUp(await shown(site), 2_000)
    bookings = await asyncio.gather(*(site.at_desk.write(cash_desk.top_up, wanted) for _ in range(10)))
    assert sorted(booking.repeated for booking in bookings) == [False] + [True] * 9
    assert await site.balance() == 3_000
    assert (await site.ctx.read(verify.verify)).faults == []


async def test_the_back_button_with_another_amount_is_refused(site: DeskSite):
    await site.prepaid(amount=1_000)
    wanted = DeskTopUp(await shown(site), 2_000)
    await site.at_desk.write(cash_desk.top_up, wanted)
    with pytest.raises(Conflict):
        await site.at_desk.write(cash_desk.top_up, replace(wanted, amount=10_000))
    assert await site.balance() == 3_000


async def test_of_two_windows_that_show_one_balance_one_books(site: DeskSite):
    await site.prepaid(amount=1_000)
    forms = [DeskTopUp(await shown(site, key=f"window {n}"), 2_000) for n in range(2)]
    results = await asyncio.gather(
        *(site.at_desk.write(cash_desk.top_up, form) for form in forms), return_exceptions=True
    )
    assert [type(result) for result in results if isinstance(result, Exception)] == [Conflict]
    assert await site.balance() == 3_000


async def test_a_window_that_shows_the_new_balance_may_book_again(site: DeskSite):
    await site.prepaid(amount=1_000)
    for key in ("first", "second"):
        await site.at_desk.write(cash_desk.top_up, DeskTopUp(await shown(site, key=key), 2_000))
    assert await site.balance() == 5_000


@pytest.mark.parametrize("amount, method", [(0, "cash"), (500_001, "bank"), (2_003, "cash")])
async def test_an_amount_that_the_desk_can_not_take_is_refused(site: DeskSite, amount, method):
    await site.prepaid(amount=1_000)
    with pytest.raises(Invalid) as refused:
        await site.at_desk.write(cash_desk.top_up, DeskTopUp(await shown(site), amount, method))
    assert refused.value.path == "amount"
    assert await site.balance() == 1_000


async def test_an_amount_by_bank_need_not_be_payable_in_coins(site: DeskSite):
    await site.prepaid(amount=0)
    await site.at_desk.write(cash_desk.top_up, DeskTopUp(await shown(site), 2_003, "bank"))
    assert await site.balance() == 2_003


async def test_a_personal_card_and_a_lost_one_take_no_money_but_a_blocked_one_does(site: DeskSite):
    await site.personal()
    with pytest.raises(Conflict):
        await site.at_desk.write(cash_desk.top_up, DeskTopUp(await shown(site, OTHER), 2_000))
    await site.prepaid(amount=1_000)
    await site.at_desk.write(cash_desk.block, ANNA, Blocking("Damaged"))
    await site.at_desk.write(cash_desk.top_up, DeskTopUp(await shown(site, key="blocked"), 2_000))
    await site.at_desk.write(cash_desk.block, ANNA, Blocking("Lost", lost=True))
    with pytest.raises(Conflict, match="lost"):
        await site.at_desk.write(cash_desk.top_up, DeskTopUp(await shown(site, key="lost"), 2_000))
    assert await site.balance() == 3_000


async def test_a_card_is_blocked_for_a_reason_only_and_charges_again_when_it_is_let(site: DeskSite):
    await site.prepaid()
    with pytest.raises(Invalid) as refused:
        await site.at_desk.write(cash_desk.block, ANNA, Blocking("  "))
    assert refused.value.path == "reason"
    blocked = await site.at_desk.write(cash_desk.block, ANNA, Blocking("Stolen", lost=True))
    assert (blocked.status, blocked.status_reason) == ("lost", "Stolen")
    assert (await site.at_desk.write(cash_desk.unblock, ANNA)).status == "active"


async def test_a_slip_tells_the_balance_before_and_after_and_belongs_to_its_card(site: DeskSite):
    await site.prepaid(amount=1_000)
    await site.prepaid(NEW, 500, "Somebody Else")
    wanted = DeskTopUp(await shown(site), 2_000, "cash", "NY-1021")
    booking = await site.at_desk.write(cash_desk.top_up, wanted)
    assert booking.receipt is not None
    slip = await site.ctx.read(cash_desk.slip, ANNA, booking.receipt.entry_id)
    assert (slip.balance_before, slip.amount, slip.balance_after) == (1_000, 2_000, 3_000)
    assert (slip.method, slip.document, slip.operator) == ("cash", "NY-1021", CLERK)
    with pytest.raises(NotFound):
        await site.ctx.read(cash_desk.slip, NEW, booking.receipt.entry_id)


async def test_a_card_that_is_not_at_hand_is_found_by_its_holders_name_without_accents(site: DeskSite):
    await site.prepaid()
    await site.personal()
    assert [card.uid for card in await site.ctx.read(cash_desk.search, "kovacs")] == [ANNA]
