"""One script, every version: the same day of a prepaid card gives the same sessions, bills and balances."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.services.cards import balances, cards
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.charging.sessions import SessionView
from onprem_csms.services.money import tariffs, wallets
from onprem_csms.services.money.wallets import TopUp
from onprem_csms.services.site import verify
from tests.ocpp.conftest import Site
from tests.scenarios.speakers import V16, V201, Speaker, later

CARDS = {"ocpp1.6": "04A1B2C3D4E501", "ocpp2.0.1": "04A1B2C3D4E502"}
# What differs because it names the thing itself, not what happened.
_NAMES = frozenset(
    (
        "id",
        "charger_id",
        "charger_name",
        "evse",
        "connector",
        "transaction_id",
        "uid",
        "card_id",
        "card_uid",
        "wallet_id",
        "read_at",
    )
)


async def day(speaker: Speaker, uid: str, morning: datetime) -> list[str]:
    """A morning: told twice, asleep in the middle, stopped by the card; at noon the money is used up."""
    said = [await speaker.boot(), await speaker.may(uid), await speaker.begin(uid, 1000, morning)]
    await speaker.again()
    await speaker.becomes("charges", later(morning, 0.5))
    for minute in range(5, 30, 5):
        await speaker.meter(1000 + 150 * minute, 9000, later(morning, minute))
        await speaker.again()
    await speaker.becomes("sleeps", later(morning, 30))
    await speaker.meter(5500, 0, later(morning, 45))
    await speaker.end(uid, 5520, later(morning, 50))
    await speaker.again()
    noon = later(morning, 90)
    said.append(await speaker.begin(uid, 5520, noon))
    await speaker.becomes("charges", later(noon, 0.5))
    await speaker.meter(12_000, 60_000, later(noon, 10))
    await speaker.end(uid, 14_000, later(noon, 12))
    return [*said, await speaker.may(uid)]


def happened(session: SessionView) -> dict[str, Any]:
    """What a session is, without the names of charger, card and transaction."""
    return {name: getattr(session, name) for name in session.__slots__ if name not in _NAMES}


@pytest.fixture
async def yard(site: Site) -> Site:
    """A site with prices for energy, the start and standing idle, and a prepaid card for each version."""
    tariff = simple_tariff(
        "Yard",
        "HUF",
        start_fee="300",
        per_kwh="149",
        idle_per_minute="10",
        idle_grace_minutes=10,
        vat_percent="27",
        timezone="Europe/Budapest",
    )
    made = await site.do(tariffs.create, tariff)
    await site.do(tariffs.make_default, made.id)
    await site.add("CP2")
    for number, uid in enumerate(CARDS.values()):
        card = await site.do(cards.create, NewCard(uid=uid, kind="prepaid"))
        await site.do(balances.top_up, TopUp(card.wallet.id, 2_600, f"key-{number}"))
    return site


async def test_the_same_day_gives_the_same_sessions_and_the_same_bill(yard: Site) -> None:
    morning = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    said, told, left = [], [], []
    for charger_id, speaks in (("CP1", V16), ("CP2", V201)):
        charger = await yard.connect(charger_id, protocols=(speaks.protocol,))
        uid = CARDS[speaks.protocol]
        said.append(await day(speaks(charger), uid, morning))
        told.append([happened(session) for session in await yard.sessions(charger_id=charger_id)])
        wallet = (await yard.see(cards.get, uid)).wallet
        wallet = await yard.see(wallets.get, wallet.id)
        left.append((wallet.balance, wallet.held))
    assert said[0] == ["Accepted", "yes", "yes", "yes", "no"]
    assert said[0] == said[1]
    assert [session["energy_wh"] for session in told[0]] == [8480, 4520]
    assert [session["state"] for session in told[0]] == ["ended", "ended"]
    assert told[0] == told[1]
    assert left[0] == left[1]
    assert left[0][1] == 0
    assert (await yard.see(verify.verify)).faults == []
