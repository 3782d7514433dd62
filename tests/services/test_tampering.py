"""``verify`` names every tampering: each is done to the file as somebody with its key would do it."""

from collections.abc import Callable

import pytest

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import ledger as ledger_rows
from onprem_csms.db.money.ledger import EntryRow
from onprem_csms.services.money import ledger
from onprem_csms.services.site import verify
from tests.services.conftest import House

CARD = "04AABBCCDD"


@pytest.fixture
async def books(house: House) -> House:
    """Two cards, three top-ups, two charged sessions."""
    wallet_id = await house.prepaid_card(CARD, 20_000)
    other = await house.prepaid_card("04AABBCCEE", 5_000)
    assert (wallet_id, other) == (1, 2)
    for _ in range(2):
        started = await house.start(CARD)
        house.later(3_600)
        await house.stop(started, 10_000)
        house.later(60)
    await house.top_up(wallet_id, 1_000)
    assert await house.faults() == []
    return house


async def tamper(house: House, *statements: str) -> list[str]:
    """Change the file behind the product's back and count again."""

    def change(tx: Tx) -> None:
        tx.execute("DROP TRIGGER IF EXISTS entries_stay")
        tx.execute("DROP TRIGGER IF EXISTS entries_remain")
        for statement in statements:
            tx.execute(statement)

    await house.do(change)
    return await house.faults()


def rechain(tx: Tx, change: Callable[[EntryRow], EntryRow]) -> None:
    """Change entries and hash the whole chain anew, as a careful forger would."""
    previous = ledger_rows.GENESIS
    for entry in list(ledger_rows.in_order(tx)):
        forged = change(entry)
        previous = ledger_rows.digest(forged, previous)
        names = ", ".join(f"{name} = ?" for name in EntryRow._fields)
        tx.execute(f"UPDATE entries SET {names} WHERE id = ?", (*forged[:-1], previous, entry.id))  # noqa: S608 - own names


async def forge(house: House, change: Callable[[EntryRow], EntryRow]) -> list[str]:
    await tamper(house)
    await house.do(rechain, change)
    return await house.faults()


@pytest.mark.parametrize(
    "statement,fault",
    [
        ("UPDATE entries SET operator = 'x' WHERE id = 3", "entry 3: it was changed"),
        ("UPDATE entries SET document = '{}' WHERE id = 2", "entry 2: it was changed"),
        ("UPDATE entries SET document = '[]' WHERE id = 3", "entry 3: 1790 is booked, its document says 0"),
        (
            "UPDATE entries SET site = '[7]' WHERE id = 3",
            "entry 3: its postings or its document can't be read",
        ),
        ("UPDATE entries SET at = at + 1 WHERE id = 4", "entry 4: it was changed"),
        ("UPDATE entries SET wallet_id = 2 WHERE id = 3", "entry 3: it was changed"),
        ("UPDATE entries SET balance_after = 7 WHERE id = 5", "entry 5: the balance after it is 7"),
        ("UPDATE entries SET session_id = 9 WHERE id = 3", "session 9: it is missing"),
        ("DELETE FROM entries WHERE id = 2", "entry 3: entries between 1 and 3 are missing"),
        ("DELETE FROM entries WHERE id = 5", "wallet 1: the balance"),
        ("UPDATE wallets SET balance = balance + 1 WHERE id = 1", "wallet 1: the balance"),
        ("UPDATE wallets SET currency = 'EUR' WHERE id = 2", "entry 2: it is in HUF, its wallet 2 in EUR"),
        ("UPDATE wallets SET held = 5 WHERE id = 2", "wallet 2: 5 is held, its open holds are 0"),
        ("UPDATE accounts SET balance = 0 WHERE kind = 'vat'", "account vat HUF: the balance 0"),
        ("DELETE FROM accounts WHERE kind = 'cash'", "account cash HUF: it is missing"),
        ("UPDATE currencies SET decimals = 2", "currency HUF: its amounts have 2 decimals"),
        ("DELETE FROM sessions WHERE id = 1", "session 1: it is missing, and 1790 was charged for it"),
        ("UPDATE sessions SET cost = 0 WHERE id = 2", "session 2: the bill is not what"),
        (
            "UPDATE sessions SET wallet_id = NULL WHERE id = 2",
            "session 2: 1790 was charged, it has no wallet",
        ),
        (
            "INSERT INTO holds (wallet_id, amount, state, purpose, began_at) VALUES (2, 5, 'held', 'mine', 0)",
            "hold 3: nothing needs it any more (mine)",
        ),
    ],
)
async def test_a_changed_row_is_named(books: House, statement: str, fault: str) -> None:
    currency = "INSERT INTO currencies VALUES ('EUR', 2, 1)"
    faults = await tamper(books, "PRAGMA defer_foreign_keys = ON", currency, statement)
    assert any(found.startswith(fault) for found in faults), faults


