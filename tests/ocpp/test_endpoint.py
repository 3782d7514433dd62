"""Which charger may connect, by which path, with which key, in which version."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from onprem_csms.domain.chargers.chargers import ChargerChange, NewCharger
from onprem_csms.domain.chargers.records import ConnectionSpan
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import Conflict, NotFound
from onprem_csms.ocpp.endpoint import handshake
from onprem_csms.ocpp.endpoint.throttle import Throttle
from onprem_csms.services.chargers import admission, inventory, records
from onprem_csms.services.core import tries
from tests.ocpp.conftest import PASSWORD, QUICK, Site, basic, open_site

HEX_KEY = "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"


@pytest.mark.parametrize(
    "path,identities",
    [
        ("/ocpp/CP1", ("CP1",)),
        ("/ocpp/CP1/", ("CP1",)),
        ("//ocpp/CP1", ("CP1",)),
        ("/ocpp//CP1", ("CP1",)),
        ("/ocpp/%2FCP1", ("CP1",)),
        ("/ocpp/RDAM%20123", ("RDAM 123",)),
        ("/ocpp/a%7Cb.c_d-e", ("a|b.c_d-e",)),
        ("/ocpp/A%2FB", ("A/B", "A")),
        ("/ocpp/%252F", ("%2F",)),
        ("/ocpp/CP1?token=5", ("CP1",)),
        ("/ocpp/ws://host:8080/ocpp/CP1", ("CP1", "ocpp/CP1")),
        ("/ocpp/ws%3A%2F%2Fhost%2Focpp%2FCP1", ("CP1", "ocpp/CP1")),
        ("/ocpp/ocpp/CP1", ("CP1", "ocpp/CP1")),
        ("/ocpp/CP1/SN0042", ("CP1/SN0042", "CP1")),
        ("/ocpp/", ()),
        ("/ocpp", ()),
        ("/ocpp/CP%00", ()),
        ("/ocpp/CP%0AX", ()),
        ("/ocpp/" + "x" * 200, ()),
    ],
)
def test_a_path_means_these_identities(path: str, identities: tuple[str, ...]) -> None:
    found = handshake.identities(path)
    assert found[: len(identities)] == identities
    assert bool(found) == bool(identities)


def test_a_user_name_helps_where_the_path_only_appends_to_it() -> None:
    sent = handshake.Credentials("CP1", b"x")
    assert handshake.candidates("/ocpp/CP1SN42", sent) == ("CP1SN42", "CP1")
    assert handshake.candidates("/ocpp/OTHER", sent) == ("OTHER",)


def test_basic_credentials_are_split_at_the_first_colon_and_stay_bytes() -> None:
    header = basic("AL1000", bytes.fromhex(HEX_KEY))["Authorization"]
    assert header == "Basic QUwxMDAwOgABAgMEBQYH////////////////"
    assert handshake.credentials(header) == ("AL1000", bytes.fromhex(HEX_KEY))
    assert handshake.credentials(basic("a", "b:c")["Authorization"]) == ("a", b"b:c")
    for unusable in (None, "", "Basic", "Basic !!!", "Bearer abc", "Basic YWJj"):
        assert handshake.credentials(unusable) is None


@pytest.mark.parametrize(
    "path",
    [
        "/ocpp/CP1",
        "/ocpp/CP1/",
        "//ocpp/CP1",
        "/ocpp//CP1",
        "/ocpp/%2FCP1",
        "/ocpp/cp1",
        "/ocpp/CP1/SN0042",
        "/ocpp/CP1SN0042",
        "/ocpp/ws://host:8080/ocpp/CP1",
        "/ocpp/ws%3A%2F%2Fhost%2Focpp%2FCP1",
    ],
)
async def test_every_way_to_write_the_path_leads_to_the_charger(site: Site, path: str) -> None:
    charger = await site.connect("CP1", path=path)
    assert charger.ws.protocol == "ocpp1.6"
    assert (await charger.boot())["status"] == "Accepted"
    assert site.stations.online("CP1")


async def test_an_identity_with_a_space_and_a_slash_connects(site: Site) -> None:
    await site.add("RDAM 12/3")
    await (await site.connect("RDAM 12/3", path="/ocpp/RDAM%2012%2F3")).boot()
    assert site.stations.online("RDAM 12/3")


async def test_the_user_name_is_compared_without_regard_to_case(site: Site) -> None:
    charger = await site.connect("CP1", headers=basic("cp1", PASSWORD))
    await charger.boot()


@pytest.mark.parametrize(
    "stored,sent",
    [
        (HEX_KEY, HEX_KEY.encode()),
        (HEX_KEY, HEX_KEY.lower().encode()),
        (HEX_KEY.lower(), HEX_KEY.encode()),
        (HEX_KEY, bytes.fromhex(HEX_KEY)),
        ("colons:are:fine", b"colons:are:fine"),
        ("jelszó-ékezettel", "jelszó-ékezettel".encode()),
    ],
)
async def test_a_key_is_known_in_every_form_it_may_arrive_in(site: Site, stored: str, sent: bytes) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(password=stored))
    await (await site.connect(headers=basic("CP1", sent))).boot()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("CP1", "wrong"),
        basic("CP1", PASSWORD.upper()),
        basic("CP1", ""),
        basic("CP2", PASSWORD),
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic !"},
    ],
)
async def test_wrong_credentials_are_refused(site: Site, headers: dict[str, str]) -> None:
    assert await site.refused(headers=headers) == 401
    assert not site.stations.online("CP1")
    assert (await site.see(inventory.refused_attempt_of, "CP1")).reason in {
        "no_credentials",
        "wrong_password",
        "wrong_user",
    }


async def test_a_known_and_an_unknown_identity_look_the_same_from_outside(site: Site) -> None:
    async def refusal(identity: str, number: int) -> tuple[int, str, dict[str, str]]:
        headers = {**basic(identity, f"wrong{number}"), "Upgrade": "websocket", "Connection": "Upgrade"}
        async with site.http.get(site.path(f"/ocpp/{identity}"), headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name != "Date"}
            return answer.status, await answer.text(), kept

    for number in range(12):  # beyond the tries that are looked at
        assert await refusal("CP1", number) == await refusal("NOBODY", number)


async def test_after_many_wrong_tries_from_one_place_the_real_charger_still_comes_in(site: Site) -> None:
    throttle = site.stations.throttle
    await (await site.connect()).ws.close()
    now = asyncio.get_running_loop().time()
    for place in range(200):
        throttle.failed(f"10.0.0.{place}", "cp1", now)
    for _ in range(50):
        throttle.failed("10.0.0.1", "CP1", now)
    assert throttle.blocks("10.0.0.1", "CP1", now)
    assert throttle.blocks("10.0.0.250", "CP1", now)
    assert not throttle.blocks("10.0.0.1", "CP2", now)
    assert not throttle.blocks("127.0.0.1", "CP1", now)
    await (await site.connect()).boot()


async def test_wrong_tries_are_not_looked_at_for_ever_and_a_new_password_starts_afresh(site: Site) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(password="guessable"))
    for _ in range(15):
        assert await site.refused(headers=basic("CP1", "wrong")) == 401
    assert await site.refused(headers=basic("CP1", "guessable")) == 401, "the right one, too late"
    assert (await site.see(inventory.refused_attempt_of, "CP1")).times < 15
    password = await site.do(inventory.reset_password, "CP1")
    await site.until(lambda: not site.stations.throttle.blocks("127.0.0.1", "CP1", time.monotonic()))
    await (await site.connect(headers=basic("CP1", password))).boot()


async def test_a_restart_is_no_fresh_start_for_who_guesses_a_chargers_key(site: Site) -> None:
    for _ in range(12):
        await site.refused(headers=basic("CP1", "wrong"))
    now = asyncio.get_running_loop().time()
    restarted = Throttle()
    assert not restarted.blocks("127.0.0.1", "CP1", now)
    restarted.restore(await site.see(tries.kept, "charger"), now)
    assert restarted.blocks("127.0.0.1", "CP1", now)
    assert not restarted.blocks("127.0.0.1", "CP2", now)
    assert not restarted.blocks("127.0.0.1", "CP1", now + 60)


async def test_a_long_key_comes_in_whoever_guesses_from_the_same_address(site: Site) -> None:
    for _ in range(15):
        assert await site.refused(headers=basic("CP1", "a-wrong-key-that-is-long")) == 401
    assert (await site.see(inventory.refused_attempt_of, "CP1")).times < 15
    await (await site.connect()).boot()


async def test_an_old_password_is_dead_after_a_new_one(site: Site) -> None:
    password = await site.do(inventory.reset_password, "CP1")
    assert len(password) == 20
    assert await site.refused() == 401
    await (await site.connect(headers=basic("CP1", password))).boot()


async def test_no_password_is_kept_in_clear(site: Site) -> None:
    await (await site.connect()).boot()
    await site.refused("STRANGER", headers=basic("STRANGER", "my-own-secret-key"))
    await site.ctx.store.checkpoint()

    def look(tx):
        found = (
            tx.all("SELECT * FROM chargers")
            + tx.all("SELECT * FROM connection_attempts")
            + tx.all("SELECT * FROM meta")
        )
        return repr([tuple(row) for row in found])

    everything = await site.see(look)
    assert PASSWORD not in everything
    assert "my-own-secret-key" not in everything


# --- Strangers ----------------------------------------------------------------------------------


async def test_a_stranger_waits_until_the_admin_accepts_it(site: Site) -> None:
    assert await site.refused("NEW1", headers={}) == 401
    (attempt,) = await site.see(inventory.refused_attempts, known=False)
    assert (attempt.identity, attempt.reason, attempt.with_credentials) == ("NEW1", "unknown", False)
    assert (attempt.path, attempt.subprotocols, attempt.times) == ("/ocpp/NEW1", "ocpp1.6", 1)
    password = await site.do(inventory.accept_attempt, "NEW1", "Garage")
    assert await site.refused("NEW1", headers={}) == 401
    charger = await site.connect("NEW1", headers=basic("NEW1", password))
    assert (await charger.boot())["status"] == "Accepted"
    assert await site.see(inventory.refused_attempts) == []
    assert (await site.see(inventory.get, "NEW1")).name == "Garage"


async def test_a_stranger_may_keep_the_password_it_came_with(site: Site) -> None:
    assert await site.refused("NEW1", headers=basic("NEW1", "factory-key-0001")) == 401
    assert await site.do(inventory.accept_attempt, "NEW1", use="offered") is None
    assert await site.refused("NEW1", headers=basic("NEW1", "another")) == 401
    await (await site.connect("NEW1", headers=basic("NEW1", "factory-key-0001"))).boot()


async def test_no_stranger_keeps_its_password_where_callers_with_different_ones_came(site: Site) -> None:
    keys = {"one": basic("NEW1", "factory-key-0001"), "other": basic("NEW1", "factory-key-0002")}
    await site.refused("NEW1", headers=keys["one"])
    await site.refused("NEW1", headers={})  # as clients do that wait to be asked for a key
    await site.refused("NEW1", headers=keys["one"])
    assert [one.keys_differ for one in await site.see(inventory.refused_attempts)] == [False]
    await site.refused("NEW1", headers=keys["other"])
    await site.refused("NEW1", headers=keys["other"])
    assert [one.keys_differ for one in await site.see(inventory.refused_attempts)] == [True]
    with pytest.raises(Conflict, match="different passwords"):
        await site.do(inventory.accept_attempt, "NEW1", use="offered")
    password = await site.do(inventory.accept_attempt, "NEW1")
    assert await site.refused("NEW1", headers=keys["other"]) == 401
    await (await site.connect("NEW1", headers=basic("NEW1", password))).boot()


async def test_a_new_password_ends_what_came_in_with_the_old_one_and_a_new_name_ends_nothing(
    site: Site,
) -> None:
    charger = await site.connect()
    await charger.boot()
    await site.do(inventory.update, "CP1", ChargerChange(name="Garage"))
    await charger.boot()
    await site.do(inventory.reset_password, "CP1")
    await site.until(lambda: not site.stations.online("CP1"))
    assert await site.refused() == 401


async def test_a_charger_without_a_key_goes_when_it_must_have_one(site: Site) -> None:
    await site.do(inventory.create, NewCharger("OPEN1", security_profile=0))
    charger = await site.connect("OPEN1", headers={})
    await charger.boot()
    await site.do(inventory.update, "OPEN1", ChargerChange(password="a-key-of-sixteen"))
    assert (await charger.boot())["status"] == "Accepted", "profile 0 asks for none"
    await site.do(inventory.update, "OPEN1", ChargerChange(security_profile=1))
    await site.until(lambda: not site.stations.online("OPEN1"))


async def test_a_stranger_may_come_in_without_a_password_when_the_admin_says_so(site: Site) -> None:
    assert await site.refused("NEW1", headers={}) == 401
    with pytest.raises(Conflict):
        await site.do(inventory.accept_attempt, "NEW1", use="offered")
    await site.do(inventory.accept_attempt, "NEW1", use="none")
    await (await site.connect("NEW1", headers={})).boot()
    assert (await site.see(inventory.get, "NEW1")).security_profile == 0


async def test_who_does_not_wait_cannot_be_accepted(site: Site) -> None:
    with pytest.raises(NotFound):
        await site.do(inventory.accept_attempt, "NOBODY")
    await site.refused("NEW1", headers={})
    await site.do(inventory.dismiss_attempt, "NEW1")
    assert await site.see(inventory.refused_attempts) == []


async def test_a_site_that_accepts_everybody_makes_a_charger_of_a_stranger(tmp_path: Path) -> None:
    settings = replace(SiteSettings(), unknown_chargers="accept")
    async with open_site(tmp_path / "data", settings=settings) as site:
        await (await site.connect("NEW1", headers={})).boot()
        await (await site.connect("NEW2", headers=basic("NEW2", "factory-key-0002"))).boot()
        assert (await site.see(inventory.get, "NEW1")).security_profile == 0
        assert (await site.see(inventory.get, "NEW2")).security_profile == 1
        assert await site.refused("NEW2", headers=basic("NEW2", "another")) == 401


async def test_a_site_that_refuses_strangers_still_shows_that_they_came(tmp_path: Path) -> None:
    settings = replace(SiteSettings(), unknown_chargers="refuse")
    async with open_site(tmp_path / "data", settings=settings) as site:
        assert await site.refused("NEW1", headers={}) == 401
        assert [attempt.identity for attempt in await site.see(inventory.refused_attempts)] == ["NEW1"]


async def test_an_address_without_an_identity_is_refused_and_shown(site: Site) -> None:
    assert await site.refused(path="/ocpp/", headers={}) == 401
    (attempt,) = await site.see(inventory.refused_attempts)
    assert (attempt.reason, attempt.path) == ("bad_identity", "/ocpp/")


async def test_strangers_cannot_fill_the_disk(site: Site) -> None:
    from onprem_csms.db.chargers import attempts
    from onprem_csms.domain.chargers.chargers import ConnectionAttempt
    from onprem_csms.services.chargers.admission import Refused

    def flood(tx):
        for number in range(attempts.MOST + 50):
            attempt = ConnectionAttempt((f"X{number}",), None, None, "10.0.0.1", "/", ())
            admission.record_refusal(tx, attempt, Refused(f"X{number}", "unknown", known=False))

    await site.do(flood)
    assert len(await site.see(inventory.refused_attempts)) <= attempts.MOST


async def test_every_reason_of_a_refusal_has_its_sentence() -> None:
    assert set(admission.REASONS) == set(get_args(admission.Reason))


# --- Versions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "offered,chosen",
    [
        (("ocpp1.6",), "ocpp1.6"),
        (("ocpp1.6", "ocpp2.0.1"), "ocpp2.0.1"),
        (("ocpp2.1", "ocpp1.6"), "ocpp1.6"),
        (("ocpp1.6", "ocpp1.5"), "ocpp1.6"),
        (("OCPP1.6",), "OCPP1.6"),
    ],
)
async def test_the_newest_version_that_both_speak_is_chosen(
    site: Site, offered: tuple[str, ...], chosen: str
) -> None:
    charger = await site.connect(protocols=offered)
    assert charger.ws.protocol == chosen
    assert (await charger.call("Heartbeat"))[0] == 3
    assert (await site.see(inventory.get, "CP1")).protocol == chosen.lower()


async def test_a_charger_that_is_pinned_to_a_version_speaks_that_or_none(site: Site) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(pinned_protocol="ocpp1.6"))
    charger = await site.connect(protocols=("ocpp2.0.1", "ocpp1.6"))
    assert charger.ws.protocol == "ocpp1.6"
    await charger.ws.close()
    await site.until(lambda: not site.stations.online("CP1"))
    charger = await site.connect(protocols=("ocpp2.0.1",))
    assert await charger.closed() == 1002
    attempt = await site.see(inventory.refused_attempt_of, "CP1")
    assert attempt is not None
    assert attempt.reason == "pinned_to_another"


@pytest.mark.parametrize("offered,reason", [((), "no_subprotocol"), (("ocpp9.9",), "unknown_subprotocol")])
async def test_without_a_common_version_the_connection_ends_at_once_and_the_reason_is_shown(
    site: Site, offered: tuple[str, ...], reason: str
) -> None:
    charger = await site.connect(protocols=offered)
    assert charger.ws.protocol is None
    assert await charger.closed() == 1002
    assert not site.stations.online("CP1")
    assert (await site.see(inventory.refused_attempt_of, "CP1")).reason == reason


async def test_a_charger_that_names_no_version_is_let_in_where_that_is_allowed(site: Site) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(allow_missing_subprotocol=True))
    charger = await site.connect(protocols=())
    assert charger.ws.protocol is None
    await charger.boot()
    assert "no_subprotocol" in await site.quirks()


async def test_a_stranger_that_names_no_version_may_come_without_one_once_accepted(site: Site) -> None:
    assert await site.refused("NEW1", headers={}, protocols=()) == 401
    await site.do(inventory.accept_attempt, "NEW1", use="none")
    await (await site.connect("NEW1", headers={}, protocols=())).boot()


# --- Profiles and the rest ------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [2, 3])
async def test_a_charger_that_must_come_encrypted_is_refused_without(site: Site, profile: int) -> None:
    await site.do(inventory.update, "CP1", ChargerChange(security_profile=profile))
    assert await site.refused() == 401
    assert (await site.see(inventory.refused_attempt_of, "CP1")).reason == "not_encrypted"


async def test_a_charger_of_profile_0_needs_no_password(site: Site) -> None:
    await site.add("OPEN", security_profile=0, password=None)
    await (await site.connect("OPEN", headers={})).boot()


async def test_a_charger_without_a_password_of_its_own_stays_out(site: Site) -> None:
    await site.add("EMPTY", password=None)
    assert await site.refused("EMPTY", headers=basic("EMPTY", "")) == 401
    assert (await site.see(inventory.refused_attempt_of, "EMPTY")).reason == "no_password_set"


async def test_an_archived_charger_stays_out_and_one_that_is_connected_is_sent_away(site: Site) -> None:
    charger = await site.connect()
    await charger.boot()
    await site.do(inventory.archive, "CP1")
    assert await charger.closed() == 1000
    assert await site.refused() == 401
    assert [attempt.reason for attempt in await site.see(inventory.refused_attempts)] == ["archived"]


async def test_a_browser_is_told_what_the_address_is_for(site: Site) -> None:
    async with site.http.get(site.path("/ocpp/CP1")) as answer:
        assert answer.status == 426
        assert "chargers" in await answer.text()


async def test_a_page_of_another_site_is_no_charger_and_is_shown(site: Site) -> None:
    for origin in (
        "http://evil.example",
        "https://evil.example:8080",
        "http://127.0.0.1.evil.example",
        "http://[",
    ):
        assert await site.refused(headers={**basic("CP1", PASSWORD), "Origin": origin}) == 401, origin
    assert (await site.see(inventory.refused_attempt_of, "CP1")).reason == "foreign_origin"


def test_an_origin_that_the_settings_name_is_a_chargers() -> None:
    assert handshake.foreign_origin("http://vendor.example", "csms.lan:8080")
    assert not handshake.foreign_origin("http://vendor.example", "csms.lan:8080", ("http://vendor.example",))


async def test_the_origins_of_libraries_are_of_no_concern(site: Site) -> None:
    for origin in ("file://", "null", site.path(""), "http://libwebsockets.org"):
        charger = await site.connect(headers={**basic("CP1", PASSWORD), "Origin": origin})
        await charger.boot()
        await charger.ws.close()
        await site.until(lambda: not site.stations.online("CP1"))


async def test_compression_is_not_agreed_upon(site: Site) -> None:
    headers = {**basic("CP1", PASSWORD), "Sec-WebSocket-Extensions": "permessage-deflate"}
    charger = await site.connect(headers=headers)
    assert charger.ws.compress == 0


async def test_too_many_handshakes_at_once_are_asked_to_come_later(tmp_path: Path) -> None:
    options = replace(QUICK, handshakes_waiting=0)
    async with open_site(tmp_path / "data", options) as site:
        assert await site.refused(headers={}) == 503


async def test_fifty_chargers_that_come_in_the_same_moment_all_get_in(site: Site) -> None:
    for number in range(50):
        await site.add(f"S{number}")

    come = await asyncio.gather(*(site.connect(f"S{number}") for number in range(50)))
    answers = await asyncio.gather(*(charger.boot() for charger in come))
    assert [answer["status"] for answer in answers] == ["Accepted"] * 50
    assert site.stations.count() == 50


async def test_comings_and_goings_are_kept_as_intervals(site: Site) -> None:
    from datetime import UTC, datetime, timedelta

    begin = datetime.now(UTC) - timedelta(seconds=1)
    charger = await site.connect()
    await charger.boot()
    await charger.ws.close()

    async def ended() -> list[ConnectionSpan]:
        spans = await site.see(records.connections, "CP1", begin, datetime.now(UTC) + timedelta(seconds=1))
        return [span for span in spans if span.until is not None]

    (span,) = await site.until(ended)
    assert (span.protocol, span.remote, span.reason) == ("ocpp1.6", "127.0.0.1", "closed")
    assert (await site.see(inventory.get, "CP1")).disconnected_at is not None
