from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onprem_csms.services.core import audit
from tests.api.charger import Charger
from tests.api.conftest import Api

CARD = "04AA0001"
LATER = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
PROFILE: dict[str, Any] = {
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
    },
}


def wish(**more: object) -> dict[str, object]:
    """A reservation of connector 1 for the card."""
    return {"charger": "CP1", "connector": 1, "token": CARD, "expires_at": LATER.isoformat(), **more}


async def test_a_reservation_is_made_shown_and_cancelled(api: Api, charger: Charger) -> None:
    await api.post("/tokens", {"token": CARD, "group": "FLEET"})
    made = await api.post("/reservations", wish(), role="desk")
    assert made.status == 201
    assert (made.body["status"], made.body["token"], made.body["group"]) == ("active", CARD, "FLEET")
    assert datetime.fromisoformat(made.body["expires_at"]) == LATER
    action, request = charger.asked[0]
    assert (action, request["reservation_id"], request["id_tag"]) == ("ReserveNow", made.body["id"], CARD)
    place = f"/reservations/{made.body['id']}"
    assert (await api.get(place)).body == made.body
    assert (await api.get("/reservations?charger=CP1&status=active")).body["items"] == [made.body]
    gone = await api.delete(place, role="desk")
    assert (gone.status, gone.body["status"]) == (200, "cancelled")
    assert charger.asked[1] == ("CancelReservation", {"reservation_id": made.body["id"]})
    assert (await api.delete(place)).status == 409
    assert (await api.get("/reservations?status=active")).body["items"] == []
    lines = await api.ctx.read(audit.find, None, 4)
    assert [(line.action, line.actor) for line in lines] == [
        ("reservation.cancelled", "api:desk"),
        ("command.wanted", "api:desk"),
        ("reservation.made", "api:desk"),
        ("command.wanted", "api:desk"),
    ]


async def test_a_reservation_that_the_charger_refuses_is_none(api: Api, charger: Charger) -> None:
    await api.post("/tokens", {"token": CARD})
    charger.answer = "Occupied"
    refused = await api.post("/reservations", wish())
    assert refused.status == 409
    assert "Occupied" in refused.body["detail"]
    assert (await api.get("/reservations")).body["items"] == []


async def test_a_reservation_needs_a_card_a_charger_and_a_time_to_come(api: Api, charger: Charger) -> None:
    assert (await api.post("/reservations", wish())).paths == ["token"]
    await api.post("/tokens", {"token": CARD})
    assert (await api.post("/reservations", wish(charger="CP9"))).status == 404
    past = await api.post("/reservations", wish(expires_at="2020-01-01T00:00:00Z"))
    assert (past.status, past.paths) == (422, ["expires_at"])
    assert (await api.get("/reservations/7")).status == 404
    assert charger.asked == []


async def test_a_reservation_that_was_sent_as_a_command_is_on_record_too(api: Api, charger: Charger) -> None:
    request = {"connectorId": 1, "expiryDate": LATER.isoformat(), "idTag": CARD, "reservationId": 77}
    assert (await api.post("/chargers/CP1/commands/ReserveNow", request)).body["status"] == "answered"
    found = (await api.get("/reservations/77?charger=CP1")).body
    assert (found["status"], found["token"], found["connector"]) == ("active", CARD, 1)
    await api.post("/tokens", {"token": CARD})
    assert (await api.post("/reservations", wish())).body["id"] == 78


@pytest.mark.parametrize("call_timeout", [1])
async def test_a_charger_that_does_not_answer_is_told_apart(api: Api, charger: Charger) -> None:
    await api.post("/tokens", {"token": CARD})
    charger.silent = True
    assert (await api.post("/reservations", wish())).status == 502


async def test_a_profile_is_kept_changed_and_removed(api: Api) -> None:
    made = await api.post("/charging-profiles", {"description": "Night", "profile": PROFILE})
    assert (made.status, made.body["profile"]) == (201, PROFILE)
    place = f"/charging-profiles/{made.body['id']}"
    assert (await api.get(place, role="viewer")).body == made.body
    renamed = await api.patch(place, {"description": "Day"})
    assert (renamed.body["description"], renamed.body["profile"]) == ("Day", PROFILE)
    other = await api.patch(place, {"profile": {**PROFILE, "stackLevel": 2}})
    assert (other.body["description"], other.body["profile"]["stackLevel"]) == ("Day", 2)
    assert [one["id"] for one in (await api.get("/charging-profiles")).body["items"]] == [made.body["id"]]
    assert (await api.delete(place)).status == 204
    assert (await api.get(place)).status == 404
    empty = await api.post("/charging-profiles", {"profile": {}})
    assert (empty.status, empty.paths) == (422, ["profile"])


async def test_a_profile_goes_out_under_its_number_and_is_in_force(api: Api, charger: Charger) -> None:
    number = (await api.post("/charging-profiles", {"profile": PROFILE})).body["id"]
    applied = await api.post(f"/charging-profiles/{number}/apply", {"charger": "CP1", "connector": 1})
    assert (applied.status, applied.body["id"], applied.body["stack_level"]) == (200, number, 1)
    assert (applied.body["evse"], applied.body["connector"]) == (0, 1)
    _, request = charger.asked[0]
    assert request["cs_charging_profiles"]["charging_profile_id"] == number
    assert (await api.get("/chargers/CP1/charging-profiles")).body["items"] == [applied.body]
    charger.answer = "Rejected"
    assert (await api.post(f"/charging-profiles/{number}/apply", {"charger": "CP1"})).status == 409


async def test_a_profile_that_the_protocol_does_not_know_is_refused_with_the_path(
    api: Api, charger: Charger
) -> None:
    number = (await api.post("/charging-profiles", {"profile": {**PROFILE, "stackLevel": "low"}})).body["id"]
    reply = await api.post(f"/charging-profiles/{number}/apply", {"charger": "CP1"})
    assert (reply.status, reply.paths) == (422, ["csChargingProfiles.stackLevel"])
    assert charger.asked == []
    assert (await api.post("/charging-profiles/9/apply", {"charger": "CP1"})).status == 404
