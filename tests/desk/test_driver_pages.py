"""The drivers' site over a real socket, with a charger that is not ours: money first, and back when nothing began."""

import re

from onprem_csms.domain.charging.sessions import AuthorizeRequest
from onprem_csms.events import Event
from onprem_csms.services.cards import cards
from onprem_csms.services.charging import authorization, orders, sessions
from onprem_csms.services.charging.sessions import SessionFilter
from onprem_csms.services.core.context import Tx
from tests.desk.site import ANNA, OTHER, PIN, DeskSite, Pages, charger, pages


async def signed_in(site: DeskSite, driver: Pages, uid: str = ANNA) -> str:
    """Open the connector's page and sign in there."""
    slug = await site.slug()
    await driver.get(f"/c/{slug}")
    await driver.post("/driver/sign-in", number=uid, pin=PIN)
    assert driver.url == f"/c/{slug}"
    return slug


async def until(driver: Pages, path: str, text: str) -> str:
    """Open a page again until it says something; each news of an order may be the one."""
    news = driver.site.ctx.bus.subscribe({"order", "session"})
    while text not in await driver.get(path):
        await anext(news)
    news.close()
    return driver.text


async def test_the_code_shows_price_components_in_the_order_of_the_law_and_the_state(
    site: DeskSite, visitor: Pages
):
    async with charger(site):
        text = await visitor.get(f"/c/{await site.slug()}")
    prices = re.findall(r'<dd class="num">(.+?)</dd><dt>(.+?)</dt>', text)
    assert prices == [
        ("149\u00a0Ft", "per kWh"),
        ("300\u00a0Ft", "per charging, once"),
        ("10.5\u00a0Ft", "per minute when the vehicle is full but stays"),
    ]
    assert "Prices include 27% VAT." in text
    assert "Available" in text


async def test_a_code_that_leads_nowhere_gets_a_friendly_page(visitor: Pages):
    text = await visitor.get("/c/no-such-code")
    assert visitor.status == 404
    assert "This code leads to no connector" in text
    assert "Nothing was paid." in text


async def test_a_wrong_pin_and_a_card_that_does_not_exist_are_told_alike(site: DeskSite, visitor: Pages):
    await site.prepaid()
    answers = []
    for number in (ANNA, "04DEADBEEF0000", "no card at all", "08010203"):
        text = await visitor.post("/driver/sign-in", number=number, pin="0000")
        answers.append((visitor.status, text.replace(number, "")))
    assert answers[0][0] == 401
    assert len(set(answers)) == 1


async def test_guessing_is_slowed_down_alike_for_a_card_and_for_nobody(site: DeskSite, visitor: Pages):
    await site.prepaid()
    refusals = []
    for number in (ANNA, "04DEADBEEF0000"):
        statuses = []
        for _ in range(6):
            await visitor.post("/driver/sign-in", number=number, pin="0000")
            statuses.append(visitor.status)
        assert statuses == [401] * 5 + [403]
        refusals.append(re.sub(r"\d+ seconds", "n seconds", visitor.text.replace(number, "")))
    assert refusals[0] == refusals[1]
    await visitor.post("/driver/sign-in", number=ANNA, pin=PIN)
    assert visitor.status == 403


async def test_signing_in_leads_on_within_the_drivers_site_only(site: DeskSite, visitor: Pages):
    await site.prepaid()
    for wanted in ("https://evil.example/", "//evil.example", "/admin/", "/\\evil.example"):
        await visitor.post("/driver/sign-in", number=ANNA, pin=PIN, next=wanted)
        assert visitor.url == "/driver"


async def test_money_is_deducted_confirmed_and_the_charger_told_then_the_rest_is_given_back(
    site: DeskSite, visitor: Pages
):
    await site.prepaid()
    async with charger(site) as box:
        slug = await signed_in(site, visitor)
        text = await visitor.post(f"/c/{slug}/order", amount="2000")
        order = visitor.url
        assert "2\u00a0000\u00a0Ft deducted" in text
        assert await site.available() == 3_000
        await box.told_to_start.wait()
        await until(visitor, order, "The charger is ready")
        await box.begin(ANNA)
        await box.meter(4_000)
        assert "4.000\u00a0kWh" in await until(visitor, order, "Stop charging")
        session = visitor.url
        await visitor.post(f"{session}/stop")
        await box.told_to_stop.wait()
        await box.stop()
        text = await until(visitor, session, "Charging finished")
    assert "You stopped it" in text
    cost = 300 + 4 * 149
    assert await site.available() == 5_000 - cost
    assert f"{2_000 - cost:,}".replace(",", "\u00a0") + "\u00a0Ft" in text
    assert "of this VAT" in text
    assert "Not a tax document" in text


