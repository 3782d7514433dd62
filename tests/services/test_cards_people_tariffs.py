"""Cards with their PINs, people, which tariff holds, API keys."""

import asyncio

import pytest

from onprem_csms.domain.access.tries import RULES
from onprem_csms.domain.chargers.chargers import ChargerChange, ConnectorChange, NewCharger
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.domain.secrets import hash_password, hash_pin, verify_password, verify_pin
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from onprem_csms.events import Bus
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.link.stations import Stations
from onprem_csms.rfid.station import Readers
from onprem_csms.services.access import api_keys
from onprem_csms.services.cards import cards, people, pins
from onprem_csms.services.cards.cards import CardFilter, NewCard
from onprem_csms.services.cards.people import NewPerson, PersonFilter
from onprem_csms.services.chargers import inventory
from onprem_csms.services.core.context import Context
from onprem_csms.services.money import tariffs
from tests.services.conftest import House

UID = "04A1B2C3D4E5F6"


@pytest.fixture
def ctx(house: House) -> Context:
    """What doors are given, on the store of the house."""
    bus = Bus()
    return Context(
        house.store, bus, house.clock, SiteSettings(), Stations(Options()), Readers((), bus, house.clock)
    )


# --- Secrets --------------------------------------------------------------------------------------


def test_a_secret_fits_its_own_hash_and_no_other() -> None:
    assert verify_pin(hash_pin("0042"), "0042")
    assert not verify_pin(hash_pin("0042"), "42")
    assert not verify_pin(hash_pin("0042"), "0043")
    hashed = hash_password("a long password")
    assert verify_password(hashed, "a long password")
    assert not verify_password(hashed, "a long passwort")
    assert hash_pin("0042") != hash_pin("0042"), "each has a salt of its own"


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "１２３４", "1234\n", " 1234"])
def test_what_is_no_pin_is_refused(pin: str) -> None:
    with pytest.raises(Invalid):
        hash_pin(pin)
    assert not verify_pin(hash_pin("1234"), pin)


def test_a_damaged_hash_fits_nothing() -> None:
    for damaged in ("", "$argon2id$", "plain", hash_pin("1234")[:-3]):
        assert not verify_pin(damaged, "1234")


# --- PINs -----------------------------------------------------------------------------------------


async def test_the_right_pin_names_its_card(house: House, ctx: Context) -> None:
    await house.do(cards.create, NewCard(UID, "personal", pin_hash=hash_pin("1234")))
    assert (await pins.check_pin(ctx, f" {UID.lower()} ", "1234")).uid == UID


async def test_a_wrong_pin_an_unknown_card_and_one_without_a_pin_sound_alike(
    house: House, ctx: Context
) -> None:
    await house.do(cards.create, NewCard(UID, "personal", pin_hash=hash_pin("1234")))
    await house.do(cards.create, NewCard("04AA0002", "personal"))
    said = set()
    for uid, pin in ((UID, "9999"), ("04AA0001", "1234"), ("04AA0002", "1234"), ("", "1234"), (UID, "")):
        with pytest.raises(Unauthenticated) as refused:
            await pins.check_pin(ctx, uid, pin)
        said.add(str(refused.value))
    assert len(said) == 1


async def test_guessing_costs_a_wait(house: House, ctx: Context) -> None:
    await house.do(cards.create, NewCard(UID, "personal", pin_hash=hash_pin("1234")))
    burst = RULES["driver"]["pair"].burst
    for _ in range(burst):
        with pytest.raises(Unauthenticated):
            await pins.check_pin(ctx, UID, "0000")
    with pytest.raises(Forbidden, match="Wait 60 seconds"):
        await pins.check_pin(ctx, UID, "1234")
    house.later(60)
    assert (await pins.check_pin(ctx, UID, "1234")).uid == UID
    with pytest.raises(Unauthenticated):
        await pins.check_pin(ctx, UID, "0000")
    with pytest.raises(Forbidden):
        await pins.check_pin(ctx, UID, "1234")


async def test_guesses_at_the_same_moment_are_no_free_ones(house: House, ctx: Context) -> None:
    await house.do(cards.create, NewCard(UID, "personal", pin_hash=hash_pin("1234")))
    guesses = (pins.check_pin(ctx, UID, f"{number:04}") for number in range(20))
    found = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(one, Unauthenticated) for one in found) == RULES["driver"]["pair"].burst


# --- Cards ----------------------------------------------------------------------------------------


async def test_a_card_that_becomes_prepaid_gets_a_wallet(house: House) -> None:
    await house.do(cards.create, NewCard(UID, "personal", label="van"))
    card = await house.do(cards.change, UID, {"kind": "prepaid"})
    assert (card.wallet.currency, card.wallet.balance, card.label) == ("HUF", 0, "van")


