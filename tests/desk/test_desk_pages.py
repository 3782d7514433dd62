"""The desk's pages as the clerk's browser gets them: what was tapped, typed and sent, on the whole program."""

import re

from tests.desk.site import ANNA, NEW, OTHER, DeskSite, Pages, pages


async def open_tapped(site: DeskSite, desk: Pages, uid: str) -> str:
    """Tap a card and open what the page would open by itself."""
    await site.tap(uid)
    return await desk.get("/desk/tap")


async def test_a_tap_leads_to_the_card(site: DeskSite, desk: Pages):
    await site.prepaid()
    text = await open_tapped(site, desk, ANNA)
    assert desk.url == f"/desk/cards/{ANNA}"
    assert "Kovács Anna" in text
    assert "5\u00a0000\u00a0Ft" in text


async def test_an_unknown_card_is_offered_for_issue_and_shown_with_its_balance_afterwards(
    site: DeskSite, desk: Pages
):
    assert "New card" in await open_tapped(site, desk, NEW)
    fields = {"name": "Tóth Éva", "type": "prepaid", "amount": "5000", "pin": "8361"}
    text = await desk.post(f"/desk/cards/{NEW}/issue", **fields)
    assert "The card is issued" in text
    card = await site.card(NEW)
    assert (card.person_name, card.has_pin, await site.balance(NEW)) == ("Tóth Éva", True, 5_000)


async def test_a_top_up_shows_the_old_and_the_new_balance_and_can_be_printed(site: DeskSite, desk: Pages):
    await site.prepaid()
    await open_tapped(site, desk, ANNA)
    text = await desk.post(f"/desk/cards/{ANNA}/top-up", amount="other", other="1 500", document="NY-9")
    assert re.findall(r'class="num">\+?([\d\u00a0]+)\u00a0Ft', text) == [
        "5\u00a0000",
        "1\u00a0500",
        "6\u00a0500",
    ]
    slip = await desk.get(f"{desk.url}/slip")
    assert "Not a tax document" in slip
    assert "nem adóügyi bizonylat" in slip
    assert "NY-9" in slip
    assert not re.search("nyugta|számla", slip, re.IGNORECASE)


async def test_a_form_sent_twice_says_that_it_was_booked_once(site: DeskSite, desk: Pages):
    await site.prepaid()
    form = await open_tapped(site, desk, ANNA)
    await desk.post(f"/desk/cards/{ANNA}/top-up", amount="2000")
    first = desk.url
    desk.text = form
    text = await desk.post(f"/desk/cards/{ANNA}/top-up", amount="2000")
    assert (desk.status, desk.url) == (200, first)
    assert "It was booked once" in text
    assert await site.balance() == 7_000


async def test_a_card_swapped_between_reading_and_booking_is_refused(site: DeskSite, desk: Pages):
    await site.prepaid()
    await open_tapped(site, desk, ANNA)
    await site.tap(NEW)
    text = await desk.post(f"/desk/cards/{ANNA}/top-up", amount="2000")
    assert desk.status == 409
    assert "Another card was held to the reader" in text
    assert await site.balance() == 5_000


async def test_the_refused_form_stays_refused_until_its_card_is_on_the_reader_again(
    site: DeskSite, desk: Pages
):
    await site.prepaid()
    await open_tapped(site, desk, ANNA)
    await site.tap(NEW)
    for _ in range(2):
        await desk.post(f"/desk/cards/{ANNA}/top-up", amount="2000")
        assert desk.status == 409
    await site.tap_again(ANNA)
    await desk.get("/desk/tap")
    await desk.post(f"/desk/cards/{ANNA}/top-up", amount="2000")
    assert await site.balance() == 7_000


async def test_a_refused_tap_after_the_card_was_shown_refuses_the_booking_too(site: DeskSite, desk: Pages):
    await open_tapped(site, desk, NEW)
    await site.tap("08010203")
    await desk.post(f"/desk/cards/{NEW}/issue", name="Tóth Éva", type="prepaid", amount="5000")
    assert desk.status == 409


async def test_a_tap_number_that_was_made_up_books_nothing(site: DeskSite, desk: Pages):
    await site.prepaid()
    await desk.get(f"/desk/cards/{ANNA}?tap=4711")
    await desk.post(f"/desk/cards/{ANNA}/top-up", amount="2000")
    assert desk.status == 409
    assert await site.balance() == 5_000


async def test_a_card_that_makes_its_number_up_shows_why_it_was_refused(site: DeskSite, desk: Pages):
    text = await open_tapped(site, desk, "08010203")
    assert "This card was not taken." in text
    assert "new number at each tap" in text


async def test_a_reader_that_types_on_a_hungarian_keyboard_finds_the_card(site: DeskSite, desk: Pages):
    await site.prepaid()
    await desk.get("/desk/find?number=" + ANNA.replace("0", "ö"))
    assert desk.url == f"/desk/cards/{ANNA}"
    await desk.get("/desk/find?number=04a1 b2c3 d4e5 80")
    assert desk.url == f"/desk/cards/{ANNA}"


async def test_a_typed_card_is_booked_without_a_reader(site: DeskSite, desk: Pages):
    await site.prepaid()
    site.reader.unplug()
    await desk.get(f"/desk/find?number={ANNA}")
    await desk.post(f"/desk/cards/{ANNA}/top-up", amount="2000")
    assert await site.balance() == 7_000


async def test_decimal_numbers_are_read_as_this_desk_says(site: DeskSite, desk: Pages):
    await desk.post("/desk/settings", station="desk", format="decimal")
    await desk.get("/desk/find?number=1386022627")
    assert desk.url == "/desk/cards/529D06E3"