async def test_a_charger_that_refuses_gives_the_money_back_and_the_page_says_so(
    site: DeskSite, visitor: Pages
):
    await site.prepaid()
    async with charger(site) as box:
        box.answer = "Rejected"
        slug = await signed_in(site, visitor)
        await visitor.post(f"/c/{slug}/order", amount="2000")
        text = await until(visitor, visitor.url, "The charger refused")
    assert "is back on your balance." in text
    assert await site.available() == 5_000


async def test_a_card_that_was_blocked_after_its_order_does_not_begin(site: DeskSite, visitor: Pages):
    await site.prepaid()
    async with charger(site) as box:
        slug = await signed_in(site, visitor)
        await visitor.post(f"/c/{slug}/order", amount="2000")
        order = visitor.url
        await box.told_to_start.wait()
        await site.ctx.write(cards.block, ANNA, "lost")
        asked = AuthorizeRequest("CP1", ANNA)
        assert (await site.ctx.write(authorization.authorize, asked)).status == "blocked"
        await box.begin(ANNA)
        (session,) = await site.ctx.read(sessions.find, SessionFilter(uid=ANNA))
        assert session.verdict == "blocked"
        assert (await site.ctx.read(orders.get, order.rpartition("/")[2])).session_id is None
        await box.stop()
    assert await site.balance() == 5_000


async def test_an_order_is_cancelled_by_its_driver_and_the_money_is_back(site: DeskSite, visitor: Pages):
    await site.prepaid()
    async with charger(site) as box:
        slug = await signed_in(site, visitor)
        await visitor.post(f"/c/{slug}/order", amount="all")
        assert await site.available() == 0
        await box.told_to_start.wait()
        text = await visitor.post(f"{visitor.url}/cancel")
        assert "You cancelled" in text
        assert await site.available() == 5_000


async def test_a_cable_plugged_in_after_the_cancelling_holds_no_more_than_was_chosen(
    site: DeskSite, visitor: Pages
):
    await site.prepaid()
    async with charger(site) as box:
        slug = await signed_in(site, visitor)
        await visitor.post(f"/c/{slug}/order", amount="2000")
        order = visitor.url
        await until(visitor, order, "The charger is ready")
        await visitor.post(f"{order}/cancel")
        assert await site.available() == 5_000
        await box.begin(ANNA)
        assert await site.available() == 3_000
        (session,) = await site.ctx.read(sessions.find, SessionFilter(uid=ANNA))
        assert session.order_id == order.rpartition("/")[2]
        await box.stop()
        text = await until(visitor, order, "Charging finished")
    assert "Given back to your balance" in text
    assert await site.available() == 5_000 - 300


async def test_the_same_form_twice_is_one_order_and_one_start(site: DeskSite, visitor: Pages):
    await site.prepaid()
    async with charger(site) as box:
        slug = await signed_in(site, visitor)
        form = visitor.text
        await visitor.post(f"/c/{slug}/order", amount="2000")
        first, visitor.text = visitor.url, form
        await visitor.post(f"/c/{slug}/order", amount="2000")
        assert visitor.url == first
        await until(visitor, first, "The charger is ready")
    assert box.starts == 1
    assert await site.available() == 3_000


async def test_an_amount_beyond_the_balance_and_a_charger_without_connection_deduct_nothing(
    site: DeskSite, visitor: Pages
):
    await site.prepaid()
    async with charger(site):
        slug = await signed_in(site, visitor)
        await visitor.post(f"/c/{slug}/order", amount="other", other="5001")
        assert visitor.status == 409
        form = visitor.text
    assert "Not connected" in await visitor.get(f"/c/{slug}")
    visitor.text = form
    await visitor.post(f"/c/{slug}/order", amount="2000")
    assert visitor.status == 409
    assert await site.available() == 5_000


