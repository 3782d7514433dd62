"""Pages that keep themselves true: changes come without reloading, and a lost connection is said."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from onprem_csms import app, config
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.services.charging import reports, sessions
from onprem_csms.services.core import logins
from onprem_csms.services.core.context import Tx
from tests import reporting
from tests.browser.admin_browser import started, window
from tests.web.site import CHARGER, charger_path, running_site

pytestmark = pytest.mark.browser


def read_meter(tx: Tx, energy_wh: int, power_w: int) -> None:
    """The charger of the running session sends a reading."""
    session = sessions.get(tx, 2)
    # The time that this power takes from the reading of a minute ago: more would not be believed.
    passed = timedelta(hours=(energy_wh - 22_000) / power_w)
    reading = Reading(tx.now - timedelta(minutes=1) + passed, energy_wh, power_w)
    reports.take(tx, reporting.readings((CHARGER, 1), session.transaction_id, (reading,)))


async def test_live_values_come_without_reloading_and_leave_the_reader_in_peace(
    tmp_path: Path, chromium: str, chromium_arguments: list[str]
):
    async with running_site(tmp_path / "data") as site, started(chromium, chromium_arguments) as browser:
        one = await window(browser, site)
        await one.sign_in()
        page = one.page
        await one.go("/admin/sessions/2")
        await one.settle()
        await page.evaluate("window.same = true")
        await page.locator("#points summary").click()
        await page.locator("#points summary").focus()
        rows = await page.locator("#points tbody tr").count()
        await site.do(read_meter, 22_567, 7_400)
        await expect(page.locator("#figures")).to_contain_text("2.567\u00a0kWh")
        await expect(page.locator("#figures")).to_contain_text("7.4\u00a0kW")
        await expect(page.locator("#points tbody tr")).to_have_count(rows + 1)
        assert await page.evaluate("window.same === true")
        assert await page.locator("#points details[open]").count() == 1
        assert await page.locator("#points summary:focus").count() == 1
        assert one.complaints == []


async def test_a_form_that_is_being_filled_in_survives_the_news(
    tmp_path: Path, chromium: str, chromium_arguments: list[str]
):
    async with running_site(tmp_path / "data") as site, started(chromium, chromium_arguments) as browser:
        one = await window(browser, site)
        await one.sign_in()
        page = one.page
        await one.go(charger_path("commands"))
        await one.settle()
        await page.fill("#start-uid", "04AABBCC")
        await site.do(read_meter, 25_000, 7_000)
        await site.do(sessions.close, 2)
        await expect(page.locator("#running")).to_contain_text("No session runs.")
        assert await page.input_value("#start-uid") == "04AABBCC"


async def test_the_overview_shows_the_end_of_a_session_by_itself(
    tmp_path: Path, chromium: str, chromium_arguments: list[str]
):
    async with running_site(tmp_path / "data") as site, started(chromium, chromium_arguments) as browser:
        one = await window(browser, site)
        await one.sign_in("viewer")
        page = one.page
        await one.settle()
        await expect(page.locator("#running")).to_contain_text("Kovács Ágnes")
        await site.do(sessions.close, 2)
        await expect(page.locator("#running")).to_contain_text("Nobody is charging")
        assert one.complaints == []


async def test_a_page_says_when_it_lost_its_connection_and_catches_up_when_it_is_back(
    tmp_path: Path, chromium: str, chromium_arguments: list[str]
):
    async with started(chromium, chromium_arguments) as browser:
        async with running_site(tmp_path / "data") as site:
            port = int(site.base.rsplit(":", 1)[1])
            one = await window(browser, site)
            await one.sign_in()
            page = one.page
            await one.settle()
            await expect(page.locator("#lost")).to_be_hidden()
        await expect(page.locator("#lost")).to_be_visible()
        await expect(page.locator("#lost")).to_contain_text("it comes back by itself")
        again = config.parse({"server": {"host": "127.0.0.1", "port": port}})
        async with app.running(again, DataFolder(tmp_path / "data")) as program:
            await program.ctx.write(sessions.close, 2)
            await expect(page.locator("#lost")).to_be_hidden()
            await expect(page.locator("#running")).to_contain_text("Nobody is charging")


async def test_who_is_signed_out_elsewhere_is_led_to_the_sign_in(
    tmp_path: Path, chromium: str, chromium_arguments: list[str]
):
    async with running_site(tmp_path / "data") as site, started(chromium, chromium_arguments) as browser:
        one = await window(browser, site)
        await one.sign_in("viewer")
        page = one.page
        await one.settle()
        secret = next(
            cookie["value"] for cookie in await page.context.cookies() if cookie["name"] == "csms_operator"
        )
        await site.do(logins.end, secret)
        await site.do(sessions.close, 2)
        await page.wait_for_url("**/admin/sign-in**")
