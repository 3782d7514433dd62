"""The drivers' site on a phone: deduct, start, live, stop, receipt; and the money back when nothing began."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.desk_windows import DESKTOP, NARROW, PHONE, Windows, opened
from tests.desk.site import ANNA, PIN, charger

pytestmark = pytest.mark.browser


@pytest.fixture
async def windows(tmp_path: Path, chromium, chromium_arguments, axe_script) -> AsyncIterator[Windows]:
    async with opened(tmp_path, chromium, chromium_arguments, axe_script) as one:
        yield one


@pytest.fixture
async def impatient(tmp_path: Path, chromium, chromium_arguments, axe_script) -> AsyncIterator[Windows]:
    """A site that waits two seconds for a session to begin."""
    async with opened(tmp_path, chromium, chromium_arguments, axe_script, start_timeout=2) as one:
        yield one


async def order(windows: Windows, phone: Page, amount: str = "2\u00a0000") -> None:
    """Choose an amount on the connector's page and confirm."""
    await phone.goto(f"{windows.site.base}/c/{await windows.site.slug()}")
    await phone.locator("label.amount", has_text=amount).click()
    await phone.get_by_role("button", name="Deduct and start").click()
    await phone.wait_for_url("**/driver/orders/*")


async def test_a_driver_pays_charges_watches_stops_and_gets_the_rest_back(windows: Windows):
    await windows.site.prepaid()
    phone = await windows.driver()
    async with charger(windows.site) as box:
        await phone.goto(f"{windows.site.base}/c/{await windows.site.slug()}")
        await phone.get_by_label("Card number").fill("04a1 b2c3 d4e5 80")
        await phone.get_by_label("PIN").fill(PIN)
        await phone.get_by_role("button", name="Sign in").click()
        await order(windows, phone)
        await expect(phone.get_by_text("2\u00a0000\u00a0Ft deducted")).to_be_visible()
        await box.told_to_start.wait()
        await expect(phone.get_by_role("heading", name="Plug in the cable")).to_be_visible()
        assert await windows.site.available() == 3_000
        await box.begin(ANNA)
        await expect(phone.get_by_role("button", name="Stop charging")).to_be_visible()
        await box.meter(1_500)
        await expect(phone.locator(".live-energy")).to_have_text("1.500\u00a0kWh")
        await box.meter(2_500, power=7_400)
        await expect(phone.locator(".live-energy")).to_have_text("4.000\u00a0kWh")
        await expect(phone.locator(".live-values")).to_contain_text("7.4\u00a0kW")
        await expect(phone.locator(".live-values")).to_contain_text("896\u00a0Ft")
        await phone.get_by_role("button", name="Stop charging").click()
        await expect(phone.get_by_role("heading", name="Stopping …")).to_be_visible()
        await box.told_to_stop.wait()
        await box.stop()
        await expect(phone.get_by_role("heading", name="Charging finished")).to_be_visible()
    await expect(phone.locator(".receipt-given")).to_contain_text("1\u00a0104\u00a0Ft")
    await expect(phone.locator(".receipt-total")).to_contain_text("896\u00a0Ft")
    assert await windows.site.available() == 4_104
    await phone.goto(f"{windows.site.base}/driver")
    await expect(phone.locator(".balance-big")).to_contain_text("4\u00a0104\u00a0Ft")
    await expect(phone.locator(".past li")).to_have_count(1)


async def test_a_refusal_shows_itself_with_the_money_back(windows: Windows):
    await windows.site.prepaid()
    phone = await windows.driver(ANNA)
    async with charger(windows.site) as box:
        box.answer = "Rejected"
        await order(windows, phone)
        await expect(phone.get_by_role("heading", name="The charger refused")).to_be_visible()
    await expect(phone.locator(".back")).to_contain_text("2\u00a0000\u00a0Ft is back on your balance.")
    await expect(phone.locator(".back")).to_contain_text("5\u00a0000\u00a0Ft")
    assert await windows.site.available() == 5_000


async def test_when_no_session_begins_in_time_the_page_shows_the_money_back_by_itself(impatient: Windows):
    await impatient.site.prepaid()
    phone = await impatient.driver(ANNA)
    async with charger(impatient.site) as box:
        await order(impatient, phone)
        await box.told_to_start.wait()
        await expect(phone.get_by_role("heading", name="No charging began")).to_be_visible()
    await expect(phone.locator(".back")).to_contain_text("is back on your balance.")
    assert await impatient.site.available() == 5_000


async def test_the_money_steps_work_without_javascript(windows: Windows):
    await windows.site.prepaid()
    phone = await windows.driver(java_script_enabled=False)
    async with charger(windows.site) as box:
        slug = await windows.site.slug()
        await phone.goto(f"{windows.site.base}/c/{slug}")
        await phone.get_by_label("Card number").fill(ANNA)
        await phone.get_by_label("PIN").fill(PIN)
        await phone.get_by_role("button", name="Sign in").click()
        await order(windows, phone)
        await box.told_to_start.wait()
        await box.begin(ANNA)
        await phone.reload()
        await phone.get_by_role("button", name="Stop charging").click()
        await box.told_to_stop.wait()
        await box.stop()
        await phone.reload()
        await expect(phone.get_by_role("heading", name="Charging finished")).to_be_visible()


async def test_an_occupied_connector_becomes_free_without_a_reload(windows: Windows):
    await windows.site.prepaid()
    phone = await windows.driver()
    async with charger(windows.site) as box:
        await windows.site.personal()
        await box.begin("04FFEE11223344")
        await box.status("Charging")
        await phone.goto(f"{windows.site.base}/c/{await windows.site.slug()}")
        await expect(phone.get_by_role("heading", name="Somebody is charging here")).to_be_visible()
        await box.stop()
        await expect(phone.get_by_role("heading", name="Sign in to charge")).to_be_visible()


async def test_a_page_that_lost_its_connection_says_so(windows: Windows):
    await windows.site.prepaid()
    phone = await windows.driver(ANNA)
    async with charger(windows.site) as box:
        await box.begin(ANNA)
        await phone.goto(f"{windows.site.base}/driver")
        await (
            phone.get_by_role("link", name="See your charging")
            .or_(phone.get_by_role("button", name="See your charging"))
            .click()
        )
        await expect(phone.get_by_role("button", name="Stop charging")).to_be_visible()
        await phone.context.route("**/driver/events*", lambda route: route.abort())
        await phone.reload()
        await expect(phone.locator("#lost")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "hu"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE, NARROW], ids=["1280", "390", "320"])
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(windows: Windows, size, language):
    await windows.site.prepaid()
    slug = await windows.site.slug()
    stranger = await windows.driver(size=size, language=language)
    phone = await windows.driver(ANNA, size, language=language)
    async with charger(windows.site) as box:
        for page, path in (
            (stranger, "/"),
            (stranger, f"/c/{slug}"),
            (stranger, "/c/wrong"),
            (stranger, "/driver/sign-in"),
            (phone, f"/c/{slug}"),
            (phone, "/driver/pin"),
            (phone, "/driver"),
        ):
            await page.goto(windows.site.base + path)
            assert await windows.faults(page) == [], path
        await phone.goto(f"{windows.site.base}/c/{slug}")
        await phone.locator("button.big").click()
        await phone.locator("#order").wait_for()
        assert await windows.faults(phone) == []
        await box.told_to_start.wait()
        await box.begin(ANNA)
        await box.meter(4_000)
        await phone.locator(".live").wait_for()
        assert await windows.faults(phone) == []
        await box.stop()
        await phone.locator(".receipt").wait_for()
        assert await windows.faults(phone) == []
