"""Whoever had a card sees and does nothing with it any more once it, its holder or its PIN is another."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from onprem_csms.db.cards import cards as card_rows
from onprem_csms.domain.chargers.places import Place
from onprem_csms.errors import Unauthenticated
from onprem_csms.services.cards import balances, cards, people, pins
from onprem_csms.services.cards.cards import NewCard
from onprem_csms.services.cards.people import NewPerson
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import orders, sessions
from onprem_csms.services.charging.orders import OrderRequest
from onprem_csms.services.charging.sessions import SessionFilter
from onprem_csms.services.core import logins
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.logins import Owner
from onprem_csms.services.drivers import driving
from tests.services.conftest import House

UID = "04A1B2C3"


def give_to_another(tx: Tx) -> object:
    return cards.change(tx, UID, {"person_id": people.create(tx, NewPerson("Nagy Péter")).id})


def issue_again(tx: Tx) -> object:
    cards.archive(tx, UID)
    return cards.create(tx, NewCard(UID, "personal"))


# Every way to write a card: True where the access of its former holder must end.
WRITERS: dict[str, tuple[Callable[[Tx], object], bool]] = {
    "another holder": (give_to_another, True),
    "a new PIN": (lambda tx: pins.set_pin(tx, UID, "a hash"), True),
    "no PIN any more": (lambda tx: cards.change(tx, UID, {"pin_hash": None}), True),
    "lost": (lambda tx: cards.block(tx, UID, "lost", "lost"), True),
    "blocked": (lambda tx: cards.block(tx, UID, "stolen"), True),
    "blocked by a change": (lambda tx: cards.change(tx, UID, {"status": "blocked"}), True),
    "blocked below zero": (lambda tx: balances.block_below_zero(tx, cards.get(tx, UID).id), True),
    "archived": (lambda tx: cards.archive(tx, UID), True),
    "issued again": (issue_again, True),
    "replaced": (lambda tx: cards.replace_card(tx, UID, "04FFEE22"), True),
    "replaced by itself": (lambda tx: cards.replace_card(tx, UID, UID), True),
    "another label": (lambda tx: cards.change(tx, UID, {"label": "van"}), False),
    "another group": (lambda tx: cards.change(tx, UID, {"group": "FLEET"}), False),
    "unblocked": (lambda tx: cards.unblock(tx, UID), False),
}


@pytest.fixture
async def site(house: House) -> House:
    """A prepaid card with a holder and a PIN, and a connector to order at."""
    await house.prepaid_card(UID, 5_000)
    await house.do(people.create, NewPerson("Kiss Anna"))
    await house.do(cards.change, UID, {"person_id": 1, "pin_hash": "the first hash"})
    await house.do(inventory.ensure_connector, "CP1", Place(0, 1))
    return house


@pytest.mark.parametrize("name", WRITERS)
async def test_sign_ins_and_open_orders_end_with_the_holder_or_the_secret(site: House, name: str) -> None:
    write, ends = WRITERS[name]
    card = await site.store.read(cards.get, UID)
    secret = await site.do(logins.begin, Owner("driver", card_id=card.id))
    found = await site.store.read(inventory.get, "CP1")
    slug = next(one.slug for one in found.connectors if one.number == 1)
    order, _ = await site.do(orders._hold, OrderRequest(slug or "", card.id, 2_000, "key"), True)
    news = site.bus.subscribe({"sign-in"})
    await site.do(write)
    assert (await site.store.read(logins.find, secret) is None) == ends
    assert (await site.store.read(orders.get, order.id)).status == ("cancelled" if ends else "held")
    wallet = card.wallet
    assert wallet is not None
    assert (await site.wallet(wallet.id)).held == (0 if ends else 2_000)
    if ends:
        assert (await anext(news)).key == f"driver:{card.id}", "open streams are told to end"


async def test_a_number_issued_again_is_another_card_that_shows_nothing_of_the_former(site: House) -> None:
    former = await site.store.read(cards.get, UID)
    started = await site.start(UID)
    await site.stop(started, 1_000)
    anew = await site.do(cards.replace_card, UID, UID)
    assert anew.id != former.id
    assert (anew.uid, anew.has_pin, anew.wallet.id) == (UID, False, former.wallet and former.wallet.id)
    assert (await site.session(started.session_id)).card_id == former.id
    assert (await site.store.read(driving.account, anew.id)).past == ()
    with pytest.raises(Unauthenticated):
        await site.store.read(driving.account, former.id)
    assert len(await site.store.read(sessions.find, SessionFilter(uid=UID))) == 1, (
        "the desk finds it by number"
    )


async def test_the_next_holder_of_a_card_sees_no_session_of_the_one_before(site: House) -> None:
    started = await site.start(UID)
    await site.stop(started, 1_000)
    card = await site.store.read(cards.get, UID)
    assert len((await site.store.read(driving.account, card.id)).past) == 1
    site.later(60)
    await site.do(give_to_another)
    assert (await site.store.read(driving.account, card.id)).past == ()


def test_only_the_cards_own_service_writes_the_table_of_cards(root: Path) -> None:
    """The writers of the table are called from ``services/cards/cards.py`` alone, which the table above walks."""
    writers = {
        name
        for name, function in inspect.getmembers(card_rows, inspect.isfunction)
        if any(word in inspect.getsource(function) for word in ("INSERT INTO", "UPDATE cards", "DELETE FROM"))
    }
    assert writers == {"insert", "update", "archive", "set_replaced_by", "set_status"}
    for path in (root / "onprem_csms").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "cards.py" or "services" not in path.parts:
            calls = called(text, writers) if "db.cards import cards" in text else set()
            assert calls == set(), path
        if path.parent.name != "cards" or path.parent.parent.name != "db":
            assert "UPDATE cards" not in text, path


def called(text: str, writers: set[str]) -> set[str]:
    """The writers that a module calls by the name under which it imports ``db.cards.cards``."""
    tree = ast.parse(text)
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "onprem_csms.db.cards"
        for alias in node.names
        if alias.name == "cards"
    }
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
        and node.attr in writers
    }
