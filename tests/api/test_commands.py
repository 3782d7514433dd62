import asyncio

import pytest

from tests.api.charger import Charger
from tests.api.conftest import Api

RESET = "/chargers/CP1/commands/Reset"


async def test_a_command_goes_out_as_it_is_and_its_answer_comes_back(api: Api, charger: Charger) -> None:
    reply = await api.post(RESET, {"type": "Soft"})
    assert reply.status == 200
    number = reply.body.pop("id")
    assert reply.body == {
        "status": "answered",
        "request": {"type": "Soft"},
        "response": {"status": "Accepted"},
    }
    assert charger.asked == [("Reset", {"type": "Soft"})]
    record = (await api.get(f"/chargers/CP1/commands/{number}")).body
    assert (record["action"], record["status"], record["origin"]) == ("Reset", "answered", "api:admin")
    assert (await api.get(f"/commands/{number}")).body == record
    assert (await api.get("/chargers/CP1/commands")).body["items"] == [record]


async def test_what_the_charger_refuses_is_an_answer_too(api: Api, charger: Charger) -> None:
    charger.answer = "Rejected"
    reply = await api.post(RESET, {"type": "Hard"})
    assert (reply.status, reply.body["status"]) == (200, "answered")
    assert reply.body["response"] == {"status": "Rejected"}


async def test_what_the_charger_does_not_know_is_an_error_with_its_code(api: Api, charger: Charger) -> None:
    reply = await api.post("/chargers/CP1/commands/ClearCache", {})
    assert (reply.status, reply.body["status"]) == (200, "error")
    assert reply.body["response"]["code"] in ("NotImplemented", "NotSupported")
    assert set(reply.body["response"]) == {"code", "description", "details"}


@pytest.mark.parametrize("call_timeout", [1])
async def test_a_charger_that_does_not_answer_in_time_is_a_timeout(api: Api, charger: Charger) -> None:
    charger.silent = True
    reply = await api.post(RESET, {"type": "Soft"})
    assert (reply.status, reply.body["status"], reply.body["response"]) == (200, "timeout", None)


async def test_a_command_that_is_not_waited_for_is_polled(api: Api, charger: Charger) -> None:
    reply = await api.post(f"{RESET}?wait=false", {"type": "Soft"})
    assert (reply.status, reply.body["status"]) == (202, "sent")
    place = reply.headers["Location"].removeprefix("/api/v1")
    assert place == f"/chargers/CP1/commands/{reply.body['id']}"
    while (record := (await api.get(place)).body)["status"] in ("wanted", "sent"):  # noqa: ASYNC110 - it polls
        await asyncio.sleep(0.02)
    assert (record["status"], record["response"]) == ("answered", {"status": "Accepted"})


async def test_an_empty_body_is_an_empty_request(api: Api, charger: Charger) -> None:
    reply = await api.post("/chargers/CP1/commands/GetConfiguration")
    assert (reply.status, reply.body["request"]) == (200, {})
    assert charger.asked == [("GetConfiguration", {})]


@pytest.mark.parametrize(
    "action,body,answer",
    [
        ("Reset", {"type": "Gentle"}, (422, ["type"])),
        ("Reset", {}, (422, ["type"])),
        ("Reset", {"type": "Soft", "colour": "red"}, (422, ["colour"])),
        ("Reset", [], (422, [""])),
        ("RemoteStartTransaction", {"idTag": "A" * 21}, (422, ["idTag"])),
        ("CancelReservation", {"reservationId": "one"}, (422, ["reservationId"])),
        ("Explode", {}, (404, [])),
        ("reset", {"type": "Soft"}, (404, [])),
        ("BootNotification", {}, (404, [])),
    ],
)
async def test_a_command_that_can_not_be_is_not_sent(
    api: Api, charger: Charger, action: str, body: object, answer: tuple[int, list[str]]
) -> None:
    reply = await api.post(f"/chargers/CP1/commands/{action}", body)
    assert (reply.status, reply.paths) == answer
    assert charger.asked == []


async def test_a_charger_that_is_offline_is_a_conflict_and_one_that_is_not_there_is_not_found(
    api: Api,
) -> None:
    await api.post("/chargers", {"id": "CP1"})
    assert (await api.post(RESET, {"type": "Soft"})).status == 409
    assert (await api.post("/chargers/CP9/commands/Reset", {"type": "Soft"})).status == 404


async def test_a_command_of_another_charger_is_not_found_at_this_one(api: Api, charger: Charger) -> None:
    number = (await api.post(RESET, {"type": "Soft"})).body["id"]
    await api.post("/chargers", {"id": "CP2"})
    assert (await api.get(f"/chargers/CP2/commands/{number}")).status == 404
    assert (await api.get("/commands/999")).status == 404
