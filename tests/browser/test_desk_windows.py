"""The desk in a real browser: cards show themselves, one confirm is one posting, the keyboard does it all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.desk_windows import DESKTOP, NARROW, PHONE, Windows, opened, type_like_a_reader
from tests.desk.site import ANNA, NEW, OTHER

pytestmark = pytest.mark.browser


@pytest.fixture
async def windows(tmp_path: Path, chromium, chromium_arguments, axe_script) -> AsyncIterator[Windows]:
    async with opened(tmp_path, chromium, chromium_arguments, axe_script) as one:
        yield one


async def waiting(windows: Windows) -> Page:
    """The clerk's window, waiting for a card with the stream open."""
    page = await windows.clerk()
    async with page.expect_response(lambda answer: "/admin/events" in answer.url):
        await page.goto(f"{windows.site.base}/desk")
    await expect(page.get_by_text("Reader ready")).to_be_visible()
    return page


async def show(windows: Windows, uid: str) -> Page:
    """The clerk's window after a card was tapped."""
    page = await waiting(windows)
    await windows.site.tap(uid)
    await page.wait_for_url(f"**/desk/cards/{uid}?tap=*")
    return page


async def test_a_tapped_card_shows_itself_with_holder_type_state_balance_and_spending(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    card = page.locator("#desk-card")
    for text in ("Kovács Anna", "Active", "Prepaid", "5\u00a0000\u00a0Ft"):
        await expect(card).to_contain_text(text)
    await expect(page.locator("#desk-spending tbody tr")).to_have_count(1)


async def test_the_next_tap_replaces_a_card_that_nobody_works_on(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    await windows.site.tap(NEW)
    await expect(page.get_by_role("heading", name="New card")).to_be_visible()


async def test_a_refused_card_says_why_by_itself(windows: Windows):
    page = await waiting(windows)
    await windows.site.tap("08010203")
    await expect(page.get_by_role("alert").filter(has_text="This card was not taken.")).to_be_visible()


async def test_the_keyboard_alone_issues_tops_up_and_blocks(windows: Windows):
    page = await waiting(windows)
    keys = page.keyboard
    await enter_number(page)
    await expect(page.get_by_role("heading", name="New card")).to_be_visible()
    await tab_to(page, "name")
    await keys.type("Tóth Éva")
    await tab_to(page, "amount")
    await keys.press("ArrowRight")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="The card is issued")).to_be_visible()
    assert await windows.site.balance(NEW) == 2_000

    await enter_number(page)
    await expect(page.get_by_role("heading", name="Tóth Éva")).to_be_visible()
    await keys.press("Space")  # the first amount has the focus
    await keys.press("ArrowRight")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="5\u00a0000\u00a0Ft booked")).to_be_visible()

    await keys.type("eva", delay=60)
    await keys.press("Enter")
    await page.wait_for_url("**/desk/find?*")
    await tab_to_text(page, "Tóth Éva")
    await keys.press("Enter")
    await page.wait_for_url(f"**/desk/cards/{NEW}")
    await tab_to_text(page, "Block this card")
    await keys.press("Enter")
    await tab_to(page, "reason")
    await keys.press("Space")
    await tab_to_text(page, "Block the card")
    await keys.press("Enter")
    await expect(page.locator("#desk-card")).to_contain_text("Lost")


