import asyncio
import base64
import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpClient

from onprem_csms import config
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import review
from onprem_csms.services.money import tariffs
from onprem_csms.web import base, words
from onprem_csms.web.admin import settings
from onprem_csms.web.guards import Routes, public
from tests.web.site import CARD, CHARGER, Site, Visitor, charger_path


async def test_the_overview_says_what_is_wrong_what_charges_and_what_today_earned(site: Site, admin: Visitor):
    page = await admin.get("/admin/", Accept_Language="en")
    for expected in (
        "0 of 1 chargers online",
        "GroundFailure",
        "11.0\u00a0kW",
        "2.000\u00a0kWh",
        "Kovács Ágnes",
    ):
        assert expected in page.text, expected
    assert re.search(r"Earned today.*?1\u00a0\d\d\d\u00a0Ft", page.text, re.DOTALL)


async def test_an_unknown_charger_is_accepted_by_a_click_with_what_to_type_into_it(
    site: Site, admin: Visitor
):
    url = site.base.replace("http", "ws") + "/ocpp/NEW-7"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url, protocols=["ocpp1.6"])
        page = await admin.get("/admin/chargers", Accept_Language="en")
        assert "NEW-7" in page.text
        assert "The charger is not known here." in page.text
        shown = await admin.post("/admin/chargers/accept", {"identity": "NEW-7", "use": "generate"})
        assert shown.status == 200
        found = re.search(r'data-copy="([A-Za-z0-9]{20})"', shown.text)
        assert found
        assert f'data-copy="{url}"' in shown.text
        basic = base64.b64encode(f"NEW-7:{found[1]}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        async with http.ws_connect(url, protocols=["ocpp1.6"], headers=headers) as socket:
            assert not socket.closed
            assert "NEW-7" in (await admin.get("/admin/chargers")).text
    later = await admin.get("/admin/chargers/NEW-7/settings")
    assert found[1] not in later.text


async def test_a_refused_handshake_of_a_known_charger_is_shown_with_its_reason(site: Site, admin: Visitor):
    url = site.base.replace("http", "ws") + "/ocpp/GARAGE%2F1"
    basic = base64.b64encode(b"GARAGE/1:wrong-password").decode()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url, protocols=["ocpp1.6"], headers={"Authorization": f"Basic {basic}"})
    assert "The password is wrong." in (await admin.get(charger_path(), Accept_Language="en")).text
    assert "The password is wrong." in (await admin.get("/admin/chargers", Accept_Language="en")).text


async def test_a_charger_can_be_added_by_hand_and_a_taken_identity_is_said_beside_its_field(
    site: Site, admin: Visitor
):
    assert (await admin.post("/admin/chargers/new", {"id": "HAND-1", "name": "By hand"})).status == 200
    twice = await admin.post("/admin/chargers/new", {"id": "hand-1", "name": "Again"})
    assert twice.status == 409
    assert "HAND-1" in twice.text
    assert 'value="Again"' in twice.text
    assert 'aria-invalid="true"' in twice.text


async def test_the_settings_of_a_charger_are_saved_and_faults_keep_what_was_typed(site: Site, admin: Visitor):
    form = {
        "name": "Udvar",
        "registration": "pending",
        "security_profile": "1",
        "token_transform": "reverse",
        "tariff_id": "1",
        "max_power": "22,5",
        "allow_missing_subprotocol": "1",
    }
    assert (await admin.post(charger_path("settings"), form)).status == 303
    charger = await site.ctx.read(inventory.get, CHARGER)
    assert (charger.name, charger.registration, charger.max_power_w) == ("Udvar", "pending", 22_500)
    assert charger.allow_missing_subprotocol
    wrong = await admin.post(charger_path("settings"), {**form, "max_power": "much", "name": "Other"})
    assert wrong.status == 422
    assert 'value="Other"' in wrong.text
    assert 'value="much"' in wrong.text


