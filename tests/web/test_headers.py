import re

from tests.web.site import CARD, Site, Visitor, charger_path

EVERY_PAGE = [
    "/admin/",
    "/admin/chargers",
    "/admin/chargers/new",
    charger_path(),
    charger_path("messages"),
    charger_path("commands"),
    charger_path("settings"),
    "/admin/sessions",
    "/admin/sessions/1",
    "/admin/sessions/2",
    "/admin/review",
    "/admin/people",
    "/admin/people/new",
    "/admin/people/1",
    "/admin/cards",
    "/admin/cards/new",
    f"/admin/cards/{CARD}",
    "/admin/tariffs",
    "/admin/tariffs/new",
    "/admin/tariffs/1",
    "/admin/qr",
    "/admin/settings",
    "/admin/settings/operators/1",
    "/admin/audit",
    "/admin/about",
    "/admin/account",
    "/desk",
]
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=|javascript:", re.IGNORECASE)
OUTSIDE = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""", re.IGNORECASE)


async def test_every_answer_forbids_the_browser_what_our_pages_never_do(site: Site, admin: Visitor):
    for path in ("/admin/", "/admin/sign-in", "/nowhere", "/static/app.css", "/api/v1/chargers"):
        headers = (await admin.get(path)).response.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


async def test_no_page_holds_inline_code_styles_or_foreign_addresses(site: Site, admin: Visitor):
    for path in EVERY_PAGE:
        page = await admin.get(path)
        assert page.status == 200, (path, page.text[-500:])
        assert not INLINE.search(page.text), (path, INLINE.search(page.text))
        assert not OUTSIDE.search(page.text), (path, OUTSIDE.search(page.text))


async def test_what_people_typed_is_text_and_never_markup(site: Site, admin: Visitor):
    page = await admin.get("/admin/chargers")
    assert "Garázs &lt;bal&gt;" in page.text
    assert "<bal>" not in page.text


async def test_pages_are_not_kept_and_files_are_kept_by_their_content(site: Site, admin: Visitor):
    page = await admin.get("/admin/")
    assert page.response.headers["Cache-Control"] == "no-store"
    found = re.search(r"/static/app\.css\?v=[0-9a-f]{12}", page.text)
    assert found
    style = await admin.get(found[0])
    assert "immutable" in style.response.headers["Cache-Control"]
    assert style.response.headers["Content-Type"].startswith("text/css")


async def test_no_file_outside_of_the_folder_is_served(site: Site):
    visitor = await site.visitor()
    for path in (
        "/static/../base.py",
        "/static/%2e%2e/base.py",
        "/static/..%2fbase.py",
        "/static/vendor/.stamp",
        "/static/",
    ):
        assert (await visitor.get(path)).status == 404, path


async def test_the_cookie_of_a_sign_in_is_hidden_from_scripts_and_other_sites(site: Site):
    visitor = await site.visitor()
    page = await visitor.post("/admin/sign-in", {"name": "admin", "password": "correct horse battery"})
    cookie = next(line for line in page.response.headers.getall("Set-Cookie") if "csms_operator" in line)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