async def enter_number(page: Page) -> None:
    """Type a card's number into the field, which has the focus by itself; again where the page read itself anew."""
    field = page.get_by_role("searchbox")
    await expect(field).to_be_focused()
    await page.keyboard.type(NEW, delay=5)
    while await field.input_value() != NEW:
        await expect(field).to_be_focused()
        await page.keyboard.press("Control+a")
        await page.keyboard.type(NEW, delay=5)
    await page.keyboard.press("Enter")


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the field of this name has the focus."""
    await _tab(page, f"document.activeElement.name === '{name}'")


async def tab_to_text(page: Page, text: str) -> None:
    """Press Tab until a control with this text has the focus."""
    await _tab(
        page,
        f"document.activeElement.matches('a, button, summary') && document.activeElement.innerText.includes('{text}')",
    )


async def _tab(page: Page, there: str) -> None:
    for _ in range(60):
        if await page.evaluate(there):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(there)


async def test_a_double_click_books_once(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    await page.locator("label.tile", has_text="2\u00a0000").click()
    await expect(page.locator(".desk-after")).to_contain_text("7\u00a0000\u00a0Ft")
    await page.get_by_role("button", name="Confirm the top-up").dblclick()
    await expect(page.get_by_role("heading", name="booked")).to_be_visible()
    assert await windows.site.balance() == 7_000
    assert len(await windows.site.movements()) == 2


async def test_the_back_button_and_the_same_form_again_book_nothing_more(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    await page.locator("label.tile", has_text="2\u00a0000").click()
    await page.get_by_role("button", name="Confirm the top-up").click()
    await expect(page.get_by_role("heading", name="booked")).to_be_visible()
    await page.go_back()
    await expect(page.locator("#desk-card")).to_contain_text("7\u00a0000\u00a0Ft")
    assert await windows.site.balance() == 7_000


async def test_of_two_windows_on_one_card_the_second_is_refused(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    second = await page.context.new_page()
    await second.goto(page.url)
    for window in (page, second):
        await window.locator("label.tile", has_text="2\u00a0000").click()
        await window.get_by_role("button", name="Confirm the top-up").click()
    await expect(page.get_by_role("heading", name="booked")).to_be_visible()
    await expect(second.get_by_role("alert").first).to_contain_text("topped up elsewhere")
    assert await windows.site.balance() == 7_000


async def test_another_card_does_not_replace_a_form_with_content_but_is_announced(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    amount = page.get_by_label("Another amount").last
    await amount.fill("3000")
    await windows.site.tap(NEW)
    announced = page.locator("#desk-other")
    await expect(announced).to_be_visible()
    await expect(announced).to_contain_text("0477 AA55 BB22 CC")
    await expect(amount).to_have_value("3000")
    await page.get_by_role("button", name="Confirm the top-up").click()
    await expect(page.get_by_role("alert").first).to_contain_text("Another card was held to the reader")
    await expect(amount).to_have_value("3000")
    assert await windows.site.balance() == 5_000


async def test_the_card_of_the_form_tapped_again_may_be_booked(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    await page.get_by_label("Another amount").last.fill("3000")
    await windows.site.tap(NEW)
    await expect(page.locator("#desk-other")).to_be_visible()
    await windows.site.tap_again(ANNA)
    await expect(page.locator("#desk-other")).to_be_hidden()
    await page.get_by_role("button", name="Confirm the top-up").click()
    await expect(page.get_by_role("heading", name="booked")).to_be_visible()
    assert await windows.site.balance() == 8_000


async def test_a_reader_that_types_into_the_amount_neither_books_nor_replaces_the_form(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    amount = page.get_by_label("Another amount").last
    await amount.press_sequentially("30", delay=80)
    await type_like_a_reader(page, OTHER.lower())
    await expect(page.locator("#desk-other")).to_contain_text("04FF EE11 2233 44")
    await expect(amount).to_have_value("30")
    assert await windows.site.balance() == 5_000
    await (
        page.get_by_role("button", name="Show the other card")
        .or_(page.get_by_role("link", name="Show the other card"))
        .click()
    )
    await page.wait_for_url(f"**/desk/cards/{OTHER}")


async def test_a_balance_that_changes_meanwhile_is_shown_and_the_typed_amount_stays(windows: Windows):
    await windows.site.prepaid()
    page = await show(windows, ANNA)
    amount = page.get_by_label("Another amount").last
    await amount.fill("3000")
    other = await windows.clerk()
    await other.goto(f"{windows.site.base}/desk/cards/{ANNA}")
    await other.locator("label.tile", has_text="2\u00a0000").click()
    await other.get_by_role("button", name="Confirm the top-up").click()
    await expect(page.locator(".desk-balance")).to_contain_text("7\u00a0000\u00a0Ft")
    await expect(amount).to_have_value("3000")


async def test_an_unplugged_reader_shows_itself_and_comes_back(windows: Windows):
    page = await waiting(windows)
    windows.site.reader.unplug()
    await expect(page.get_by_text("Reader unplugged")).to_be_visible()
    await expect(page.locator("#desk-number")).to_be_focused()
    windows.site.reader.plug()
    await expect(page.get_by_text("Reader ready")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "hu"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE, NARROW], ids=["1280", "390", "320"])
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(windows: Windows, size, language):
    await windows.site.prepaid()
    await windows.site.personal()
    page = await windows.clerk(size, language)
    await windows.site.ctx.write(_read_in, windows.site.clerk, language)
    for path in (
        "/desk",
        "/desk/find?number=kovacs",
        "/desk/find?number=04A1B",
        f"/desk/cards/{ANNA}",
        f"/desk/cards/{OTHER}",
        f"/desk/cards/{NEW}",
        f"/desk/cards/{ANNA}/top-ups/1",
        f"/desk/cards/{ANNA}/top-ups/1/slip",
        "/admin/qr",
    ):
        await page.goto(windows.site.base + path)
        assert await windows.faults(page) == [], path
    await page.goto(f"{windows.site.base}/desk/cards/{NEW}")
    await page.locator(".desk-confirm button").click()
    await page.locator("#errors").wait_for()
    assert await windows.faults(page) == []


def _read_in(tx, operator: int, language: str) -> None:
    from onprem_csms.services.access import operators

    operators.set_language(tx, operator, language)