async def test_a_connector_gets_its_own_name_and_tariff(site: Site, admin: Visitor):
    path = f"{charger_path()}/connectors/1"
    form = {"connector-1-name": "Left", "connector-1-tariff": "1"}
    assert (await admin.post(path, form)).status == 303
    connector = (await site.ctx.read(inventory.get, CHARGER)).connectors[0]
    assert (connector.name, connector.tariff_id) == ("Left", 1)


async def test_a_command_to_an_offline_charger_is_refused_on_the_page_itself(site: Site, admin: Visitor):
    page = await admin.post(charger_path("commands/reset"), {"kind": "soft"}, Accept_Language="en")
    assert page.status == 409
    assert "offline" in page.text
    raw = await admin.post(
        charger_path("commands/raw"), {"action": "Reset", "payload": "[1"}, Accept_Language="en"
    )
    assert raw.status == 422
    assert "This is no JSON." in raw.text
    assert "[1" in raw.text


@pytest.mark.parametrize(
    "answer,said",
    [
        ({"status": "Accepted"}, "The charger agreed."),
        ({"status": "Rejected"}, "The charger refused."),
        (None, "The charger answered with an error."),
    ],
)
async def test_what_a_charger_says_to_a_command_is_told_and_kept(
    site: Site, admin: Visitor, answer: dict[str, str] | None, said: str
):
    basic = base64.b64encode(f"{CHARGER}:a-long-password".encode()).decode()
    url = site.base.replace("http", "ws") + "/ocpp/GARAGE%2F1"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, protocols=["ocpp1.6"], headers={"Authorization": f"Basic {basic}"}) as socket,
    ):
        sending = asyncio.create_task(admin.post(charger_path("commands/reset"), {"kind": "hard"}))
        while (call := await socket.receive_json())[2] != "Reset":
            await socket.send_json([4, call[1], "NotSupported", "", {}])
        assert call[3] == {"type": "Hard"}
        await socket.send_json(
            [4, call[1], "InternalError", "", {}] if answer is None else [3, call[1], answer]
        )
        sent = await sending
        assert sent.status == 303
        page = await admin.get(charger_path("commands"), Accept_Language="en")
        assert said in page.text
        assert "&#34;type&#34;: &#34;Hard&#34;" in page.text
        assert said not in (await admin.get(charger_path("commands"), Accept_Language="en")).text


async def test_a_session_shows_its_bill_and_its_curve(site: Site, admin: Visitor):
    page = await admin.get("/admin/sessions/1", Accept_Language="en")
    for expected in ("7.500\u00a0kWh", "1\u00a0418\u00a0Ft", "Start fee", "149\u00a0Ft/kWh"):
        assert expected in page.text, expected
    curve = await admin.get("/admin/sessions/1/curve.json")
    assert curve.response.content_type == "application/json"
    assert '"power_w"' in curve.text
    assert (await admin.get("/admin/sessions/999999")).status == 404
    assert (await admin.get("/admin/sessions/nonsense")).status == 404


async def test_sessions_are_filtered_and_a_filter_without_hits_offers_all(site: Site, admin: Visitor):
    running = await admin.get("/admin/sessions?state=active")
    assert "/admin/sessions/2" in running.text
    assert 'href="/admin/sessions/1"' not in running.text
    nothing = await admin.get("/admin/sessions?card=DEADBEEF", Accept_Language="en")
    assert "No session fits" in nothing.text
    assert "Show all" in nothing.text


async def test_a_stale_session_is_closed_without_its_charger_and_leaves_a_trace(site: Site, admin: Visitor):
    assert (await admin.post("/admin/sessions/2/close")).location == "/admin/sessions/2"
    page = await admin.get("/admin/sessions/2", Accept_Language="en")
    assert "Closed by an operator" in page.text
    assert (await admin.post("/admin/sessions/2/close")).status == 409
    assert "Session closed" in (await admin.get("/admin/audit", Accept_Language="en")).text


async def test_people_are_added_changed_and_found_without_accents(site: Site, admin: Visitor):
    form = {"name": "Őri Árpád", "email": "ori@example.org", "phone": "", "note": "", "language": "hu"}
    added = await admin.post("/admin/people/new", form)
    assert added.status == 303
    assert "Őri Árpád" in (await admin.get("/admin/people?text=ori")).text
    wrong = await admin.post(added.location, {**form, "email": "nonsense"}, Accept_Language="en")
    assert wrong.status == 422
    assert "This is no e-mail address." in wrong.text
    assert 'value="nonsense"' in wrong.text


