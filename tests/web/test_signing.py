from onprem_csms.services.access import operators
from onprem_csms.services.core import logins
from tests.web.site import PASSWORD, Site

FORM = {"name": "Ági", "password": PASSWORD, "repeated": PASSWORD, "language": "hu"}


async def test_the_set_up_link_makes_one_admin_and_works_once(empty_site: Site):
    link = await empty_site.do(operators.setup_link)
    visitor = await empty_site.visitor()
    assert (await visitor.get(f"/setup/{link}")).status == 200
    page = await visitor.post(f"/setup/{link}", FORM)
    assert (page.status, page.location) == (303, "/admin/")
    home = await visitor.get("/admin/")
    assert "Áttekintés" in home.text
    assert "Ági" in home.text
    other = await empty_site.visitor()
    assert (await other.post(f"/setup/{link}", {**FORM, "name": "Mallory"})).status == 404
    assert await empty_site.do(operators.setup_link) is None


async def test_a_newer_set_up_link_ends_the_older_one(empty_site: Site):
    older, newer = await empty_site.do(operators.setup_link), await empty_site.do(operators.setup_link)
    visitor = await empty_site.visitor()
    assert (await visitor.get(f"/setup/{older}")).status == 404
    assert (await visitor.get(f"/setup/{newer}")).status == 200


async def test_faults_of_the_set_up_stand_beside_their_fields_and_nothing_typed_is_lost(empty_site: Site):
    link = await empty_site.do(operators.setup_link)
    visitor = await empty_site.visitor(Accept_Language="en")
    page = await visitor.post(f"/setup/{link}", {**FORM, "repeated": "another"})
    assert page.status == 422
    assert "not the same password" in page.text
    assert 'value="Ági"' in page.text
    assert PASSWORD not in page.text
    short = await visitor.post(f"/setup/{link}", {**FORM, "password": "short", "repeated": "short"})
    assert "at least 10 characters" in short.text


async def test_a_wrong_password_and_a_wrong_name_are_told_alike(site: Site):
    visitor = await site.visitor(Accept_Language="en")
    wrong = await visitor.post("/admin/sign-in", {"name": "admin", "password": "wrong password"})
    nobody = await visitor.post("/admin/sign-in", {"name": "nobody", "password": "wrong password"})
    assert wrong.status == nobody.status == 401
    for page in (wrong, nobody):
        assert "Name and password don&#39;t match." in page.text


async def test_who_guesses_must_wait_even_with_the_right_password(site: Site):
    visitor = await site.visitor(Accept_Language="en")
    for _ in range(5):
        await visitor.post("/admin/sign-in", {"name": "clerk", "password": "wrong password"})
    page = await visitor.post("/admin/sign-in", {"name": "clerk", "password": PASSWORD})
    assert page.status == 403
    assert "Wait" in page.text


async def test_after_the_sign_in_one_is_where_one_wanted_to_go_but_never_elsewhere(site: Site):
    for wanted, reached in (
        ("/admin/people?text=a", "/admin/people?text=a"),
        ("https://evil.example/", "/admin/"),
        ("//evil.example/", "/admin/"),
        ("/\\evil.example/", "/admin/"),
        ("/admin/\r\nSet-Cookie: x=y", "/admin/"),
    ):
        visitor = await site.visitor()
        form = {"name": "admin", "password": PASSWORD, "next": wanted}
        assert (await visitor.post("/admin/sign-in", form)).location == reached


async def test_signing_out_ends_the_sign_in_itself_and_not_only_the_cookie(site: Site):
    visitor = await site.signed_in("viewer")
    secret = next(cookie.value for cookie in visitor.http.cookie_jar if cookie.key == "csms_operator")
    assert await site.ctx.read(logins.find, secret) is not None
    page = await visitor.post("/admin/sign-out")
    assert page.location == "/admin/sign-in"
    assert await site.ctx.read(logins.find, secret) is None
    assert "You are signed out." in (await visitor.get("/admin/sign-in", Accept_Language="en")).text


async def test_an_operator_who_is_kept_out_is_out_at_once(site: Site, admin):
    clerk = await site.signed_in("clerk")
    clerks_id = (await site.ctx.read(operators.by_name, "clerk")).id
    assert (await admin.post(f"/admin/settings/operators/{clerks_id}/disable")).status == 303
    assert (await clerk.get("/admin/")).status == 303
    again = await site.visitor()
    assert (await again.post("/admin/sign-in", {"name": "clerk", "password": PASSWORD})).status == 401


async def test_the_last_admin_can_not_be_kept_out(site: Site, admin):
    own = (await site.ctx.read(operators.by_name, "admin")).id
    page = await admin.post(f"/admin/settings/operators/{own}/disable")
    assert page.status == 409
    assert "last admin" in page.text
    assert (await admin.get("/admin/settings")).status == 200


async def test_everybody_changes_their_own_password_and_other_browsers_are_out(site: Site):
    here, there = await site.signed_in("viewer"), await site.signed_in("viewer")
    form = {"current": PASSWORD, "password": "another long one", "repeated": "another long one"}
    wrong = await here.post("/admin/account", {**form, "current": "not this one"})
    assert wrong.status == 401
    assert (await here.post("/admin/account", form)).location == "/admin/"
    assert (await here.get("/admin/")).status == 200
    assert (await there.get("/admin/")).status == 303
    again = await site.visitor()
    assert (await again.post("/admin/sign-in", {"name": "viewer", "password": PASSWORD})).status == 401
    new = {"name": "viewer", "password": "another long one"}
    assert (await again.post("/admin/sign-in", new)).status == 303
