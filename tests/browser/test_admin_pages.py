"""Every page of the operators' site in a real browser: nothing inaccessible, nothing foreign, nothing too wide."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Dialog

from onprem_csms.services.access import operators
from tests.browser.admin_browser import started, window
from tests.web.site import PASSWORD, charger_path, running_site
from tests.web.test_headers import EVERY_PAGE

pytestmark = pytest.mark.browser
DESKTOP, PHONE, NARROW = (
    {"width": 1280, "height": 800},
    {"width": 390, "height": 844},
    {"width": 320, "height": 640},
)


@pytest.mark.parametrize(
    "looks",
    [
        {"locale": "en", "viewport": DESKTOP, "color_scheme": "light"},
        {"locale": "hu", "viewport": PHONE, "color_scheme": "light"},
        {"locale": "hu", "viewport": DESKTOP, "color_scheme": "dark"},
        {"locale": "en", "viewport": NARROW, "color_scheme": "dark"},
    ],
    ids=["desktop", "phone in Hungarian", "dark desktop in Hungarian", "narrow and dark"],
)
async def test_every_page_passes_axe_fits_the_screen_and_asks_nobody_else(
    tmp_path: Path,
    chromium: str,
    chromium_arguments: list[str],
    axe_script: str,
    looks: dict[str, Any],
):
    findings = []
    async with running_site(tmp_path / "data") as site, started(chromium, chromium_arguments) as browser:
        one = await window(browser, site, **looks)
        await one.go("/admin/sign-in")
        findings += [f"/admin/sign-in {found}" for found in await one.axe(axe_script)]
        await one.sign_in()
        for path in [*EVERY_PAGE, "/nowhere"]:
            await one.go(path)
            assert await one.page.locator("html").get_attribute("lang") == looks["locale"]
            findings += [f"{path} {found}" for found in await one.axe(axe_script)]
            if (wide := await one.width()) > looks["viewport"]["width"]:
                findings.append(f"{path} is {wide} px wide")
        complaints = [text for text in one.complaints if "status of 404" not in text]
    assert findings == []
    assert complaints == []


async def test_the_first_set_up_and_the_sign_in_work_by_keyboard_alone(
    tmp_path: Path, chromium: str, chromium_arguments: list[str]
):
    async with (
        running_site(tmp_path / "data", furnished=False) as site,
        started(chromium, chromium_arguments) as browser,
    ):
        link = await site.do(operators.setup_link)
        one = await window(browser, site)
        page = one.page
        await one.go(f"/setup/{link}")
        keyboard = page.keyboard
        await page.locator("#field-name").focus()
        await keyboard.type("Ági")
        await keyboard.press("Tab")
        await keyboard.type(PASSWORD)
        await keyboard.press("Tab")
        await keyboard.type("something else")
        await keyboard.press("Enter")
        # The faults are read out first, and each leads to its field.
        await page.locator("#errors:focus").wait_for()
        await keyboard.press("Tab")
        await keyboard.press("Enter")
        await page.locator("#field-repeated:target").wait_for()
        await page.fill("#field-password", PASSWORD)
        await page.fill("#field-repeated", PASSWORD)
        await keyboard.press("Enter")
        await page.wait_for_url("**/admin/*")
        assert await page.get_by_text("There is no charger yet").count() == 1
        assert [text for text in one.complaints if "status of 422" not in text] == []


async def test_the_phone_s_menu_opens_by_keyboard_and_leads_on(
    tmp_path: Path, chromium: str, chromium_arguments: list[str], axe_script: str
):
    async with running_site(tmp_path / "data") as site, started(chromium, chromium_arguments) as browser:
        one = await window(browser, site, viewport=PHONE)
        await one.sign_in("clerk")
        page = one.page
        chargers = page.get_by_role("link", name="Chargers", exact=True)
        assert not await chargers.is_visible()
        await page.locator(".menu-button").focus()
        await page.keyboard.press("Enter")
        await chargers.wait_for()
        assert await one.axe(axe_script) == []
        await page.keyboard.press("Escape")
        await chargers.wait_for(state="hidden")
        await page.keyboard.press("Enter")
        await chargers.click()
        await page.wait_for_url("**/admin/chargers")
        assert await page.get_by_role("link", name="Settings", exact=True).count() == 0


async def test_a_double_click_sends_a_form_once_and_what_can_not_be_undone_asks_first(
    tmp_path: Path, chromium: str, chromium_arguments: list[str]
):
    async with running_site(tmp_path / "data") as site, started(chromium, chromium_arguments) as browser:
        one = await window(browser, site)
        await one.sign_in()
        page = one.page
        await one.go("/admin/people/new")
        await page.fill("#field-name", "Twice")
        await page.get_by_role("button", name="Add", exact=True).dblclick()
        await page.get_by_role("status").wait_for()
        await one.go("/admin/people?text=Twice")
        assert await page.get_by_role("link", name="Twice", exact=True).count() == 1

        asked = []

        async def decline(dialog: Dialog) -> None:
            asked.append(dialog.message)
            await dialog.dismiss()

        page.once("dialog", decline)
        await one.go(charger_path("settings"))
        await page.get_by_role("button", name="Take out of use").click()
        assert asked == ["Take this charger out of use?"]
        assert page.url.endswith("/settings")


async def test_a_password_is_copied_also_where_the_clipboard_of_https_is_missing(
    tmp_path: Path, chromium: str, chromium_arguments: list[str]
):
    async with running_site(tmp_path / "data") as site, started(chromium, chromium_arguments) as browser:
        one = await window(browser, site)
        await one.sign_in()
        page = one.page
        await one.go("/admin/chargers/new")
        await page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        await page.get_by_role("button", name="Copy the address").click()
        await page.locator("button.done").wait_for()
        await page.fill("#field-name", "")
        await page.locator("#field-name").press("Control+v")
        assert await page.input_value("#field-name") == site.base.replace("http", "ws") + "/ocpp"