async def test_a_card_is_issued_blocked_and_unblocked(site: Site, admin: Visitor):
    form = {
        "uid": "04:11:22:33",
        "type": "personal",
        "person_id": "1",
        "label": "Key ring",
        "group": "",
        "expires_at": "2027-01-31T12:00",
    }
    issued = await admin.post("/admin/cards/new", form)
    assert issued.location == "/admin/cards/04112233"
    assert 'value="2027-01-31T12:00"' in (await admin.get(issued.location)).text
    assert (
        await admin.post(issued.location + "/block", {"reason": "Found in the yard", "status": "lost"})
    ).status == 303
    assert "Found in the yard" in (await admin.get(issued.location)).text
    assert (await admin.post(issued.location + "/unblock")).status == 303
    assert "Found in the yard" not in (await admin.get(issued.location)).text
    twice = await admin.post("/admin/cards/new", form, Accept_Language="en")
    assert twice.status == 409
    assert "already issued" in twice.text


async def test_a_card_without_a_fitting_pin_keeps_everything_that_was_typed(site: Site, admin: Visitor):
    form = {"uid": "04112233", "type": "prepaid", "label": "New", "group": "", "expires_at": "", "pin": "12"}
    page = await admin.post("/admin/cards/new", form, Accept_Language="en")
    assert page.status == 422
    assert "4 to 8 digits" in page.text
    assert 'value="New"' in page.text
    assert 'value="12"' not in page.text


TARIFF = {
    "name": "Night",
    "currency": "HUF",
    "per_kwh": "149,5",
    "start_fee": "100",
    "per_minute": "",
    "idle_per_minute": "20",
    "idle_grace_minutes": "10",
    "vat_percent": "27",
    "prices_include_vat": "1",
    "second_per_kwh": "99",
    "second_from": "22:00",
    "second_until": "06:00",
}


async def test_a_tariff_with_a_second_price_reads_back_as_it_was_written(site: Site, admin: Visitor):
    added = await admin.post("/admin/tariffs/new", TARIFF)
    assert added.status == 303
    page = await admin.get(added.location, Accept_Language="en")
    for expected in (
        "149.5\u00a0Ft per kWh",
        "99\u00a0Ft per kWh from 22:00 to 06:00",
        "after 10 free minutes",
        'value="22:00"',
        'value="149.5"',
    ):
        assert expected in page.text, expected
    saved = await admin.post(
        added.location, {**TARIFF, "second_per_kwh": "", "second_from": "", "second_until": ""}
    )
    assert saved.status == 303
    stored = await site.ctx.read(tariffs.get, int(added.location.rsplit("/", 1)[1]))
    assert len(stored.tariff.elements) == 1


@pytest.mark.parametrize(
    "change,said",
    [
        ({"second_until": ""}, "A second price needs the price, its begin and its end."),
        ({"second_until": "22:00"}, "Begin and end must differ."),
        ({"per_kwh": "cheap"}, "Write a number"),
        ({"vat_percent": "270"}, "A percentage lies between 0 and 100."),
        ({"name": ""}, "Fill this in."),
    ],
)
async def test_a_tariff_that_can_not_be_is_told_by_field(
    site: Site, admin: Visitor, change: dict[str, str], said: str
):
    page = await admin.post("/admin/tariffs/new", {**TARIFF, **change}, Accept_Language="en")
    assert page.status == 422
    assert said in page.text
    field = next(iter(change))
    assert f'id="about-{field}" class="fault"' in page.text


async def test_a_review_is_ticked_off_with_a_note(site: Site, admin: Visitor):
    items = await site.ctx.read(review.find)
    assert items
    for item in items:
        assert (await admin.post(f"/admin/review/{item.id}/resolve", {"note": "Seen <b>"})).status == 303
    assert "Nothing to review" in (await admin.get("/admin/review", Accept_Language="en")).text
    assert "Seen &lt;b&gt;" in (await admin.get("/admin/review?all=1")).text


