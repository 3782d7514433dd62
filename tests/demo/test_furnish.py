"""The history that the demo begins with."""

from datetime import UTC, datetime
from pathlib import Path

from onprem_csms.clock import ManualClock
from onprem_csms.demo.scenery import GUEST_CARD, GUEST_PIN, PLACES, UNLUCKY_CARD
from onprem_csms.demo.site import furnish
from onprem_csms.services.cards import cards, pins
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import review, sessions
from onprem_csms.services.charging.sessions import SessionFilter
from onprem_csms.services.site import verify
from tests.demo.conftest import opened

PRESENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def test_a_month_of_history_is_made_and_every_bill_of_it_is_right(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as ctx:
        await furnish(ctx)
        findings = await ctx.read(verify.verify)
        assert findings.faults == []
        assert findings.sessions > 500
        assert findings.entries > 300
        assert await ctx.read(sessions.find, SessionFilter(state="active")) == []


async def test_the_review_list_holds_what_a_newcomer_should_see(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as ctx:
        await furnish(ctx)
        kinds = {item.kind for item in await ctx.read(review.find)}
        assert {"late", "below_zero", "orphan_stop"} <= kinds
        every = await ctx.read(review.find, open_only=False, limit=1000)
        assert any(item.resolved_at for item in every)
        unlucky = await ctx.read(cards.get, UNLUCKY_CARD)
        assert unlucky.status == "blocked"
        assert unlucky.wallet is not None
        assert unlucky.wallet.balance < 0


async def test_the_same_seed_at_the_same_time_tells_the_same_history(tmp_path: Path) -> None:
    told = []
    for name in ("one", "other"):
        async with opened(tmp_path / name, ManualClock(PRESENT)) as ctx:
            await furnish(ctx, days=3, seed=7)
            found = await ctx.read(sessions.find, SessionFilter(limit=1000))
            told.append([(s.charger_id, s.connector, s.uid, s.began_at, s.energy_wh, s.cost) for s in found])
    assert told[0]
    assert told[0] == told[1]


async def test_the_guest_s_card_pin_and_connector_are_as_printed(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as ctx:
        await furnish(ctx, days=1)
        card = await pins.check_pin(ctx, GUEST_CARD, GUEST_PIN)
        assert card.wallet is not None
        assert card.wallet.available > 0
        for place in PLACES:
            charger = await ctx.read(inventory.get, place.make.id)
            slugs = [one.slug for one in charger.connectors if one.number]
            assert len(slugs) == len(place.make.sockets)
            assert all(slugs)