async def test_a_typed_number_that_can_not_be_a_card_says_why(site: DeskSite, desk: Pages):
    assert "odd number of digits" in await desk.get("/desk/find?number=04A1B2C3D")
    assert "makes up a new number" in await desk.get("/desk/find?number=08010203")


async def test_a_made_up_number_can_not_be_issued_past_the_field(site: DeskSite, desk: Pages):
    await desk.get("/desk/cards/08010203")
    await desk.post("/desk/cards/08010203/issue", name="Nobody", type="prepaid")
    assert desk.status == 422


async def test_a_name_lists_its_cards_and_nothing_found_says_so(site: DeskSite, desk: Pages):
    await site.prepaid()
    assert f"/desk/cards/{ANNA}" in await desk.get("/desk/find?number=kovacs")
    assert "No card and no holder matches" in await desk.get("/desk/find?number=Zsigmond")


async def test_the_desk_asks_which_of_two_people_of_one_name_is_meant(site: DeskSite, desk: Pages):
    anna = await site.prepaid()
    await open_tapped(site, desk, NEW)
    fields = {"name": "Kovács Anna", "type": "personal", "pin": "8361"}
    text = await desk.post(f"/desk/cards/{NEW}/issue", **fields)
    assert desk.status == 409
    assert "Who is the card for?" in text
    await desk.post(f"/desk/cards/{NEW}/issue", **fields, person=anna.person_id or 0)
    assert (await site.card(NEW)).person_id == anna.person_id


async def test_no_amount_chosen_books_nothing_and_keeps_what_was_typed(site: DeskSite, desk: Pages):
    await site.prepaid()
    await open_tapped(site, desk, ANNA)
    text = await desk.post(f"/desk/cards/{ANNA}/top-up", document="NY-5")
    assert desk.status == 422
    assert "Choose an amount." in text
    assert 'value="NY-5"' in text


async def test_a_digit_burst_of_a_keyboard_reader_is_no_amount(site: DeskSite, desk: Pages):
    await site.prepaid()
    await open_tapped(site, desk, ANNA)
    await desk.post(f"/desk/cards/{ANNA}/top-up", amount="other", other="0009334109")
    assert desk.status == 422
    assert await site.balance() == 5_000


async def test_a_card_is_blocked_with_a_reason_and_unblocked(site: DeskSite, desk: Pages):
    await site.prepaid()
    await open_tapped(site, desk, ANNA)
    await desk.post(f"/desk/cards/{ANNA}/block")
    assert desk.status == 422
    text = await desk.post(f"/desk/cards/{ANNA}/block", reason="lost", words="left in a bus")
    assert "left in a bus" in text
    assert (await site.card()).status == "lost"
    await desk.post(f"/desk/cards/{ANNA}/unblock")
    assert (await site.card()).status == "active"


async def test_a_new_pin_at_the_desk_opens_the_drivers_page(site: DeskSite, desk: Pages, visitor: Pages):
    await site.prepaid()
    await desk.get(f"/desk/cards/{ANNA}")
    await desk.post(f"/desk/cards/{ANNA}/pin", pin="9402")
    await visitor.post("/driver/sign-in", number=ANNA, pin="9402")
    assert visitor.url == "/driver"


async def test_an_unplugged_reader_is_told_and_the_field_stays(site: DeskSite, desk: Pages):
    await site.until(lambda: site.ctx.readers.states()[0].state == "connected", "desk")
    assert "Reader ready" in await desk.get("/desk")
    site.reader.unplug()
    await site.until(lambda: site.ctx.readers.states()[0].state != "connected", "desk")
    text = await desk.get("/desk")
    assert "Reader unplugged" in text
    assert 'id="desk-number"' in text


async def test_every_connector_has_a_label_with_its_address_and_files_to_print(site: DeskSite, desk: Pages):
    address = f"{site.base}/c/{await site.slug()}"
    for sheet in ("/admin/qr", "/admin/chargers/CP1/qr"):
        text = await desk.get(sheet)
        assert address in text
        assert "Scan to see the price" in text
        assert "Olvassa be" in text
    async with desk.http.get(f"{site.base}/admin/chargers/CP1/connectors/1/qr.png") as answer:
        assert (await answer.read()).startswith(b"\x89PNG")
    async with desk.http.get(f"{site.base}/admin/chargers/CP1/connectors/1/qr.svg") as answer:
        assert b"<svg" in await answer.read()


async def test_nobody_without_the_role_comes_to_the_desk(site: DeskSite, visitor: Pages):
    await site.prepaid()
    await visitor.get("/desk")
    assert visitor.url == "/admin/sign-in"
    await visitor.post(f"/desk/cards/{ANNA}/top-up", amount="2000", key="x", tap=0, seen=0)
    assert visitor.status == 401
    async with pages(site, csms_driver=await site.driver_secret()) as driver:
        await driver.post(f"/desk/cards/{ANNA}/top-up", amount="2000", key="x", tap=0, seen=0)
        assert driver.status == 401
    assert await site.balance() == 5_000


async def test_a_form_of_another_site_books_nothing(site: DeskSite, desk: Pages):
    await site.prepaid()
    await desk.get(f"/desk/cards/{ANNA}")
    desk.http.headers["Origin"] = "http://evil.example"
    await desk.post(f"/desk/cards/{ANNA}/top-up", amount="2000")
    assert desk.status == 403
    assert await site.balance() == 5_000


async def test_the_spending_shows_top_ups_and_a_personal_card_its_energy(site: DeskSite, desk: Pages):
    await site.prepaid()
    assert "Top-up" in await desk.get(f"/desk/cards/{ANNA}")
    await site.personal()
    assert "charges without paying" in await desk.get(f"/desk/cards/{OTHER}")
