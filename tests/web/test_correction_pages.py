"""A bill that waits is booked on a page, and a booked one corrected."""

from datetime import timedelta
from urllib.parse import urlencode

from onprem_csms.domain.charging.sessions import Reading
from onprem_csms.services.charging import reports, sessions
from onprem_csms.services.core.context import Tx
from tests import reporting
from tests.web.site import CARD, CHARGER, Site, Visitor


def absurd(tx: Tx) -> int:
    """Let the card charge 60 kWh within a minute: nothing delivers that."""
    began = tx.now - timedelta(seconds=60)
    answer = reports.take(tx, reporting.begin((CHARGER, 2), CARD, 1_000, began))
    told = [Reading(began + timedelta(seconds=10 * n), 1_000 + 100 * n, 30_000) for n in range(1, 6)]
    reports.take(tx, reporting.readings((CHARGER, 2), answer.reference, told))
    assert answer.reference is not None
    reports.take(tx, reporting.end(CHARGER, answer.reference, 61_000, tx.now))
    assert answer.session_id is not None
    return answer.session_id


async def test_a_bill_that_waits_is_calculated_and_then_booked(site: Site, admin: Visitor) -> None:
    session_id = await site.do(absurd)
    listed = await admin.get("/admin/review", Accept_Language="en")
    assert f'href="/admin/sessions/{session_id}/correct"' in listed.text
    assert "<polyline" in listed.text, "its readings are drawn"
    path = f"/admin/sessions/{session_id}/correct"
    page = await admin.get(path, Accept_Language="en")
    assert page.status == 200
    assert 'name="meter_start" type="text" autocomplete="off"\n      value="1.000"' in page.text
    typed = {
        "meter_start": "1.000",
        "meter_stop": "1.600",
        "payer": CARD,
        "tariff": "",
        "reason": "read on site",
    }
    shown = await admin.get(f"{path}?{urlencode(typed)}", Accept_Language="en")
    assert "389\u00a0Ft" in shown.text, "300 Ft and 0.6 kWh of 149 Ft"
    assert (await site.ctx.read(sessions.get, session_id)).state == "waiting", "nothing was booked by looking"
    booked = await admin.post(path, typed)
    assert (booked.status, booked.location.split("?")[0]) == (303, f"/admin/sessions/{session_id}")
    session = await site.ctx.read(sessions.get, session_id)
    assert (session.state, session.energy_wh, session.cost) == ("ended", 600, 389)
    after = await admin.get(f"/admin/sessions/{session_id}", Accept_Language="en")
    assert "read on site" in after.text


async def test_a_form_without_a_reason_or_with_a_wrong_meter_comes_back_with_what_was_typed(
    site: Site, admin: Visitor
) -> None:
    session_id = await site.do(absurd)
    path = f"/admin/sessions/{session_id}/correct"
    typed = {"meter_start": "9.5", "meter_stop": "8", "payer": CARD, "tariff": "", "reason": "r"}
    page = await admin.post(path, typed, Accept_Language="en")
    assert page.status == 422
    assert "The meter at the end is below the one at the begin." in page.text
    assert 'value="9.5"' in page.text
    page = await admin.post(path, {**typed, "meter_stop": "9.6", "reason": " "}, Accept_Language="en")
    assert page.status == 422
    assert (await site.ctx.read(sessions.get, session_id)).state == "waiting"


async def test_only_who_may_correct_comes_to_the_page(site: Site) -> None:
    session_id = await site.do(absurd)
    for name in ("clerk", "viewer"):
        visitor = await site.signed_in(name)
        assert (await visitor.get(f"/admin/sessions/{session_id}/correct")).status == 403
        assert (await visitor.post(f"/admin/sessions/{session_id}/correct", {"reason": "r"})).status == 403
