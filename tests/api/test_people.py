from tests.api.conftest import Api


async def test_a_person_is_added_read_changed_and_removed(api: Api) -> None:
    made = await api.post("/people", {"name": "Kovács Őrs", "email": "ors@example.com"}, role="desk")
    assert made.status == 201
    place = f"/people/{made.body['id']}"
    assert made.headers["Location"] == f"/api/v1{place}"
    assert (await api.get(place, role="viewer")).body == made.body
    changed = await api.patch(place, {"phone": "+36 1 234 5678", "language": "hu"}, role="desk")
    assert changed.status == 200
    assert changed.body == {**made.body, "phone": "+36 1 234 5678", "language": "hu"}
    assert (await api.delete(place)).status == 204
    assert (await api.get(place)).status == 404
    assert (await api.get("/people")).body == {"items": [], "next": None}


async def test_people_are_found_by_words_without_case_and_accents(api: Api) -> None:
    for name in ("Kovács Őrs", "Kovács Anna", "Nagy Béla"):
        await api.post("/people", {"name": name})
    found = await api.get("/people?text=KOVACS%20ors")
    assert [person["name"] for person in found.body["items"]] == ["Kovács Őrs"]
    both = await api.get("/people", params={"text": "kovács"})
    assert [person["name"] for person in both.body["items"]] == ["Kovács Őrs", "Kovács Anna"]


async def test_a_list_goes_on_where_its_page_ended(api: Api) -> None:
    for number in range(5):
        await api.post("/people", {"name": f"Person {number}"})
    names, cursor, pages = [], "", 0
    while cursor is not None:
        reply = await api.get("/people", params={"limit": "2", "cursor": cursor})
        names += [person["name"] for person in reply.body["items"]]
        cursor, pages = reply.body["next"], pages + 1
    assert names == [f"Person {number}" for number in range(5)]
    assert pages == 3


async def test_every_fault_of_a_person_is_told_with_its_path(api: Api) -> None:
    reply = await api.post("/people", {"name": "  ", "email": "nobody"})
    assert reply.status == 422
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert reply.paths == ["name", "email"]


async def test_somebody_who_carries_a_card_is_not_removed(api: Api) -> None:
    person = (await api.post("/people", {"name": "Anna"})).body
    await api.post("/tokens", {"token": "04AABBCC", "person": person["id"]})
    refused = await api.delete(f"/people/{person['id']}")
    assert refused.status == 409
    await api.delete("/tokens/04AABBCC")
    assert (await api.delete(f"/people/{person['id']}")).status == 204
