"""Chargers as the operator keeps them: what is refused, what is kept, what comes back."""

from typing import Any

import pytest

from onprem_csms.domain.chargers.chargers import ChargerChange, ConnectorChange, NewCharger
from onprem_csms.domain.chargers.places import Place
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.services.chargers import inventory, profiles
from tests.ocpp.conftest import PASSWORD, Site


@pytest.mark.parametrize(
    "change,path",
    [
        ({"id": ""}, "id"),
        ({"id": " CP9"}, "id"),
        ({"id": "CP:9"}, "id"),
        ({"id": "CP\n9"}, "id"),
        ({"id": "x" * 129}, "id"),
        ({"registration": "maybe"}, "registration"),
        ({"security_profile": 4}, "security_profile"),
        ({"security_profile": -1}, "security_profile"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 73}, "password"),
        ({"password": "with a\x00zero byte"}, "password"),
        ({"token_transform": "guess"}, "token_transform"),
        ({"tariff_id": 99}, "tariff_id"),
        ({"max_power_w": 0}, "max_power_w"),
    ],
)
async def test_a_charger_that_cannot_be_is_refused_with_the_path(
    site: Site, change: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as fault:
        await site.do(inventory.create, NewCharger(**{"id": "CP9", **change}))
    assert fault.value.path == path
    with pytest.raises(NotFound):
        await site.see(inventory.get, "CP9")


async def test_identities_are_told_apart_without_regard_to_case(site: Site) -> None:
    for taken in ("CP1", "cp1"):
        with pytest.raises(Conflict):
            await site.do(inventory.create, NewCharger(taken))


async def test_a_charger_shows_that_it_has_a_password_and_never_which(site: Site) -> None:
    charger = await site.see(inventory.get, "CP1")
    assert charger.has_password
    assert PASSWORD not in repr(charger)
    assert not (await site.do(inventory.update, "CP1", ChargerChange(password=None))).has_password


async def test_fields_are_changed_one_by_one_and_wrong_ones_refused(site: Site) -> None:
    changed = await site.do(
        inventory.update, "CP1", ChargerChange(name="Garage", max_power_w=11_000, token_transform="reverse")
    )
    assert (changed.name, changed.max_power_w, changed.token_transform) == ("Garage", 11_000, "reverse")
    assert changed.has_password
    with pytest.raises(Invalid) as fault:
        await site.do(inventory.update, "CP1", ChargerChange(max_power_w=0))
    assert fault.value.path == "max_power_w"
    with pytest.raises(NotFound):
        await site.do(inventory.update, "CP9", ChargerChange(name="x"))


async def test_an_archived_charger_is_gone_and_can_be_made_again(site: Site) -> None:
    await site.do(inventory.archive, "CP1")
    for fn in (inventory.get, inventory.archive, inventory.reset_password):
        with pytest.raises(NotFound):
            await site.do(fn, "CP1")
    assert await site.see(inventory.find) == []
    with pytest.raises(Conflict):
        await site.do(inventory.create, NewCharger("cp1"))
    again = await site.do(inventory.create, NewCharger("CP1"))
    assert not again.has_password


async def test_a_charger_with_a_running_session_is_not_archived(site: Site) -> None:
    charger = await site.connect()
    start = {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 0, "timestamp": "2026-11-22T07:00:00Z"}
    await charger.result("StartTransaction", start)
    with pytest.raises(Conflict):
        await site.do(inventory.archive, "CP1")


async def test_chargers_are_found_by_identity_and_name_in_pages(site: Site) -> None:
    for number in range(5):
        await site.add(f"X{number}", name=f"Level {number}")
    assert [charger.id for charger in await site.see(inventory.find, text="level")] == [
        f"X{n}" for n in range(5)
    ]
    assert [charger.id for charger in await site.see(inventory.find, text="x3")] == ["X3"]
    assert [charger.id for charger in await site.see(inventory.find, after="X1", limit=2)] == ["X2", "X3"]


async def test_a_connector_has_a_name_and_a_tariff_of_its_own(site: Site) -> None:
    charger = await site.connect()
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    await charger.result("StatusNotification", status)
    changed = await site.do(inventory.update_connector, "CP1", Place(0, 1), ConnectorChange(name="Left"))
    assert changed.connectors[0].name == "Left"
    with pytest.raises(NotFound):
        await site.do(inventory.update_connector, "CP1", Place(0, 2), ConnectorChange(name="Right"))
    with pytest.raises(Invalid):
        await site.do(inventory.update_connector, "CP1", Place(0, 1), ConnectorChange(tariff_id=99))
    with pytest.raises(NotFound):
        await site.see(inventory.by_slug, "nothing")


async def test_a_profile_is_kept_under_its_description(site: Site) -> None:
    made = await site.do(profiles.create, "Night", {"stackLevel": 1})
    assert (made.description, made.profile) == ("Night", {"stackLevel": 1})
    changed = await site.do(profiles.change, made.id, profiles.Change("Day", {"stackLevel": 2}))
    assert (changed.description, changed.profile) == ("Day", {"stackLevel": 2})
    assert await site.see(profiles.find) == [changed]
    await site.do(profiles.delete, made.id)
    for fn in (profiles.get, profiles.delete):
        with pytest.raises(NotFound):
            await site.do(fn, made.id)
    with pytest.raises(Invalid):
        await site.do(profiles.create, "x" * 300, {"a": 1})
    with pytest.raises(Invalid):
        await site.do(profiles.create, "empty", {})
