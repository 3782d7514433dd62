import pytest

from tests.api.charger import Charger
from tests.api.conftest import Api

CARD = "04AA0001"


@pytest.fixture
async def card(api: Api) -> str:
    """A prepaid card with 5000 Ft, at a tariff of 100 Ft for a kWh."""
    await api.post("/tariffs", {"name": "Standard", "prices": {"per_kwh": "100"}})
    await api.post("/tokens", {"token": CARD, "type": "prepaid"})
    await api.post("/topups", {"token": CARD, "amount": 5000, "idempotency_key": "first"})
    return CARD


async def test_a_session_is_shown_while_it_runs_and_when_it_has_ended(
    api: Api, charger: Charger, card: str
) -> None:
    await charger.boot()
    transaction, told = await charger.begin(card, 1000)
    assert told["status"] == "Accepted"
    await charger.meter(transaction, 3000)
    running = (await api.get("/sessions?state=open")).body["items"][0]
    assert (running["charger"], running["connector"], running["token"]) == ("CP1", 1, card)
    assert (running["state"], running["ended_at"], running["transaction_id"]) == (
        "open",
        None,
        str(transaction),
    )
    assert (running["energy_wh"], running["cost"], running["currency"]) == (2000, 200, "HUF")
    assert (await api.get(f"/tokens/{card}")).body["available"] == 0, "held for the session"
    await charger.stop(transaction, 6000)
    ended = (await api.get(f"/sessions/{running['id']}")).body
    assert (ended["state"], ended["energy_wh"], ended["cost"]) == ("closed", 5000, 500)
    assert (ended["stop_reason"], ended["review"]) == ("local", "none")
    assert ended["ended_at"] >= ended["began_at"]
    assert ended["bill"]["gross"] == 500
    assert (await api.get(f"/tokens/{card}")).body["available"] == 4500
    points = (await api.get(f"/sessions/{running['id']}/readings")).body["items"]
    assert [point["energy_wh"] for point in points] == sorted(point["energy_wh"] for point in points)
    entry = (await api.get(f"/ledger?session={running['id']}")).body["items"][0]
    assert entry["kind"] == "charge"


async def test_sessions_are_found_by_charger_card_and_state_newest_first(
    api: Api, charger: Charger, card: str
) -> None:
    for register in (0, 1000):
        transaction, _ = await charger.begin(card, register)
        await charger.stop(transaction, register + 1000)
    await charger.begin(card, 2000)
    all_of_them = [one["id"] for one in (await api.get("/sessions")).body["items"]]
    assert all_of_them == sorted(all_of_them, reverse=True)
    for query, expected in {
        "charger=CP1": all_of_them,
        "charger=CP2": [],
        f"token={card.lower()}": all_of_them,
        "token=04AA0002": [],
        "state=open": all_of_them[:1],
        "state=closed": all_of_them[1:],
        "state=closed&limit=1": all_of_them[1:2],
        f"cursor={all_of_them[0]}": all_of_them[1:],
        "review=open": [],
    }.items():
        found = (await api.get(f"/sessions?{query}")).body["items"]
        assert [one["id"] for one in found] == expected, query
    wrong = await api.get("/sessions?state=running")
    assert (wrong.status, wrong.paths) == (422, ["state"])


async def test_a_session_is_stopped_by_asking_the_charger(api: Api, charger: Charger, card: str) -> None:
    transaction, _ = await charger.begin(card)
    number = (await api.get("/sessions")).body["items"][0]["id"]
    wanted = await api.post(f"/sessions/{number}/stop", role="desk")
    assert (wanted.status, wanted.body["state"], wanted.body["stop_wanted"]) == (200, "open", "remote")
    await charger.was_asked.wait()
    assert charger.asked[0] == ("RemoteStopTransaction", {"transaction_id": transaction})


async def test_a_stale_session_is_closed_without_a_message(api: Api, charger: Charger, card: str) -> None:
    transaction, _ = await charger.begin(card)
    await charger.meter(transaction, 1000)
    number = (await api.get("/sessions")).body["items"][0]["id"]
    assert (await api.post(f"/sessions/{number}/close", role="desk")).status == 403
    closed = await api.post(f"/sessions/{number}/close")
    assert (closed.status, closed.body["state"]) == (200, "closed")
    assert (closed.body["stop_reason"], closed.body["energy_wh"]) == ("closed_by_operator", 1000)
    assert charger.asked == []
    assert (await api.post(f"/sessions/{number}/close")).status == 409
    assert (await api.post(f"/sessions/{number}/stop")).status == 409


async def test_what_needs_eyes_is_listed_and_resolved(api: Api, charger: Charger, card: str) -> None:
    await charger.stop(4711, 1000)
    item = (await api.get("/reviews")).body["items"][0]
    assert (item["kind"], item["charger"], item["resolved_at"]) == ("orphan_stop", "CP1", None)
    assert item["sentence"].endswith(".")
    assert (await api.get(f"/reviews/{item['id']}")).body == item
    assert (await api.post(f"/reviews/{item['id']}/resolve", {}, role="desk")).status == 403
    done = await api.post(f"/reviews/{item['id']}/resolve", {"note": "a test"})
    assert (done.body["resolved_by"], done.body["note"]) == ("api:admin", "a test")
    assert (await api.get("/reviews")).body["items"] == []
    assert (await api.get("/reviews?all=true")).body["items"] == [done.body]


async def test_the_day_and_the_days_before_are_reported(api: Api, charger: Charger, card: str) -> None:
    transaction, _ = await charger.begin(card)
    await charger.stop(transaction, 2000)
    today = (await api.get("/reports/today")).body
    assert (today["energy_wh"], today["sessions"], today["revenue"]) == (2000, 1, {"HUF": 200})
    assert (today["topups"], today["active"]) == ({"HUF": 5000}, 0)
    days = (await api.get("/reports/days?days=7")).body["items"]
    assert (len(days), days[-1]["energy_wh"], days[0]["energy_wh"]) == (7, 2000, 0)


async def test_a_session_that_is_not_there_is_not_found(api: Api) -> None:
    for path in ("/sessions/9", "/sessions/9/readings", "/reviews/9"):
        assert (await api.get(path)).status == 404
    for path in ("/sessions/9/stop", "/sessions/9/close", "/reviews/9/resolve"):
        assert (await api.post(path)).status == 404
