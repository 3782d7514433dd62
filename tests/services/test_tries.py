"""Who guesses passwords and PINs is slowed down, and never at the cost of who is guessed."""

import pytest

from onprem_csms.db.core import tries as rows
from onprem_csms.domain.access.common_secrets import is_common_password, is_common_pin
from onprem_csms.domain.access.tries import RULES, Trying
from onprem_csms.domain.secrets import choose_password, choose_pin, hash_pin
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.errors import Forbidden, Invalid, TooSlow, Unauthenticated
from onprem_csms.events import Bus
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.link.stations import Stations
from onprem_csms.rfid.station import Readers
from onprem_csms.services.access import operators
from onprem_csms.services.access.operators import Attempt, NewOperator
from onprem_csms.services.cards import cards, pins
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.core import hashing, tries
from onprem_csms.services.core.context import Context, Tx
from tests.services.conftest import House

UID = "04A1B2C3"
PASSWORD = "a long sentence of Anna"


@pytest.fixture
def ctx(house: House) -> Context:
    """What doors are given, on the store of the house."""
    bus = Bus()
    return Context(
        house.store, bus, house.clock, SiteSettings(), Stations(Options()), Readers((), bus, house.clock)
    )


async def looked_at(house: House, attempts: list[Trying]) -> int:
    """How many of some wrong tries were looked at."""

    def all_of(tx: Tx) -> int:
        count = 0
        for attempt in attempts:
            try:
                tries.begin(tx, attempt)
            except Forbidden:
                continue
            count += 1
        return count

    return int(await house.do(all_of))


@pytest.mark.parametrize("addresses,operator,driver", [(1, 5, 5), (20, 20, 10), (200, 20, 10)])
async def test_as_few_tries_on_a_name_are_looked_at_from_many_addresses(
    house: House, addresses: int, operator: int, driver: int
) -> None:
    for kind, most in (("operator", operator), ("driver", driver)):
        attempts = [
            Trying(kind, "anna", f"10.{number % addresses}.0.1")  # type: ignore[arg-type]
            for number in range(2_000)
        ]
        assert await looked_at(house, attempts) == most


async def test_many_names_from_one_network_and_many_names_from_everywhere_are_bounded(house: House) -> None:
    near = [Trying("driver", f"card {number}", f"10.0.0.{number % 250}") for number in range(1_000)]
    assert await looked_at(house, near) == RULES["driver"]["network"].burst
    far = [
        Trying("operator", f"name {number}", f"10.{number % 250}.{number // 250}.1")
        for number in range(1_000)
    ]
    assert await looked_at(house, far) == RULES["operator"]["site"].burst
    hosts = [Trying("driver", f"other {number}", f"2001:db8::{number:x}") for number in range(100)]
    assert await looked_at(house, hosts) <= RULES["driver"]["network"].burst


async def test_a_card_of_ones_own_does_not_wipe_what_was_guessed(house: House) -> None:
    own = Trying("driver", UID, "10.0.0.1")

    def guess(tx: Tx) -> int:
        for number in range(1_000):
            try:
                tries.begin(tx, Trying("driver", f"card {number}", "10.0.0.1"))
                tries.begin(tx, own)
            except Forbidden:
                return number
            tries.right(tx, own)
        return 1_000

    assert await house.do(guess) <= RULES["driver"]["network"].burst


async def test_a_browser_that_was_signed_in_is_let_through_whoever_guesses_its_name(
    house: House, ctx: Context
) -> None:
    await operators.add(ctx, NewOperator("Anna", PASSWORD))
    known = (await operators.sign_in(ctx, Attempt("Anna", PASSWORD, "10.0.0.1"))).device
    guesses = [Trying("operator", "anna", f"10.1.{number}.1") for number in range(100)]
    await looked_at(house, guesses)
    with pytest.raises(Forbidden):
        await operators.sign_in(ctx, Attempt("Anna", PASSWORD, "10.0.0.1"))
    with pytest.raises(Forbidden):
        await operators.sign_in(ctx, Attempt("Anna", PASSWORD, "10.0.0.1", "0123456789abcdef.forged"))
    signed_in = await operators.sign_in(ctx, Attempt("Anna", PASSWORD, "10.0.0.1", known))
    assert signed_in.device == known


