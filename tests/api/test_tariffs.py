from typing import Any

import pytest

from tests.api.conftest import Api

NIGHT: dict[str, Any] = {
    "name": "Day and night",
    "currency": "HUF",
    "vat": "27",
    "idle_grace_minutes": 10,
    "timezone": "Europe/Budapest",
    "elements": [
        {
            "components": [{"dimension": "energy", "price": 80}],
            "restrictions": {"start_time": "22:00", "end_time": "06:00"},
        },
        {"components": [{"dimension": "energy", "price": "120.5"}, {"dimension": "flat", "price": "300"}]},
    ],
}


async def test_a_simple_tariff_takes_what_it_does_not_say_from_the_site(api: Api) -> None:
    made = await api.post("/tariffs", {"name": "Standard", "prices": {"per_kwh": "149", "start_fee": 300}})
    assert made.status == 201
    assert (made.body["currency"], made.body["vat"], made.body["timezone"]) == (
        "HUF",
        "27",
        "Europe/Budapest",
    )
    assert made.body["prices"] == {
        "start_fee": "300",
        "per_kwh": "149",
        "per_minute": "0",
        "idle_per_minute": "0",
    }
    assert made.body["default"] is True, "the first one"
    assert (await api.get(f"/tariffs/{made.body['id']}", role="viewer")).body == made.body


async def test_a_tariff_of_elements_comes_back_as_it_was_written(api: Api) -> None:
    made = await api.post("/tariffs", NIGHT)
    assert made.status == 201
    assert made.body["prices"] is None
    assert made.body["elements"][0]["restrictions"] == NIGHT["elements"][0]["restrictions"]
    assert made.body["elements"][1]["components"][0] == {"dimension": "energy", "price": "120.5"}


async def test_a_change_keeps_what_it_does_not_name(api: Api) -> None:
    place = "/tariffs/" + str((await api.post("/tariffs", NIGHT)).body["id"])
    renamed = await api.patch(place, {"name": "Night"})
    assert (renamed.body["name"], renamed.body["idle_grace_minutes"]) == ("Night", 10)
    assert len(renamed.body["elements"]) == 2
    simple = await api.patch(place, {"prices": {"per_kwh": "99"}})
    assert (simple.body["prices"]["per_kwh"], simple.body["idle_grace_minutes"]) == ("99", 10)
    bounded = await api.patch(place, {"max_price": "5000"})
    assert (bounded.body["max_price"], len(bounded.body["elements"])) == ("5000", 1)


async def test_one_tariff_is_the_default(api: Api) -> None:
    first = (await api.post("/tariffs", {"name": "A", "prices": {}})).body["id"]
    second = (await api.post("/tariffs", {"name": "B", "prices": {}})).body["id"]
    assert (await api.delete(f"/tariffs/{first}")).status == 409
    assert (await api.post(f"/tariffs/{second}/default")).body["default"] is True
    flags = {one["id"]: one["default"] for one in (await api.get("/tariffs")).body["items"]}
    assert flags == {first: False, second: True}
    assert (await api.delete(f"/tariffs/{first}")).status == 204
    assert (await api.delete(f"/tariffs/{second}")).status == 204, "the last one may go"


@pytest.mark.parametrize(
    "body,paths",
    [
        ({"name": "A"}, ["elements"]),
        ({"name": "A", "prices": {}, "elements": NIGHT["elements"]}, ["elements"]),
        (
            {"name": "A", "prices": {"per_kwh": "-1", "per_minute": "abc"}},
            ["prices.per_kwh", "prices.per_minute"],
        ),
        ({"name": "A", "prices": {"per_mile": "1"}}, ["prices.per_mile"]),
        ({"name": "A", "prices": {}, "timezone": "Mars/Olympus"}, ["timezone"]),
        ({"name": "A", "elements": [{"components": []}]}, ["elements.0.components"]),
        (
            {"name": "A", "elements": [{"components": [{"dimension": "energy"}]}]},
            ["elements.0.components.0.price"],
        ),
        (
            {"name": "A", "elements": [{"components": [{"dimension": "energy", "price": "x"}]}]},
            ["elements.0.components.0.price"],
        ),
        ({"prices": {}}, ["name"]),
    ],
)
async def test_a_fault_of_a_tariff_is_told_with_its_path(
    api: Api, body: dict[str, Any], paths: list[str]
) -> None:
    reply = await api.post("/tariffs", body)
    assert (reply.status, reply.paths) == (422, paths)


async def test_a_tariff_in_use_stays(api: Api) -> None:
    await api.post("/tariffs", {"name": "A", "prices": {}})
    second = (await api.post("/tariffs", {"name": "B", "prices": {}})).body["id"]
    await api.post("/chargers", {"id": "CP1", "tariff_id": second})
    refused = await api.delete(f"/tariffs/{second}")
    assert refused.status == 409
    assert "CP1" in refused.body["detail"]
