import contextlib

import pytest
import websockets

from tests.api.charger import PASSWORD, Charger, connected
from tests.api.conftest import Api


async def test_a_charger_is_added_read_changed_and_removed(api: Api) -> None:
    made = await api.post("/chargers", {"id": "CP 1", "name": "Yard", "password": PASSWORD})
    assert made.status == 201
    assert made.headers["Location"] == "/api/v1/chargers/CP%201"
    assert (made.body["registration"], made.body["security_profile"]) == ("accepted", 1)
    assert (made.body["online"], made.body["connectors"], made.body["quirks"]) == (False, [], {})
    assert made.body["has_password"] is True
    assert PASSWORD not in str(made.body)
    assert (await api.get("/chargers/CP%201", role="viewer")).body == made.body
    changed = await api.patch(
        "/chargers/CP%201",
        {
            "registration": "pending",
            "security_profile": 2,
            "token_transform": "reverse",
            "max_power_w": 22000,
        },
    )
    assert changed.status == 200
    assert {name for name in made.body if made.body[name] != changed.body[name]} == {
        "registration",
        "security_profile",
        "token_transform",
        "max_power_w",
    }
    assert (await api.delete("/chargers/CP%201")).status == 204
    assert (await api.get("/chargers/CP%201")).status == 404
    assert (await api.get("/chargers")).body["items"] == []


async def test_what_a_charger_says_of_itself_is_shown(api: Api, charger: Charger) -> None:
    await charger.boot()
    shown = (await api.get("/chargers/CP1")).body
    assert (shown["online"], shown["vendor"], shown["model"]) == (True, "Maker", "Model X")
    assert shown["protocol"] == "ocpp1.6"
    connector = next(one for one in shown["connectors"] if one["number"] == 1)
    assert connector["status"] == "available"
    assert connector["slug"]


async def test_a_connector_has_a_name_and_a_tariff(api: Api, charger: Charger) -> None:
    await charger.boot()
    tariff = (await api.post("/tariffs", {"name": "A", "prices": {}})).body["id"]
    changed = await api.patch("/chargers/CP1/connectors/1", {"name": "Left", "tariff_id": tariff})
    connector = next(one for one in changed.body["connectors"] if one["number"] == 1)
    assert (connector["name"], connector["tariff_id"]) == ("Left", tariff)
    assert (await api.patch("/chargers/CP1/connectors/9", {"name": "Left"})).status == 404
    assert (await api.patch("/chargers/CP1/connectors/1", {"tariff_id": 99})).paths == ["tariff_id"]


async def test_raw_messages_come_newest_first_in_pages(api: Api, charger: Charger) -> None:
    await charger.boot()
    # Messages are stored with the next group of writes.
    await api.post("/people", {"name": "Anna"})
    first = (await api.get("/chargers/CP1/messages?limit=2")).body
    rest = (await api.get(f"/chargers/CP1/messages?cursor={first['next']}")).body
    found = first["items"] + rest["items"]
    assert [one["direction"] for one in found] == ["out", "in", "out", "in"]
    assert found[-1]["text"].startswith('[2,"')
    assert "BootNotification" in found[-1]["text"]
    assert rest["next"] is None


async def test_raw_messages_are_searched_by_direction_text_and_time(api: Api, charger: Charger) -> None:
    await charger.boot()
    await api.post("/people", {"name": "Anna"})
    place = "/chargers/CP1/messages"
    (boot,) = (await api.get(f"{place}?direction=in&text=bootnotification")).body["items"]
    assert (boot["direction"], "BootNotification" in boot["text"]) == ("in", True)
    assert (await api.get(f"{place}?text=nobody+said+this")).body["items"] == []
    assert len((await api.get(f"{place}?since=2020-01-01T00:00:00Z")).body["items"]) == 4
    assert (await api.get(f"{place}?since=2099-01-01T00:00:00Z")).body["items"] == []
    assert (await api.get(f"{place}?since=yesterday")).paths == ["since"]


async def test_settings_are_shown_as_the_charger_reported_them(api: Api, charger: Charger) -> None:
    assert (await api.get("/chargers/CP1/configuration")).body == {"items": []}
    assert (await api.post("/chargers/CP1/commands/GetConfiguration", {})).status == 200
    setting = (await api.get("/chargers/CP1/configuration")).body["items"][0]
    assert (setting["key"], setting["value"], setting["readonly"]) == ("HeartbeatInterval", "300", False)


