from tests.api.conftest import Api

NUMBER = "04A1B2C3D4E5F6"


async def test_a_card_is_issued_read_changed_and_removed(api: Api) -> None:
    person = (await api.post("/people", {"name": "Anna"})).body["id"]
    new = {"token": NUMBER.lower(), "type": "personal", "group": "FLEET", "label": "van", "person": person}
    made = await api.post("/tokens", new, role="desk")
    assert made.status == 201
    assert made.headers["Location"] == f"/api/v1/tokens/{NUMBER}"
    assert made.body["token"] == NUMBER
    assert (made.body["person"], made.body["person_name"], made.body["wallet"]) == (person, "Anna", None)
    assert (await api.get(f"/tokens/{NUMBER}", role="viewer")).body == made.body
    blocked = await api.patch(f"/tokens/{NUMBER}", {"status": "lost", "status_reason": "left on a bus"})
    assert (blocked.body["status"], blocked.body["status_reason"]) == ("lost", "left on a bus")
    found = await api.patch(f"/tokens/{NUMBER}", {"status": "active", "person": None, "group": None})
    assert (found.body["status"], found.body["status_reason"]) == ("active", "")
    assert (found.body["person"], found.body["group"], found.body["label"]) == (None, None, "van")
    assert (await api.delete(f"/tokens/{NUMBER}")).status == 204
    assert (await api.get(f"/tokens/{NUMBER}")).status == 404


async def test_a_prepaid_card_gets_a_wallet_in_the_currency_of_the_site(api: Api) -> None:
    made = await api.post("/tokens", {"token": NUMBER, "type": "prepaid"})
    wallet = (await api.get(f"/wallets/{made.body['wallet']}")).body
    assert (wallet["currency"], wallet["balance"], wallet["available"]) == ("HUF", 0, 0)
    assert (made.body["currency"], made.body["balance"], made.body["available"]) == ("HUF", 0, 0)


async def test_two_cards_may_pay_from_one_wallet(api: Api) -> None:
    wallet = (await api.post("/wallets", {"name": "Family", "currency": "EUR"})).body["id"]
    for number in ("04AA0001", "04AA0002"):
        made = await api.post("/tokens", {"token": number, "type": "prepaid", "wallet": wallet})
        assert made.body["wallet"] == wallet
    found = await api.get(f"/tokens?wallet={wallet}")
    assert [card["token"] for card in found.body["items"]] == ["04AA0001", "04AA0002"]


async def test_a_prepaid_card_does_not_lose_its_wallet(api: Api) -> None:
    await api.post("/tokens", {"token": NUMBER, "type": "prepaid"})
    refused = await api.patch(f"/tokens/{NUMBER}", {"wallet": None})
    assert (refused.status, refused.paths) == (422, ["wallet"])


async def test_an_expiry_in_the_past_is_kept(api: Api) -> None:
    made = await api.post("/tokens", {"token": NUMBER, "expires_at": "2020-01-01T00:00:00+01:00"})
    assert made.body["expires_at"] == "2019-12-31T23:00:00Z"
    kept = await api.patch(f"/tokens/{NUMBER}", {"expires_at": None})
    assert kept.body["expires_at"] is None


async def test_a_moment_without_a_zone_is_refused_with_its_path(api: Api) -> None:
    reply = await api.post("/tokens", {"token": NUMBER, "expires_at": "2020-01-01T00:00:00"})
    assert (reply.status, reply.paths) == (422, ["expires_at"])


async def test_a_moment_outside_of_all_years_is_refused_with_its_path(api: Api) -> None:
    for moment in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"):
        answer = await api.post("/tokens", {"token": NUMBER, "expires_at": moment})
        assert answer.status == 422
        assert answer.body["errors"][0]["path"] == "expires_at"
    assert (await api.post("/tokens", {"token": NUMBER, "expires_at": "9999-12-31T23:59:59Z"})).status == 201


async def test_a_number_is_issued_once_and_again_after_its_card_is_gone(api: Api) -> None:
    await api.post("/tokens", {"token": NUMBER, "label": "first"})
    again = await api.post("/tokens", {"token": NUMBER.lower()})
    assert (again.status, again.paths) == (409, ["token"])
    await api.delete(f"/tokens/{NUMBER}")
    anew = await api.post("/tokens", {"token": NUMBER, "status": "blocked"})
    assert (anew.status, anew.body["label"], anew.body["status"]) == (201, "", "blocked")


async def test_people_and_wallets_that_are_not_there_are_named_both(api: Api) -> None:
    reply = await api.post("/tokens", {"token": NUMBER, "person": 77, "wallet": 88})
    assert (reply.status, reply.paths) == (422, ["person", "wallet"])


async def test_a_pin_is_kept_and_never_shown(api: Api) -> None:
    made = await api.post("/tokens", {"token": NUMBER, "pin": "8361"})
    assert made.body["has_pin"] is True
    assert "8361" not in str(made.body)
    gone = await api.patch(f"/tokens/{NUMBER}", {"pin": None})
    assert gone.body["has_pin"] is False
    short = await api.patch(f"/tokens/{NUMBER}", {"pin": "123"})
    assert (short.status, short.paths) == (422, ["pin"])


async def test_cards_are_found_by_text_type_and_status(api: Api) -> None:
    await api.post("/tokens", {"token": "04AA0001", "label": "Fehér furgon"})
    await api.post("/tokens", {"token": "04AA0002", "type": "prepaid", "status": "blocked"})
    for query, numbers in {
        "text=feher": ["04AA0001"],
        "type=prepaid": ["04AA0002"],
        "status=active": ["04AA0001"],
        "status=lost": [],
        "limit=1&cursor=04AA0001": ["04AA0002"],
    }.items():
        found = await api.get(f"/tokens?{query}")
        assert [card["token"] for card in found.body["items"]] == numbers, query
