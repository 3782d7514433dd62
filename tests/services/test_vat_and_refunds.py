"""VAT at the charging or at the top-up, refunds, and corrections as many as needed."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.access.actor import Actor
from onprem_csms.domain.money.vat import NOT_TAXED, Taxed, included, split, topped_up, use
from onprem_csms.errors import Conflict, Invalid
from onprem_csms.services.money import charges, ledger, wallets
from onprem_csms.services.money.charges import Correction
from onprem_csms.services.money.wallets import Refund
from tests.services.conftest import House

CARD = "04AABBCCDD"


async def accounts(house: House) -> dict[str, int]:
    """Sum every account of the site from the ledger itself."""
    sums: dict[str, int] = {}
    for entry in await house.store.read(ledger.entries, ledger.EntryFilter(limit=500)):
        for posting in entry.postings:
            if posting.wallet_id is None:
                sums[posting.account] = sums.get(posting.account, 0) + posting.amount
    return sums


def at_topup(house: House) -> None:
    house.store.settings = replace(house.store.settings, vat_due="at_topup")


async def charge(house: House, wh: int) -> int:
    started = await house.start(CARD)
    house.later(3_600)
    await house.stop(started, wh)
    house.later(60)
    return int(started.session_id)


async def test_by_default_vat_falls_due_when_energy_is_delivered(house: House) -> None:
    await house.prepaid_card(CARD, 12_700)
    assert await accounts(house) == {"cash": -12_700}
    await charge(house, 10_000)
    assert await accounts(house) == {"cash": -12_700, "vat": 381, "revenue": 1_409}
    assert await house.faults() == []


async def test_vat_at_the_top_up_is_booked_there_and_the_charging_carries_no_second_one(house: House) -> None:
    at_topup(house)
    wallet_id = await house.prepaid_card(CARD, 12_700)
    assert await accounts(house) == {"cash": -12_700, "vat": 2_700, "prepaid_vat": -2_700}
    await charge(house, 10_000)
    await charge(house, 20_000)
    left = (await house.wallet(wallet_id)).balance
    found = await accounts(house)
    assert found["vat"] == 2_700
    assert found["revenue"] == 12_700 - left - (2_700 + found["prepaid_vat"])
    assert await house.faults() == []


async def test_a_refund_pays_back_once_and_reverses_the_vat_of_the_top_up(house: House) -> None:
    at_topup(house)
    wallet_id = await house.prepaid_card(CARD, 12_700)
    back = Refund(wallet_id, 6_350, "slip-9", "the holder moves away")
    first, again = [await house.do(wallets.refund, back) for _ in range(2)]
    assert (first.repeated, again.repeated, first.entry_id) == (False, True, again.entry_id)
    assert await accounts(house) == {"cash": -6_350, "vat": 1_350, "prepaid_vat": -1_350}
    await house.do(wallets.refund, replace(back, idempotency_key="slip-10"))
    assert await accounts(house) == {"cash": 0, "vat": 0, "prepaid_vat": 0}
    with pytest.raises(Conflict):
        await house.do(wallets.refund, replace(back, amount=1, idempotency_key="slip-11"))
    with pytest.raises(Invalid):
        await house.do(wallets.refund, replace(back, reason=" ", idempotency_key="slip-12"))
    assert await house.faults() == []


async def test_a_balance_from_before_the_change_pays_its_vat_at_the_charging(house: House) -> None:
    wallet_id = await house.prepaid_card(CARD, 1_000)
    at_topup(house)
    await house.top_up(wallet_id, 1_000)
    await charge(house, 10_000)  # 1790: 1000 of it taxed before
    found = await accounts(house)
    assert found["prepaid_vat"] == 0
    assert found["vat"] == included(1_000, Fraction(27)) + 168, "of 381, the share of 790 of 1790"
    assert await house.faults() == []


async def test_corrections_move_revenue_and_vat_and_name_reason_and_author(house: House) -> None:
    wallet_id = await house.prepaid_card(CARD, 12_700)
    session_id = await charge(house, 10_000)

    kiss_anna = house.store.acting(Actor("operator", "kiss.anna"))

    def correct(gross: int, vat: int, reason: str) -> Callable[[Tx], Any]:
        change = Correction(session_id, wallet_id, "HUF", gross, vat, reason)
        return lambda tx: charges.correct(tx, change)

    await kiss_anna.write(correct(-508, -108, "the meter was wrong"))
    await kiss_anna.write(correct(254, 54, "not so wrong"))
    await kiss_anna.write(correct(0, -10, "another rate"))
    assert await kiss_anna.write(correct(0, 0, "nothing")) is None
    booked = await house.store.read(ledger.of_session, session_id)
    assert [entry.idempotency_key.split(":", 2)[2] for entry in booked] == [
        "charge",
        "correction",
        "correction:2",
        "correction:3",
    ]
    assert (booked[1].operator, booked[1].document["reason"]) == ("kiss.anna", "the meter was wrong")
    assert await accounts(house) == {
        "cash": -12_700,
        "vat": 381 - 108 + 54 - 10,
        "revenue": 1_409 - 400 + 200 + 10,
    }
    assert (await house.wallet(wallet_id)).balance == 12_700 - 1_790 + 508 - 254


async def test_what_a_correction_gives_back_is_taxed_as_it_was(house: House) -> None:
    at_topup(house)
    wallet_id = await house.prepaid_card(CARD, 12_700)
    session_id = await charge(house, 10_000)
    change = Correction(session_id, wallet_id, "HUF", -1_790, -381, "nothing was delivered")
    await house.do(charges.correct, change)
    assert await accounts(house) == {"cash": -12_700, "vat": 2_700, "prepaid_vat": -2_700, "revenue": 0}


AMOUNTS = st.integers(1, 100_000)


@given(st.lists(st.tuples(st.booleans(), AMOUNTS), max_size=40), st.integers(0, 27))
def test_no_vat_is_due_twice_whatever_is_topped_up_and_spent(
    deeds: list[tuple[bool, int]], rate: int
) -> None:
    percent, balance, taxed, due, spent = Fraction(rate), 0, NOT_TAXED, 0, 0
    for tops_up, amount in deeds:
        if tops_up:
            part = topped_up(balance, taxed.gross, amount, percent)
            taxed, due, balance = (
                Taxed(taxed.gross + part.gross, taxed.vat + part.vat),
                due + part.vat,
                balance + amount,
            )
        else:
            parts = split(taxed, amount, included(amount, percent))
            taxed = Taxed(taxed.gross - parts.used.gross, taxed.vat - parts.used.vat)
            due, balance, spent = due + parts.vat, balance - amount, spent + amount
        assert taxed.gross == max(0, balance), "all that is there was taxed when it came"
        assert taxed.vat >= 0
    assert abs(due - taxed.vat - included(spent, percent)) <= 2 * len(deeds)


def test_the_last_of_a_taxed_part_takes_the_last_of_its_vat() -> None:
    assert use(Taxed(100, 21), 33) == (33, 7)
    assert use(Taxed(67, 14), 67) == (67, 14)
    assert use(Taxed(67, 14), 500) == (67, 14)
