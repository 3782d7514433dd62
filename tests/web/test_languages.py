import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po

from onprem_csms.web.formats import Formats
from onprem_csms.web.languages import FOLDER, accepted
from tests.web.site import Site
from tests.web.test_headers import EVERY_PAGE

# Words that are the same in both languages, names and numbers aside.
WORD = re.compile(r">\s*([A-Za-zÀ-ž][^<>{}]*[a-zà-ž])\s*<")


def test_the_browser_is_asked_for_its_languages_in_order():
    assert accepted("hu-HU,hu;q=0.9,en;q=0.8") == "hu"
    assert accepted("de, en;q=0.3, hu;q=0.5") == "hu"
    assert accepted("de,fr") == ""
    assert accepted("hu;q=nonsense,en") == "en"
    assert accepted("," * 10_000) == ""


def test_the_end_of_time_can_be_written_in_any_zone():
    formats = Formats("en", ZoneInfo("Europe/Budapest"))
    assert formats.when(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) == "31 Dec 9999, 23:59"


async def test_the_switch_beats_the_browser_and_the_operators_own_choice_stays(site: Site):
    visitor = await site.visitor(Accept_Language="hu")
    assert "Bejelentkezés" in (await visitor.get("/admin/sign-in")).text
    page = await visitor.post("/language", {"language": "en", "back": "/admin/sign-in"})
    assert page.location == "/admin/sign-in"
    assert "Sign in" in (await visitor.get("/admin/sign-in")).text
    await visitor.sign_in("clerk")
    await visitor.post("/language", {"language": "hu", "back": "/admin/"})
    elsewhere = await site.visitor(Accept_Language="en")
    await elsewhere.sign_in("clerk")
    assert "Áttekintés" in (await elsewhere.get("/admin/")).text


async def test_the_switch_leads_back_to_our_own_pages_only(site: Site):
    visitor = await site.visitor()
    for back in ("https://evil.example", "//evil.example", ""):
        assert (await visitor.post("/language", {"language": "hu", "back": back})).location == "/"


async def test_no_english_is_left_on_a_hungarian_page(site: Site):
    with (FOLDER / "hu" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="hu")
    english = {
        message.id for message in catalogue if isinstance(message.id, str) and message.id != message.string
    }
    english -= {message.string for message in catalogue}
    visitor = await site.visitor(Accept_Language="hu")
    await visitor.sign_in("admin")
    for path in EVERY_PAGE:
        page = await visitor.get(path)
        assert page.status == 200, path
        assert '<html lang="hu">' in page.text
        assert not english & set(WORD.findall(page.text)), path


def test_values_are_written_the_way_of_each_language():
    zone = ZoneInfo("Europe/Budapest")
    english, hungarian = Formats("en", zone), Formats("hu", zone)
    assert hungarian.energy(23_457) == "23,457\u00a0kWh"
    assert english.energy(123_457) == "123.5\u00a0kWh"
    assert hungarian.money(5_000, "HUF") == "5\u00a0000\u00a0Ft"
    assert english.money(1_250, "EUR") == "€12.50"
    assert english.power(11_040) == "11.0\u00a0kW"
    assert english.duration(3_725) == "1\u00a0h 02\u00a0min"
    assert english.energy(None) == english.when(None) == "–"
