"""What a command leaves behind when the charger agrees, whichever way it was given."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onprem_csms.domain.settings import PrepaidSettings, SiteSettings
from onprem_csms.ocpp.v16.commands import COMMANDS
from onprem_csms.services.chargers import commanding, configuration, profiles, records
from onprem_csms.services.charging import reservations
from tests.ocpp.conftest import PASSWORD, PROFILE, RESERVE, UNTIL, Site, ask, basic, open_site

# --- Records --------------------------------------------------------------------------------------


async def test_an_accepted_reservation_is_on_record_and_a_cancelled_one_too(site: Site) -> None:
    charger = await site.connect()
    await ask(site, charger, "ReserveNow", RESERVE, {"status": "Occupied"})
    assert await site.see(reservations.find) == []
    await ask(site, charger, "ReserveNow", {**RESERVE, "parentIdTag": "G"}, {"status": "Accepted"})
    (made,) = await site.see(reservations.find, charger_id="CP1", status="active")
    assert (made.id, made.connector, made.uid, made.group, made.expires_at) == (7, 1, "A1", "G", UNTIL)
    await ask(site, charger, "CancelReservation", {"reservationId": 7}, {"status": "Accepted"})
    assert (await site.see(reservations.get, "CP1", 7)).status == "cancelled"
    assert await site.see(reservations.next_id, "CP1") == 8


async def test_a_reservation_is_used_by_its_session_or_expires(site: Site) -> None:
    charger = await site.connect()
    await ask(site, charger, "ReserveNow", RESERVE, {"status": "Accepted"})
    start = {
        "connectorId": 1,
        "idTag": "A1",
        "meterStart": 0,
        "timestamp": "2026-11-22T07:00:00Z",
        "reservationId": 7,
    }
    await charger.result("StartTransaction", start)
    used = await site.see(reservations.get, "CP1", 7)
    assert used.status == "used"
    assert used.session_id is not None
    soon = (datetime.now(UTC) + timedelta(milliseconds=50)).isoformat()
    short = {**RESERVE, "reservationId": 8, "expiryDate": soon}
    await ask(site, charger, "ReserveNow", short, {"status": "Accepted"})
    assert await site.until(lambda: site.do(reservations.expire)) == 1
    assert (await site.see(reservations.get, "CP1", 8)).status == "expired"


async def test_an_accepted_profile_is_in_force_until_it_is_cleared(site: Site) -> None:
    charger = await site.connect()
    request = {"connectorId": 1, "csChargingProfiles": PROFILE}
    await ask(site, charger, "SetChargingProfile", request, {"status": "Rejected"})
    assert await site.see(profiles.in_force, "CP1") == []
    await ask(site, charger, "SetChargingProfile", request, {"status": "Accepted"})
    (held,) = await site.see(profiles.in_force, "CP1")
    assert (held.place.connector, held.profile_id, held.purpose, held.stack_level) == (1, 5, "default", 1)
    assert held.profile == PROFILE
    other = {**PROFILE, "chargingProfileId": 6}
    await ask(
        site, charger, "SetChargingProfile", {**request, "csChargingProfiles": other}, {"status": "Accepted"}
    )
    assert [profile.profile_id for profile in await site.see(profiles.in_force, "CP1")] == [6]
    await ask(site, charger, "ClearChargingProfile", {"id": 99}, {"status": "Unknown"})
    assert len(await site.see(profiles.in_force, "CP1")) == 1
    await ask(
        site,
        charger,
        "ClearChargingProfile",
        {"chargingProfilePurpose": "TxDefaultProfile"},
        {"status": "Accepted"},
    )
    assert await site.see(profiles.in_force, "CP1") == []


async def test_a_profile_of_a_session_holds_as_long_as_the_session(tmp_path: Path) -> None:
    at_once = replace(SiteSettings(), prepaid=replace(PrepaidSettings(), start_timeout_s=0))
    async with open_site(tmp_path / "data", settings=at_once) as site:
        await site.add()
        charger = await site.connect()

        async def purposes() -> list[str]:
            return [held.purpose for held in await site.see(profiles.in_force, "CP1")]

        profile = {**PROFILE, "chargingProfilePurpose": "TxProfile"}
        request = {"connectorId": 1, "idTag": "A1", "chargingProfile": profile}
        await ask(site, charger, "RemoteStartTransaction", request, {"status": "Accepted"})
        start = {"connectorId": 1, "idTag": "A1", "meterStart": 0, "timestamp": "2026-11-22T07:00:00Z"}
        id = (await charger.result("StartTransaction", start))["transactionId"]
        assert await purposes() == ["session"]
        stop = {"transactionId": id, "meterStop": 0, "timestamp": "2026-11-22T07:00:10Z"}
        await charger.result("StopTransaction", stop)
        assert await purposes() == []


async def test_what_a_charger_reports_of_its_settings_is_kept(site: Site) -> None:
    charger = await site.connect()
    told = {
        "configurationKey": [
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
            {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
            {"key": "Empty", "readonly": False},
            {"key": "AuthorizationKey", "readonly": False, "value": "secret"},
            {"nonsense": 1},
        ],
        "unknownKey": ["Other"],
    }
    await ask(site, charger, "GetConfiguration", {}, told)
    found = {
        setting.key: (setting.value, setting.readonly)
        for setting in await site.see(configuration.find, "CP1")
    }
    assert found == {
        "HeartbeatInterval": ("300", False),
        "NumberOfConnectors": ("2", True),
        "Empty": (None, False),
    }

    def look(tx: Any) -> str:
        tables = ("commands", "variables", "desired_settings")
        return repr(
            [
                *records.messages(tx, "CP1", limit=1000),
                *(
                    tuple(row)
                    for table in tables
                    for row in tx.all(f"SELECT * FROM {table}")  # noqa: S608
                ),
            ]
        )

    await site.messages_stored()
    assert "secret" not in await site.see(look)


@pytest.mark.parametrize(
    "word,status",
    [
        ("Accepted", "accepted"),
        ("RebootRequired", "reboot_required"),
        ("Rejected", "rejected"),
        ("NotSupported", "not_supported"),
    ],
)
async def test_what_is_wanted_of_a_setting_is_kept_with_the_chargers_word(
    site: Site, word: str, status: str
) -> None:
    charger = await site.connect()
    await ask(site, charger, "ChangeConfiguration", {"key": "k", "value": "5"}, {"status": word})
    (setting,) = await site.see(configuration.find, "CP1")
    assert (setting.key, setting.wanted, setting.wanted_status) == ("k", "5", status)


async def test_what_was_not_answered_is_asked_again_when_the_charger_comes_back(site: Site) -> None:
    charger = await site.connect()
    asking = asyncio.create_task(
        site.send("CP1", "ChangeConfiguration", {"key": "k", "value": "5"}, origin="test")
    )
    await charger.hear()
    await charger.ws.close()
    assert (await asking).status == "lost"
    assert [setting.wanted_status for setting in await site.see(configuration.find, "CP1")] == ["wanted"]
    await site.until(lambda: not site.stations.online("CP1"))
    charger = await site.connect()
    call = await charger.answer({"status": "Accepted"})
    assert call[2:] == ["ChangeConfiguration", {"key": "k", "value": "5"}]
    told = {"configurationKey": [{"key": "k", "value": "4", "readonly": False}]}
    read = await charger.answer(told)
    assert read[2:] == ["GetConfiguration", {"key": ["k"]}]

    async def read_back() -> bool:
        (setting,) = await site.see(configuration.find, "CP1")
        return (setting.value, setting.wanted, setting.wanted_status) == ("4", "5", "accepted")

    await site.until(read_back)

    async def met() -> bool:
        return not await site.see(configuration.unmet, "CP1")

    await site.until(met)


# --- A new password over OCPP -------------------------------------------------------------------------

NEW_KEY = "A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3"
SET_KEY = {"key": "AuthorizationKey", "value": NEW_KEY}


async def comes_in(site: Site, password: str | bytes) -> bool:
    await site.until(lambda: not site.stations.online("CP1"))
    site.stations.throttle.forgive("CP1")
    if await site.refused(headers=basic("CP1", password)) == 401:
        return False
    await site.until(lambda: not site.stations.online("CP1"))
    return True


async def test_a_password_that_the_charger_accepts_replaces_the_old_one(site: Site) -> None:
    charger = await site.connect()
    await ask(site, charger, "ChangeConfiguration", SET_KEY, {"status": "Accepted"})
    await charger.ws.close()
    assert not await comes_in(site, PASSWORD)
    assert await comes_in(site, bytes.fromhex(NEW_KEY))
    assert await comes_in(site, NEW_KEY.lower())


async def test_a_password_that_the_charger_refuses_never_was(site: Site) -> None:
    charger = await site.connect()
    await ask(site, charger, "ChangeConfiguration", SET_KEY, {"status": "Rejected"})
    await charger.ws.close()
    assert not await comes_in(site, NEW_KEY)
    assert await comes_in(site, PASSWORD)


@pytest.mark.parametrize("used,dead", [(PASSWORD, NEW_KEY), (NEW_KEY, PASSWORD)])
async def test_if_the_answer_is_lost_both_are_valid_until_one_is_used(
    site: Site, used: str, dead: str
) -> None:
    charger = await site.connect()
    asking = asyncio.create_task(site.send("CP1", "ChangeConfiguration", SET_KEY, origin="test"))
    await charger.hear()
    await charger.ws.close()
    await asking
    assert await comes_in(site, used)
    assert not await comes_in(site, dead)
    assert await comes_in(site, used)


async def test_a_password_that_is_sent_is_written_down_nowhere(site: Site) -> None:
    charger = await site.connect()
    result = await ask(site, charger, "ChangeConfiguration", SET_KEY, {"status": "Accepted"})
    assert result.request == SET_KEY
    assert (await site.see(commanding.get, result.id)).request == {
        "key": "AuthorizationKey",
        "value": "***",
    }

    def look(tx: Any) -> str:
        tables = ("commands", "variables", "desired_settings", "chargers", "quirks")
        return repr(
            [
                *records.messages(tx, "CP1", limit=1000),
                *(
                    tuple(row)
                    for table in tables
                    for row in tx.all(f"SELECT * FROM {table}")  # noqa: S608
                ),
            ]
        )

    await site.messages_stored()
    assert NEW_KEY not in await site.see(look)


def test_a_key_is_hidden_however_its_setting_is_written() -> None:
    for name in ("AuthorizationKey", "authorizationkey", "AUTHORIZATIONKEY", " AuthorizationKey "):
        assert NEW_KEY not in str(COMMANDS["ChangeConfiguration"].shown({"key": name, "value": NEW_KEY}))
        hide = COMMANDS["GetConfiguration"].shown_answer
        assert hide is not None
        assert NEW_KEY not in str(hide({"configurationKey": [{"key": name, "value": NEW_KEY}]}))
