import asyncio

import pytest

from tests.api.conftest import Api, Reply


async def prepaid(api: Api, number: str = "04AA0001", **more: str) -> int:
    made = await api.post("/tokens", {"token": number, "type": "prepaid", **more})
    wallet: int = made.body["wallet"]
    return wallet


async def test_a_topup_is_booked_and_shown_everywhere(api: Api) -> None:
    wallet = await prepaid(api)
    body = {"wallet": wallet, "amount": 5000, "method": "cash", "note": "A-17", "idempotency_key": "till-1"}
    made = await api.post("/topups", body, role="desk")
    assert made.status == 201
    assert (made.body["amount"], made.body["currency"], made.body["repeated"]) == (5000, "HUF", False)
    assert made.body["operator"] == "api:desk"
    assert (await api.get(made.headers["Location"].removeprefix("/api/v1"))).body == made.body
    assert (await api.get(f"/topups?wallet={wallet}")).body["items"] == [made.body]
    shown = (await api.get(f"/wallets/{wallet}")).body
    assert (shown["balance"], shown["held"], shown["available"]) == (5000, 0, 5000)
    movement = (await api.get(f"/wallets/{wallet}/movements")).body["items"][0]
    assert (movement["amount"], movement["balance_after"], movement["note"]) == (5000, 5000, "A-17")
    entry = (await api.get(f"/ledger?wallet={wallet}")).body["items"][0]
    assert (entry["id"], entry["kind"], entry["currency"]) == (made.body["id"], "topup", "HUF")
    assert sum(posting["amount"] for posting in entry["postings"]) == 0
    assert (await api.get(f"/ledger/{entry['id']}")).body == entry


async def test_a_topup_that_is_repeated_is_booked_once(api: Api) -> None:
    wallet = await prepaid(api)
    body = {"wallet": wallet, "amount": 5000}
    header = {"Idempotency-Key": "till-1"}
    replies = await asyncio.gather(*(api.post("/topups", body, headers=header) for _ in range(8)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["id"] for reply in replies}) == 1
    assert sorted(reply.body["repeated"] for reply in replies) == [False] + [True] * 7
    assert (await api.get(f"/wallets/{wallet}")).body["balance"] == 5000


async def test_a_key_that_was_used_for_another_payment_is_refused(api: Api) -> None:
    wallet = await prepaid(api)
    await api.post("/topups", {"wallet": wallet, "amount": 5000, "idempotency_key": "till-1"})
    other = await api.post("/topups", {"wallet": wallet, "amount": 6000, "idempotency_key": "till-1"})
    assert (other.status, other.paths) == (409, ["idempotency_key"])
    assert (await api.get(f"/wallets/{wallet}")).body["balance"] == 5000


async def test_the_wallet_of_a_card_is_topped_up_by_the_card(api: Api) -> None:
    wallet = await prepaid(api, "04AA0001", currency="EUR")
    made = await api.post(
        "/topups", {"token": "04aa0001", "amount": 1250, "idempotency_key": "k", "currency": "EUR"}
    )
    assert (made.body["wallet"], made.body["currency"]) == (wallet, "EUR")


@pytest.mark.parametrize(
    "body,headers,status,paths",
    [
        ({"wallet": 1, "amount": 5000}, {}, 422, ["idempotency_key"]),
        (
            {"wallet": 1, "amount": 5000, "idempotency_key": "a"},
            {"Idempotency-Key": "b"},
            422,
            ["idempotency_key"],
        ),
        ({"wallet": 1, "amount": 0, "idempotency_key": "a"}, {}, 422, ["amount"]),
        ({"wallet": 1, "amount": 10.5, "idempotency_key": "a"}, {}, 422, ["amount"]),
        ({"wallet": 1, "amount": 100, "currency": "EUR", "idempotency_key": "a"}, {}, 422, ["currency"]),
        ({"amount": 100, "idempotency_key": "a"}, {}, 422, ["wallet"]),
        ({"wallet": 1, "token": "04AA0001", "amount": 100, "idempotency_key": "a"}, {}, 422, ["wallet"]),
        ({"token": "04AA0002", "amount": 100, "idempotency_key": "a"}, {}, 422, ["token"]),
        ({"token": "04AA0003", "amount": 100, "idempotency_key": "a"}, {}, 404, []),
        ({"wallet": 99, "amount": 100, "idempotency_key": "a"}, {}, 404, []),
        ({"wallet": 1, "amount": 100, "method": "shells", "idempotency_key": "a"}, {}, 422, ["method"]),
    ],
)
async def test_a_topup_that_can_not_be_right_books_nothing(
    api: Api, body: dict[str, object], headers: dict[str, str], status: int, paths: list[str]
) -> None:
    assert await prepaid(api) == 1
    await api.post("/tokens", {"token": "04AA0002", "type": "personal"})
    reply: Reply = await api.post("/topups", body, headers=headers)
    assert (reply.status, reply.paths) == (status, paths)
    assert (await api.get("/ledger")).body["items"] == []


async def test_wallets_are_listed_by_their_holder(api: Api) -> None:
    anna = (await api.post("/people", {"name": "Anna"})).body["id"]
    made = await api.post("/wallets", {"name": "Savings", "person": anna, "currency": "EUR"}, role="desk")
    assert (made.status, made.body["currency"], made.body["person"]) == (201, "EUR", anna)
    await api.post("/wallets", {})
    found = await api.get(f"/wallets?person={anna}")
    assert found.body["items"] == [made.body]
    assert (await api.post("/wallets", {"person": 99})).status == 404


async def test_an_entry_that_is_no_topup_is_not_shown_as_one(api: Api) -> None:
    assert (await api.get("/topups/1")).status == 404
    assert (await api.get("/ledger/1")).status == 404


async def test_the_ledger_is_read_in_pages_newest_first(api: Api) -> None:
    wallet = await prepaid(api)
    for number in range(3):
        await api.post("/topups", {"wallet": wallet, "amount": 100 + number, "idempotency_key": str(number)})
    first = await api.get("/ledger?limit=2&kind=topup")
    rest = await api.get(f"/ledger?limit=2&cursor={first.body['next']}")
    amounts = [entry["postings"][0]["amount"] for entry in first.body["items"] + rest.body["items"]]
    assert amounts == [102, 101, 100]
    assert rest.body["next"] is None
    movements = (await api.get(f"/wallets/{wallet}/movements?limit=1")).body
    assert (movements["items"][0]["balance_after"], movements["next"]) == (303, "3")