async def test_the_reason_of_a_block_goes_with_the_block(house: House) -> None:
    await house.do(cards.create, NewCard(UID, "personal"))
    blocked = await house.do(cards.block, UID, " stolen ")
    assert (blocked.status, blocked.status_reason) == ("blocked", "stolen")
    assert (await house.do(cards.change, UID, {"label": "x"})).status_reason == "stolen"
    free = await house.do(cards.unblock, UID)
    assert (free.status, free.status_reason) == ("active", "")


async def test_a_word_is_a_card_number_too(house: House) -> None:
    card = await house.do(cards.create, NewCard("free charging", "personal"))
    assert card.uid == "FREE CHARGING"
    with pytest.raises(Invalid):
        await house.do(cards.create, NewCard(" ", "personal"))


async def test_cards_are_found_by_every_word_of_a_search(house: House) -> None:
    anna = await house.do(people.create, NewPerson("Szűcs Anna"))
    await house.do(cards.create, NewCard(UID, "personal", person_id=anna.id, group="FLEET"))
    await house.do(cards.create, NewCard("04AA0002", "personal", group="FLEET"))
    for text, expected in {
        "szucs fleet": [UID],
        "FLEET": [UID, "04AA0002"],
        "04aa": ["04AA0002"],
        "x": [],
    }.items():
        assert sorted(card.uid for card in await house.do(cards.find, CardFilter(text))) == sorted(
            expected
        ), text


# --- People ---------------------------------------------------------------------------------------


async def test_somebody_archived_is_not_found_any_more(house: House) -> None:
    anna = await house.do(people.create, NewPerson("Anna"))
    await house.do(people.archive, anna.id)
    assert await house.do(people.find, PersonFilter()) == []
    for act in (people.get, people.archive):
        with pytest.raises(NotFound):
            await house.do(act, anna.id)


async def test_somebody_with_a_card_stays(house: House) -> None:
    anna = await house.do(people.create, NewPerson("Anna"))
    await house.do(cards.create, NewCard(UID, "personal", person_id=anna.id))
    with pytest.raises(Conflict):
        await house.do(people.archive, anna.id)


# --- Tariffs --------------------------------------------------------------------------------------


async def test_the_nearest_tariff_holds(house: House) -> None:
    default = (await house.do(tariffs.find))[0].id
    for_charger = (await house.do(tariffs.create, simple_tariff("Charger", "HUF"))).id
    for_connector = (await house.do(tariffs.create, simple_tariff("Connector", "HUF"))).id

    async def holds() -> int:
        stored = await house.do(tariffs.for_connector, "YARD", Place(0, 1))
        number: int = stored.id
        return number

    assert await holds() == default
    await house.do(inventory.create, NewCharger("YARD"))
    await house.do(inventory.ensure_connector, "YARD", Place(0, 1))
    assert await holds() == default
    await house.do(inventory.update, "YARD", ChargerChange(tariff_id=for_charger))
    assert await holds() == for_charger
    await house.do(inventory.update_connector, "YARD", Place(0, 1), ConnectorChange(tariff_id=for_connector))
    assert await holds() == for_connector
    with pytest.raises(Conflict):
        await house.do(tariffs.archive, for_connector)


# --- API keys -------------------------------------------------------------------------------------


async def test_a_key_opens_until_it_is_revoked(house: House) -> None:
    new = await house.do(api_keys.create, " billing ", "desk")
    assert (new.key.name, new.key.role) == ("billing", "desk")
    assert (await house.do(api_keys.authenticate, new.secret)).id == new.key.id
    revoked = await house.do(api_keys.revoke, new.key.id)
    assert revoked.revoked_at is not None
    house.later(60)
    assert (await house.do(api_keys.revoke, new.key.id)).revoked_at == revoked.revoked_at
    with pytest.raises(Unauthenticated):
        await house.do(api_keys.authenticate, new.secret)
    assert await house.do(api_keys.find) == [revoked]


@pytest.mark.parametrize("name,role,path", [("", "admin", "name"), ("x", "root", "role")])
async def test_a_key_needs_a_name_and_a_role(house: House, name: str, role: str, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        await house.do(api_keys.create, name, role)
    assert refused.value.path == path


async def test_the_database_keeps_no_secret_of_a_key(house: House) -> None:
    new = await house.do(api_keys.create, "billing", "desk")
    rows = await house.store.read(lambda tx: [dict(row) for row in tx.all("SELECT * FROM api_keys")])
    assert new.secret not in str(rows)