async def test_a_new_password_is_told_once_and_works(api: Api) -> None:
    await api.post("/chargers", {"id": "CP1", "password": PASSWORD})
    told = (await api.post("/chargers/CP1/password")).body
    assert told["charger"] == "CP1"
    async with connected(api.port, "CP1", told["password"]) as charger:
        await charger.boot()
    assert told["password"] not in str((await api.get("/chargers/CP1")).body)


async def test_an_unknown_charger_is_accepted_with_a_password_told_once(api: Api) -> None:
    with contextlib.suppress(websockets.InvalidStatus):
        async with connected(api.port, "NEW-1", "whatever it has"):
            pass
    waiting = (await api.get("/unknown-chargers")).body["items"]
    assert [(one["identity"], one["reason"], one["known"]) for one in waiting] == [
        ("NEW-1", "unknown", False)
    ]
    assert waiting[0]["sentence"] == "The charger is not known here."
    told = await api.post("/unknown-chargers/NEW-1/accept", {"name": "Gate"})
    assert (told.status, told.headers["Location"]) == (201, "/api/v1/chargers/NEW-1")
    async with connected(api.port, "NEW-1", told.body["password"]) as charger:
        await charger.boot()
        assert (await api.get("/chargers/NEW-1")).body["name"] == "Gate"
    assert (await api.get("/unknown-chargers")).body["items"] == []
    assert (await api.post("/unknown-chargers/NEW-1/accept", {})).status == 404


async def test_an_unknown_charger_can_be_dismissed(api: Api) -> None:
    with contextlib.suppress(websockets.InvalidStatus):
        async with connected(api.port, "NEW-1"):
            pass
    assert (await api.delete("/unknown-chargers/NEW-1")).status == 204
    assert (await api.get("/unknown-chargers")).body["items"] == []
    assert (await api.delete("/unknown-chargers/NEW-1")).status == 404


async def test_chargers_are_found_by_text_in_pages(api: Api) -> None:
    for number in range(3):
        await api.post("/chargers", {"id": f"CP{number}", "name": "Yard" if number else "Gate"})
    assert [one["id"] for one in (await api.get("/chargers?text=yard")).body["items"]] == ["CP1", "CP2"]
    first = (await api.get("/chargers?limit=2")).body
    assert first["next"] == "CP1"
    assert [one["id"] for one in (await api.get("/chargers?cursor=CP1")).body["items"]] == ["CP2"]


@pytest.mark.parametrize(
    "body,status,paths",
    [
        ({"id": "CP1"}, 409, ["id"]),
        ({"id": "cp1"}, 409, ["id"]),
        ({"id": "A:B"}, 422, ["id"]),
        ({"id": ""}, 422, ["id"]),
        ({}, 422, ["id"]),
        ({"id": "CP2", "security_profile": 4}, 422, ["security_profile"]),
        ({"id": "CP2", "registration": "maybe"}, 422, ["registration"]),
        ({"id": "CP2", "password": "short"}, 422, ["password"]),
        ({"id": "CP2", "token_transform": "rot13"}, 422, ["token_transform"]),
        ({"id": "CP2", "tariff_id": 99}, 422, ["tariff_id"]),
        ({"id": "CP2", "online": True}, 422, ["online"]),
    ],
)
async def test_a_charger_that_can_not_be_is_refused(
    api: Api, body: dict[str, object], status: int, paths: list[str]
) -> None:
    await api.post("/chargers", {"id": "CP1"})
    reply = await api.post("/chargers", body)
    assert (reply.status, reply.paths) == (status, paths)


async def test_nothing_is_found_of_a_charger_that_is_not_there(api: Api) -> None:
    for path in ("", "/messages", "/configuration", "/commands", "/charging-profiles"):
        assert (await api.get(f"/chargers/CP9{path}")).status == 404, path
    assert (await api.patch("/chargers/CP9", {})).status == 404
    assert (await api.delete("/chargers/CP9")).status == 404
    assert (await api.post("/chargers/CP9/password")).status == 404


async def test_a_charger_is_pinned_to_a_version_that_is_spoken(api: Api) -> None:
    await api.post("/chargers", {"id": "CP1"})
    assert (await api.get("/chargers/CP1")).body["pinned_protocol"] == ""
    changed = await api.patch("/chargers/CP1", {"pinned_protocol": "ocpp2.0.1"})
    assert changed.body["pinned_protocol"] == "ocpp2.0.1"
    refused = await api.patch("/chargers/CP1", {"pinned_protocol": "ocpp9"})
    assert refused.paths == ["pinned_protocol"]
