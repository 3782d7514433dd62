"""Whatever is changed leaves a line in the audit that says who did it, to what, and what changed."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onprem_csms.domain.access.actor import Actor
from onprem_csms.domain.chargers.chargers import ChargerChange, ConnectorChange, NewCharger
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.money.tariffs import simple_tariff
from onprem_csms.domain.secrets import hash_password
from onprem_csms.events import Bus
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.link.stations import Stations
from onprem_csms.rfid.station import Readers
from onprem_csms.services.access import api_keys, operators
from onprem_csms.services.access.operators import Attempt, NewOperator
from onprem_csms.services.cards import balances, cards, people, pins
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.cards.people import NewPerson
from onprem_csms.services.chargers import commanding, inventory
from onprem_csms.services.charging import reservations, sessions
from onprem_csms.services.charging.reservations import NewReservation
from onprem_csms.services.core import audit
from onprem_csms.services.core.audit import AuditLine
from onprem_csms.services.core.context import Context
from onprem_csms.services.money import tariffs, wallets
from onprem_csms.services.money.tariffs import Assignment, Subject
from onprem_csms.services.money.wallets import TopUp
from tests.services.conftest import House

ANNA = Actor("operator", "Anna", "7", "admin", "page", "10.0.0.9")
UID = "04A1B2C3"
UNTIL = datetime(2099, 1, 1, tzinfo=UTC)
NEXT = simple_tariff("Next", "HUF", per_kwh="99")
SOMEBODY = NewOperator("Béla", hash_password("a long password"), "desk")

# What is done, and the line that it leaves: the deed and what of the site it was done to.
DEEDS: dict[Callable[..., Any], tuple[tuple[Any, ...], str]] = {
    operators.create: ((NewOperator("Cili", "hashed", "viewer"),), "operator.added"),
    operators.store_password: ((1, hash_password("another password")), "operator.password"),
    operators.set_role: ((1, "viewer"), "operator.role"),
    operators.disable: ((1,), "operator.disabled"),
    operators.enable: ((1,), "operator.enabled"),
    api_keys.create: (("billing", "desk"), "api-key.created"),
    api_keys.revoke: ((1,), "api-key.revoked"),
    cards.create: ((NewCard("04FFEE11", "personal"),), "card.issue"),
    cards.change: ((UID, {"label": "van"}), "card.changed"),
    cards.block: ((UID, "stolen"), "card.block"),
    cards.unblock: ((UID,), "card.unblock"),
    cards.replace_card: ((UID, "04FFEE22"), "card.replaced"),
    cards.archive: ((UID,), "card.archived"),
    pins.set_pin: ((UID, "a hash"), "card.pin"),
    people.create: ((NewPerson("Cili"),), "person.added"),
    people.change: ((1, {"name": "Nagy Anna"}), "person.changed"),
    people.archive: ((1,), "person.archived"),
    wallets.create: (("HUF",), "wallet.added"),
    wallets.top_up: ((TopUp(1, 500, "one"),), "wallet.topup"),
    balances.top_up: ((TopUp(1, 500, "two"),), "wallet.topup"),
    tariffs.create: ((NEXT,), "tariff.added"),
    tariffs.change: ((2, NEXT), "tariff.changed"),
    tariffs.make_default: ((2,), "tariff.default"),
    tariffs.assign: ((Assignment(Subject("charger", "CP1"), 2, None),), "tariff.assigned"),  # type: ignore[arg-type]
    tariffs.archive: ((2,), "tariff.archived"),
    inventory.create: ((NewCharger("CP77"),), "charger.added"),
    inventory.update: (("CP1", ChargerChange(name="Gate")), "charger.changed"),
    inventory.reset_password: (("CP1",), "charger.password"),
    inventory.update_connector: (("CP1", Place(0, 1), ConnectorChange(name="Left")), "connector.changed"),
    inventory.archive: (("CP2",), "charger.archived"),
    commanding.want: ((commanding.Wish("CP1", "Reset", {}, "Anna"),), "command.wanted"),
    reservations.made: ((NewReservation("CP1", 1, Place(0, 1), UID, UNTIL),), "reservation.made"),
    reservations.cancelled: (("CP1", 7), "reservation.cancelled"),
    sessions.close: ((1,), "session.closed"),
    sessions.want_stop: ((1,), "session.stopped"),
}


@pytest.fixture
def ctx(house: House) -> Context:
    """What doors are given, on the store of the house."""
    bus = Bus()
    return Context(
        house.store,
        bus,
        house.clock,
        house.store.settings,
        Stations(Options()),
        Readers((), bus, house.clock),
    )


@pytest.fixture
async def site(house: House) -> House:
    """One of everything that can be changed."""
    await house.do(operators.create, SOMEBODY)
    await house.do(operators.create, NewOperator("Root", "hashed", "admin"))
    await house.do(api_keys.create, "old", "viewer")
    await house.do(people.create, NewPerson("Kiss Anna"))
    await house.prepaid_card(UID, 5_000)
    await house.do(tariffs.create, simple_tariff("Second", "HUF", per_kwh="80"))
    await house.do(inventory.ensure_connector, "CP1", Place(0, 1))
    await house.do(reservations.made, NewReservation("CP1", 7, Place(0, 1), UID, UNTIL))
    await house.start(UID)
    return house


async def newest(house: House) -> AuditLine:
    return (await house.store.read(audit.find, None, 1))[0]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: f"{deed.__module__.split('.')[-1]}.{deed.__name__}")
async def test_every_change_leaves_a_line_that_names_who_made_it(
    site: House, deed: Callable[..., Any]
) -> None:
    given, expected = DEEDS[deed]
    if deed is tariffs.assign:
        given = (Assignment(Subject("charger", "CP1"), 2, site.clock.at + timedelta(days=1)),)
    await site.store.acting(ANNA).write(deed, *given)
    line = await newest(site)
    assert line.action == expected
    assert (line.actor, line.actor_kind, line.role, line.channel, line.address) == (
        "Anna",
        "operator",
        "admin",
        "page",
        "10.0.0.9",
    )


async def test_the_line_tells_what_changed_and_no_secret(site: House) -> None:
    await site.store.acting(ANNA).write(people.change, 1, {"name": "Nagy Anna"})
    assert (await newest(site)).detail == "name: Kiss Anna → Nagy Anna"
    await site.store.acting(ANNA).write(cards.change, UID, {"label": "van", "pin_hash": "$argon2$secret"})
    assert (await newest(site)).detail == "label: – → van; pin_hash: …"


async def test_a_command_that_the_csms_gives_by_itself_stands_in_the_list_of_commands_alone(
    site: House,
) -> None:
    before = await newest(site)
    await site.do(commanding.want, commanding.Wish("CP1", "RemoteStopTransaction", {}, "system"))
    assert await newest(site) == before


async def test_what_changes_nothing_or_fails_leaves_no_line(site: House) -> None:
    before = await newest(site)
    await site.store.acting(ANNA).write(people.change, 1, {"name": "Kiss Anna"})
    await site.store.acting(ANNA).write(cards.change, UID, {})
    with pytest.raises(Exception, match="e-mail"):
        await site.store.acting(ANNA).write(people.change, 1, {"email": "none"})
    assert await newest(site) == before


async def test_an_entry_of_the_ledger_names_its_operator_and_a_charge_names_nobody(site: House) -> None:
    key = Actor("api_key", "billing", "1", "desk", "api")
    for actor, shown in ((ANNA, "Anna"), (key, "api:billing"), (Actor("charger", "CP1"), "")):
        await site.store.acting(actor).write(wallets.top_up, TopUp(1, 100, f"key of {shown}"))
        assert (await site.store.read(wallets.movements, 1))[0].operator == shown


async def test_sign_ins_right_and_wrong_are_written_down(site: House, ctx: Context) -> None:
    visitor = ctx.acting(Actor("system", "visitor", channel="page", address="10.0.0.4"))
    await operators.sign_in(visitor, Attempt("béla", "a long password", "10.0.0.4"))
    right = await newest(site)
    assert (right.action, right.actor, right.role, right.address) == (
        "operator.sign-in",
        "Béla",
        "desk",
        "10.0.0.4",
    )
    await refused(operators.sign_in(visitor, Attempt("Béla", "a wrong one", "10.0.0.4")))
    wrong = await newest(site)
    assert (wrong.action, wrong.subject, wrong.address) == ("operator.sign-in-refused", "Béla", "10.0.0.4")
    await refused(pins.sign_in(visitor, UID, "1234"))
    assert (await newest(site)).action == "driver.sign-in-refused"


async def refused(trying: Awaitable[object]) -> None:
    with pytest.raises(Exception, match=r"match|wrong"):
        await trying
