"""Sessions whose bill waits are booked by the API, and booked ones corrected."""

import pytest

from tests.api.charger import Charger
from tests.api.conftest import Api

CARD, OTHER = "04AA0001", "04AA0002"


@pytest.fixture
async def site(api: Api, charger: Charger) -> Charger:
    """Two prepaid cards with 5000 Ft at 100 Ft for a kWh, and a charger that has booted."""
    await api.post("/tariffs", {"name": "Standard", "prices": {"per_kwh": "100"}})
    for card in (CARD, OTHER):
        await api.post("/tokens", {"token": card, "type": "prepaid"})
        await api.post("/topups", {"token": card, "amount": 5000, "idempotency_key": card})
    await charger.boot()
    return charger


async def ended(api: Api, site: Charger, stop: int) -> int:
    """Let a session of a card end."""
    transaction, _ = await site.begin(CARD, 1000)
    await site.stop(transaction, stop)
    number: int = (await api.get("/sessions")).body["items"][0]["id"]
    return number


async def test_a_bill_that_waits_is_booked_with_the_registers_and_the_payer_that_are_chosen(
    api: Api, site: Charger
) -> None:
    number = await ended(api, site, 150_000)
    session = (await api.get(f"/sessions/{number}")).body
    assert (session["state"], session["waiting"], session["cost"]) == ("closed", True, 0)
    assert (await api.get(f"/tokens/{CARD}")).body["available"] == 0, "the hold stays"
    wrong = await api.post(f"/sessions/{number}/corrections", {"reason": "read on site"})
    assert wrong.status == 409, "nothing was booked that could be corrected"
    what = {"reason": "read on site", "meter_stop_wh": 9_000, "token": OTHER}
    booked = await api.post(f"/sessions/{number}/book", what)
    assert (booked.status, booked.body["waiting"]) == (200, False)
    assert (booked.body["energy_wh"], booked.body["cost"], booked.body["bill"]["gross"]) == (8_000, 800, 800)
    assert (await api.get(f"/tokens/{CARD}")).body["available"] == 5000
    assert (await api.get(f"/tokens/{OTHER}")).body["available"] == 4200
    again = await api.post(f"/sessions/{number}/book", what)
    assert again.status == 409, "it was booked"


async def test_corrections_are_listed_with_author_and_reason(api: Api, site: Charger) -> None:
    number = await ended(api, site, 6_000)
    for stop, reason in ((5_000, "first"), (7_000, "second"), (7_000, "second")):
        reply = await api.post(f"/sessions/{number}/corrections", {"reason": reason, "meter_stop_wh": stop})
        assert reply.status == 200
    listed = (await api.get(f"/sessions/{number}/corrections")).body["items"]
    assert [(one["reason"], one["before"]["cost"], one["after"]["cost"]) for one in listed] == [
        ("first", 500, 400),
        ("second", 400, 600),
    ]
    assert all(one["actor"].startswith("api:") for one in listed)
    free = await api.post(f"/sessions/{number}/corrections", {"reason": "a gift", "tariff": None})
    assert (free.status, free.body["cost"], free.body["bill"]) == (200, 0, None)
    assert (await api.get(f"/tokens/{CARD}")).body["balance"] == 5000
    entries = (await api.get(f"/ledger?session={number}")).body["items"]
    assert [entry["kind"] for entry in entries] == ["correction", "correction", "correction", "charge"]


async def test_what_can_not_be_is_refused_with_its_field(api: Api, site: Charger) -> None:
    number = await ended(api, site, 6_000)
    path = f"/sessions/{number}/corrections"
    below = await api.post(path, {"reason": "r", "meter_start_wh": 9_000, "meter_stop_wh": 1})
    assert (below.status, below.paths) == (422, ["meter_stop_wh"])
    both = await api.post(path, {"reason": "r", "wallet": 1, "token": CARD})
    assert both.status == 422
    assert (await api.post(path, {"meter_stop_wh": 9_000})).status == 422, "no reason was given"
    assert (await api.get("/sessions/99/corrections")).status == 404