async def test_a_phone_that_was_signed_in_is_no_free_way_to_guess(house: House, ctx: Context) -> None:
    await house.do(cards.create, NewCard(UID, "personal", pin_hash=hash_pin("7295")))
    await house.do(cards.create, NewCard("04AA0001", "personal", pin_hash=hash_pin("7295")))
    device = (await pins.sign_in(ctx, UID, "7295")).device
    for _ in range(RULES["driver"]["device"].burst):
        with pytest.raises(Unauthenticated):
            await pins.check_pin(ctx, UID, "0000", device)
    with pytest.raises(Forbidden):
        await pins.check_pin(ctx, UID, "7295", device)
    # It proves nothing for the card of somebody else.
    for _ in range(RULES["driver"]["pair"].burst):
        with pytest.raises(Unauthenticated):
            await pins.check_pin(ctx, "04AA0001", "0000", device)
    with pytest.raises(Forbidden):
        await pins.check_pin(ctx, "04AA0001", "7295", device)


async def test_a_refusal_writes_nothing_and_a_flood_of_names_forgets_the_least_wrong_first(
    house: House,
) -> None:
    def fill(tx: Tx) -> None:
        for number in range(rows.MOST):
            rows.set_free_at(tx, f"operator name {number}", 10**13 + number)
        rows.trim(tx)
        rows.set_free_at(tx, "operator pair worst", 10**14)
        rows.set_free_at(tx, "operator pair new", 10**13 - 1)
        rows.trim(tx)

    await house.do(fill)
    kept = await house.do(rows.all_of, "operator")
    assert "operator pair worst" in kept
    assert "operator pair new" not in kept
    assert len(kept) <= rows.MOST
    before = await house.do(lambda tx: tx.value("SELECT total_changes()"))
    with pytest.raises(Forbidden):
        await house.store.read(tries.check, Trying("operator", "9999", "10.0.0.1"))
    assert await house.do(lambda tx: tx.value("SELECT total_changes()")) == before


async def test_a_crowd_of_drivers_does_not_keep_an_operator_waiting(
    house: House, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await operators.add(ctx, NewOperator("Anna", PASSWORD))
    monkeypatch.setitem(hashing._waiting, "driver", hashing.MOST_WAITING)
    with pytest.raises(TooSlow):
        await pins.check_pin(ctx, UID, "7295")
    assert (await operators.sign_in(ctx, Attempt("Anna", PASSWORD, "10.0.0.1"))).secret


# --- Common ones --------------------------------------------------------------------------------


TRIED_FIRST = """
0000 1234 4321 2345 9876 1212 1221 7777 2580 1984 2024 1357 123456 654321 111222 121212 112233
19840512 840512 120584 12051984 13579 00000000
"""


def test_a_pin_that_is_tried_first_is_refused() -> None:
    for pin in TRIED_FIRST.split():
        assert is_common_pin(pin), pin
        with pytest.raises(Invalid, match="tried first"):
            choose_pin(pin)


@pytest.mark.parametrize("pin", ["7295", "3048", "8361", "902714", "57310284"])
def test_most_pins_are_fine(pin: str) -> None:
    assert not is_common_pin(pin)
    assert choose_pin(pin)


def test_nine_of_ten_pins_can_be_chosen() -> None:
    assert sum(not is_common_pin(f"{number:04}") for number in range(10_000)) > 9_000


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "P@ssw0rd2024",
        "administrator1",
        "qwertzuiop12",
        "aaaaaaaaaaaa",
        "1234567890",
        "abcabcabcabc",
        "onprem-csms-2026",
        "Jelszo123456!",
        "Anna12345678",
    ],
)
def test_a_password_that_is_tried_first_is_refused(password: str) -> None:
    assert is_common_password(password, "Anna")
    with pytest.raises(Invalid, match="tried first"):
        choose_password(password, "Anna")


@pytest.mark.parametrize(
    "password", ["correct horse battery", "a long password", "another long one", PASSWORD]
)
def test_a_sentence_is_fine(password: str) -> None:
    assert not is_common_password(password, "Anna")