async def test_swapped_accounts_are_named(books: House) -> None:
    faults = await tamper(
        books,
        "UPDATE accounts SET kind = 'bank' WHERE kind = 'revenue'",
        "UPDATE accounts SET kind = 'revenue' WHERE kind = 'vat'",
        "UPDATE accounts SET kind = 'vat' WHERE kind = 'bank'",
    )
    assert [fault.split(":")[0] for fault in faults] == ["account revenue HUF", "account vat HUF"]


async def test_vat_that_is_not_as_billed_is_named_though_all_hashes_are_right(books: House) -> None:
    def less_vat(entry: EntryRow) -> EntryRow:
        return entry._replace(site=entry.site.replace('"vat":381', '"vat":380').replace("1409", "1410"))

    faults = await forge(books, less_vat)
    assert "entry 3: VAT 380 is booked, its document says 381" in faults
    assert any(fault.startswith("account vat HUF") for fault in faults)


async def test_postings_that_do_not_add_up_are_named_though_all_hashes_are_right(books: House) -> None:
    faults = await forge(books, lambda entry: entry._replace(site=entry.site.replace("-20000", "-19000")))
    assert "entry 1: its postings do not add up to zero" in faults


async def test_a_bill_forged_in_ledger_and_document_is_named_by_the_session(books: House) -> None:
    def cheaper(entry: EntryRow) -> EntryRow:
        site = entry.site.replace("1409", "1408")
        document = entry.document.replace('"gross":1790', '"gross":1789')
        return entry._replace(amount=-1_789, site=site, document=document) if entry.id == 3 else entry

    faults = await forge(books, cheaper)
    assert "session 1: 1789 was charged, the bill is 1790" in faults


async def test_an_amount_in_another_currency_is_named_though_all_hashes_are_right(books: House) -> None:
    await tamper(books, "INSERT INTO currencies VALUES ('EUR', 2, 1)")
    faults = await forge(books, lambda one: one._replace(currency="EUR") if one.id == 2 else one)
    assert "entry 2: it is in EUR, its wallet 2 in HUF" in faults


async def test_entries_that_were_cut_off_are_named_by_the_head_outside(books: House) -> None:
    head = await books.store.read(ledger.head)
    assert (await books.store.read(verify.verify, head)).faults == []
    await tamper(
        books,
        "DELETE FROM entries WHERE id = 5",
        "UPDATE wallets SET balance = balance - 1000 WHERE id = 1",
        "UPDATE accounts SET balance = balance + 1000 WHERE kind = 'cash'",
    )
    assert (await books.store.read(verify.verify)).faults == [], "the books are whole in themselves"
    found = (await books.store.read(verify.verify, head)).faults
    assert found == ["the ledger ends at entry 4, the head kept outside says 5: entries are missing"]


async def test_a_chain_that_was_hashed_anew_is_named_by_the_head_outside(books: House) -> None:
    head = await books.store.read(ledger.head)
    await forge(books, lambda entry: entry._replace(operator="forger"))
    assert (await books.store.read(verify.verify)).faults == []
    found = (await books.store.read(verify.verify, head)).faults
    assert found == ["entry 5: it is not the entry whose hash is kept outside"]