async def test_a_personal_card_starts_without_an_amount(site: DeskSite, visitor: Pages):
    await site.personal()
    async with charger(site) as box:
        slug = await signed_in(site, visitor, OTHER)
        assert "without paying" in visitor.text
        await visitor.post(f"/c/{slug}/order")
        await box.told_to_start.wait()


async def test_nobody_sees_or_stops_what_belongs_to_another_card(site: DeskSite, visitor: Pages):
    await site.prepaid()
    await site.personal()
    async with charger(site) as box:
        slug = await signed_in(site, visitor)
        await visitor.post(f"/c/{slug}/order", amount="2000")
        order = visitor.url
        await box.told_to_start.wait()
        await until(visitor, order, "The charger is ready")
        await box.begin(ANNA)
        await until(visitor, order, "Stop charging")
        session = visitor.url
        async with pages(site, csms_driver=await site.driver_secret(OTHER)) as stranger:
            for path in (order, session):
                await stranger.get(path)
                assert stranger.status == 404
            for path in (f"{order}/cancel", f"{session}/stop"):
                await stranger.post(path)
                assert stranger.status == 404
        assert not box.told_to_stop.is_set()


async def test_a_changed_pin_signs_the_other_phones_out(site: DeskSite, visitor: Pages):
    await site.prepaid()
    await visitor.post("/driver/sign-in", number=ANNA, pin=PIN)
    async with pages(site) as other:
        await other.post("/driver/sign-in", number=ANNA, pin=PIN)
        text = await visitor.post("/driver/pin", old="0000", pin="8527")
        assert visitor.status == 401
        assert "wrong" in text
        await visitor.post("/driver/pin", old=PIN, pin="8527")
        assert visitor.url == "/driver"
        await other.get("/driver")
        assert other.url == "/driver/sign-in"
        await other.post("/driver/sign-in", number=ANNA, pin="8527")
        assert other.url == "/driver"


async def test_a_driver_signs_out(site: DeskSite, visitor: Pages):
    await site.prepaid()
    await visitor.post("/driver/sign-in", number=ANNA, pin=PIN)
    await visitor.post("/driver/sign-out")
    await visitor.get("/driver")
    assert visitor.url == "/driver/sign-in"


async def test_a_blocked_card_is_told_so_and_orders_nothing(site: DeskSite, visitor: Pages, desk: Pages):
    await site.prepaid()
    async with charger(site):
        slug = await signed_in(site, visitor)
        form = visitor.text
        await desk.get(f"/desk/cards/{ANNA}")
        await desk.post(f"/desk/cards/{ANNA}/block", reason="damaged")
        assert "Your card is blocked" not in await visitor.get(f"/c/{slug}"), "its sign-ins have ended"
        await signed_in(site, visitor)
        assert "Your card is blocked" in visitor.text
        visitor.text = form
        await visitor.post(f"/c/{slug}/order", amount="2000")
        assert visitor.status == 409
    assert await site.available() == 5_000


async def test_strangers_hear_of_chargers_only(site: DeskSite, visitor: Pages):
    card = await site.prepaid()
    assert card.wallet is not None
    topics = f"of=wallet:{card.wallet.id},charger:CP1&topics=wallet,charger"
    async with visitor.http.get(f"{site.base}/driver/events?{topics}") as stream:
        await stream.content.readuntil(b"\n\n")
        await site.ctx.write(emit, Event("wallet", str(card.wallet.id)), Event("charger", "CP1"))
        heard = await stream.content.readuntil(b"\n\n")
    assert b"charger:CP1" in heard
    assert b"wallet" not in heard


def emit(tx: Tx, *events: Event) -> None:
    """Tell the house that something changed."""
    for event in events:
        tx.emit(event)


async def test_the_stream_of_a_driver_ends_with_their_sign_ins_and_nobody_else_s(
    site: DeskSite, visitor: Pages
):
    await site.prepaid()
    await site.personal()
    async with charger(site):
        await signed_in(site, visitor)
    async with visitor.http.get(f"{site.base}/driver/events?of=session:1&topics=session") as stream:
        await stream.content.readuntil(b"\n\n")
        await site.ctx.write(cards.block, OTHER, "lost")
        await site.ctx.write(emit, Event("session", "1"))
        assert b"session:1" in await stream.content.readuntil(b"\n\n"), "another card's end is not theirs"
        await site.ctx.write(cards.block, ANNA, "lost")
        assert await stream.content.read() == b"", "it ended and told nothing more"
