"""A currency is one row: the next one needs nothing else."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import onprem_csms
from onprem_csms.config import parse
from onprem_csms.domain.money import currencies, pricing
from onprem_csms.domain.money.cash import round_cash
from onprem_csms.domain.money.currencies import CURRENCIES, Currency
from onprem_csms.domain.money.money import format_amount, parse_amount
from onprem_csms.domain.money.tariffs import simple_tariff, tariff_from_json, tariff_to_json
from onprem_csms.errors import Invalid
from tests.services.conftest import House

CODES = re.compile(r"\b(HUF|EUR)\b")


@pytest.fixture(autouse=True)
def crowns() -> Iterator[None]:
    """Crowns: hellers on paper, whole crowns in cash."""
    CURRENCIES["CZK"] = Currency("CZK", 2, "Kč", 100, (10_000, 20_000, 50_000), 1_000_000, symbol_after=True)
    yield
    del CURRENCIES["CZK"]


def test_crowns_are_written_read_and_rounded() -> None:
    assert format_amount(123_456, "CZK") == "1\u00a0234,56\u00a0Kč"
    assert parse_amount("1 234,56 Kč", "CZK") == 123_456
    assert [round_cash(minor, "CZK") for minor in (149, 150, -151)] == [100, 200, -200]


def test_a_site_may_be_run_in_crowns_and_not_in_what_is_unknown() -> None:
    assert parse({"site": {"currency": "CZK"}}).settings().currency == "CZK"
    with pytest.raises(Invalid) as fault:
        parse({"site": {"currency": "XXX"}})
    assert list(fault.value.faults) == [("site.currency", "This must be one of HUF, EUR, CZK.")]


def test_a_tariff_in_crowns_prices_a_session() -> None:
    tariff = simple_tariff("Praha", "CZK", per_kwh="7.50", vat_percent="21")
    assert tariff_from_json(tariff_to_json(tariff)) == tariff
    began = datetime(2026, 11, 22, 8, tzinfo=UTC)
    running = pricing.advance(
        pricing.begin(tariff, began, 0), began.replace(hour=9), 10_000, activity="charging"
    )
    bill = pricing.bill(running)
    assert (bill.gross, bill.vat, bill.currency) == (7_500, 1_302, "CZK")


async def test_a_card_in_crowns_pays_and_the_books_agree(house: House) -> None:
    from onprem_csms.services.cards import cards
    from onprem_csms.services.cards.cards import NewCard
    from onprem_csms.services.money import tariffs

    stored = await house.do(tariffs.create, simple_tariff("Praha", "CZK", per_kwh="7.50", vat_percent="21"))
    await house.do(tariffs.make_default, stored.id)
    card = await house.do(cards.create, NewCard(uid="04AABBCCDD", kind="prepaid", currency="CZK"))
    await house.top_up(card.wallet.id, 20_000)
    started = await house.start("04AABBCCDD")
    house.later(3_600)
    await house.stop(started, 10_000)
    assert (await house.wallet(card.wallet.id)).balance == 12_500
    assert await house.faults() == []


def test_no_code_but_the_table_names_a_currency() -> None:
    root = Path(onprem_csms.__file__).parent
    allowed = {Path(currencies.__file__), root / "demo" / "scenery.py"}
    naming = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.suffix in {".py", ".html", ".js", ".sql"}
        and path not in allowed
        and "vendor" not in path.parts
        and CODES.search(path.read_text(encoding="utf-8"))
    ]
    assert naming == []