async def test_an_api_key_is_shown_once_and_ends_by_a_click(site: Site, admin: Visitor):
    page = await admin.post("/admin/settings/api-keys", {"key_name": "Backup", "key_role": "viewer"})
    found = re.search(r"csms_[A-Za-z0-9_-]{20,}", page.text)
    assert found
    assert found[0] not in (await admin.get("/admin/settings")).text
    visitor = await site.visitor()
    headers = {"Authorization": f"Bearer {found[0]}"}
    assert (await visitor.get("/api/v1/chargers", **headers)).status == 200
    await admin.post("/admin/settings/api-keys/1/revoke")
    assert (await visitor.get("/api/v1/chargers", **headers)).status == 401


async def test_what_does_not_exist_has_a_friendly_page(site: Site, admin: Visitor):
    for path in (
        "/nowhere",
        "/admin/people/4711",
        "/admin/cards/00000000",
        "/admin/chargers/NOBODY",
        "/admin/tariffs/x",
    ):
        page = await admin.get(path)
        assert page.status == 404, path
        assert "<main" in page.text, path
    assert (await admin.post("/admin/about")).status == 405


async def test_a_bug_shows_no_detail_and_is_logged_whole(
    site: Site, aiohttp_client: AiohttpClient, caplog: pytest.LogCaptureFixture
):
    async def broken(request: web.Request) -> web.StreamResponse:
        raise RuntimeError("a detail of the inside")

    app = web.Application()
    base.setup(app, site.ctx)
    Routes(app).get("/broken", public, broken)
    client = await aiohttp_client(app)
    response = await client.get("/broken", headers={"Accept-Language": "en"})
    page = await response.text()
    assert response.status == 500
    assert "Internal error" in page
    assert "the inside" not in page
    assert "a detail of the inside" in caplog.text


async def test_messages_are_filtered_by_direction_and_text(site: Site, admin: Visitor):
    site.ctx.store.log_message(CHARGER, "in", b'[2,"1","Heartbeat",{}]')
    site.ctx.store.log_message(CHARGER, "out", b'[3,"1",{"currentTime":"2026-11-22T08:00:00Z"}]')
    site.ctx.store.log_message(CHARGER, "in", b"not json {")
    await site.do(review.count_open)
    both = await admin.get(charger_path("messages"))
    assert both.text.count('id="message-') == 3
    assert "&#34;currentTime&#34;: &#34;2026" in both.text
    came = await admin.get(charger_path("messages") + "?direction=in")
    assert came.text.count('id="message-') == 2
    one = await admin.get(charger_path("messages") + "?text=heartBEAT")
    assert one.text.count('id="message-') == 1


async def test_a_card_number_of_the_test_is_on_its_page(site: Site, admin: Visitor):
    page = await admin.get(f"/admin/cards/{CARD}")
    assert "Kovács Ágnes" in page.text
    assert "50\u00a0000\u00a0Ft" in page.text


def test_every_setting_in_force_has_a_label_and_its_key_of_the_configuration():
    for setting in settings.in_force(SiteSettings()):
        assert setting.label != setting.key
        assert setting.key in config.HELP or setting.label.startswith("Tolerance for wrong clocks"), setting


def test_every_deed_of_the_audit_and_every_deviation_of_a_charger_has_a_word():
    package = Path(config.__file__).parent
    texts = [
        file.read_text() for folder in ("services", "web/admin") for file in (package / folder).rglob("*.py")
    ]
    named = re.compile(r"""audit\.note(?:\(\s*tx)?, "([a-z.-]+)"(?: if .* else "([a-z.-]+)")?""")
    deeds = {deed for text in texts for found in named.findall(text) for deed in found if deed}
    assert len(deeds) > 20
    assert deeds <= set(words.DEED)
    listed = re.findall(
        r"^\| `(\w+)` \|", (package.parent / "docs" / "chargers.md").read_text(), re.MULTILINE
    )
    assert set(listed) == set(words.QUIRK)
