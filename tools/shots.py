"""Pictures of every page: desktop and phone, English and Hungarian, into build/shots/.

./dev shots                    starts the demo site, waits until it lives, takes every picture
./dev shots --site URL         takes the pictures from a site that runs already (with the demo's operators)
./dev shots --only charger     only pages whose name begins so
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from onprem_csms.demo import scenery

ROOT = Path(__file__).resolve().parent.parent
SHOTS = ROOT / "build" / "shots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}
LANGUAGES = ("en", "hu")
# The demo is worth a picture once cars have come.
LIVELY_S = 45


@dataclass(frozen=True, slots=True)
class Shot:
    """A page: its name, and its address or the link that leads to it from another page."""

    name: str
    path: str
    link: str = ""


VISITOR = (
    Shot("sign-in", "/admin/sign-in"),
    Shot("drivers", "/"),
    Shot("driver-sign-in", "/driver/sign-in"),
    Shot("not-found", "/nowhere"),
)
OPERATOR = (
    Shot("dashboard", "/admin/"),
    Shot("chargers", "/admin/chargers"),
    Shot("charger-new", "/admin/chargers/new"),
    Shot("charger", "/admin/chargers", "a[href^='/admin/chargers/'][href]:not([href$='new'])"),
    Shot("charger-messages", "@charger", "a[href$='/messages']"),
    Shot("charger-commands", "@charger", "a[href$='/commands']"),
    Shot("charger-settings", "@charger", "a[href$='/settings']:not([href='/admin/settings'])"),
    Shot("charger-qr", "@charger", "a[href$='/qr']:not([href='/admin/qr'])"),
    Shot("sessions", "/admin/sessions"),
    Shot("session", "/admin/sessions?state=ended", "a[href^='/admin/sessions/']"),
    Shot("session-running", "/admin/sessions?state=active", "a[href^='/admin/sessions/']"),
    Shot("review", "/admin/review"),
    Shot("people", "/admin/people"),
    Shot("person", "/admin/people", "a[href^='/admin/people/']:not([href$='new'])"),
    Shot("person-new", "/admin/people/new"),
    Shot("cards", "/admin/cards"),
    Shot("card", f"/admin/cards/{scenery.GUEST_CARD}"),
    Shot("card-new", "/admin/cards/new"),
    Shot("tariffs", "/admin/tariffs"),
    Shot("tariff", "/admin/tariffs", "a[href^='/admin/tariffs/']:not([href$='new'])"),
    Shot("tariff-new", "/admin/tariffs/new"),
    Shot("labels", "/admin/qr"),
    Shot("settings", "/admin/settings"),
    Shot("audit", "/admin/audit"),
    Shot("about", "/admin/about"),
    Shot("desk", "/desk"),
    Shot("desk-card", f"/desk/cards/{scenery.GUEST_CARD}"),
    Shot("desk-new-card", "/desk/cards/04AABBCCDDEE01"),
)
DRIVER = (
    Shot("driver", "/driver/"),
    Shot("driver-account", "/driver/account"),
    Shot("driver-connector", "/admin/sessions", ""),
)


def main(arguments: list[str]) -> int:
    """Take the pictures; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", default="", help="the address of a running site")
    parser.add_argument("--only", default="", help="the beginning of the names of the pages wanted")
    options = parser.parse_args(arguments)
    if options.site:
        take_all(options.site.rstrip("/"), options.only)
    else:
        with demo_site() as site:
            take_all(site, options.only)
    print(f"The pictures are in {SHOTS.relative_to(ROOT)}/.")
    return 0


def take_all(site: str, only: str) -> None:
    """Take every picture of a running site."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    browser_path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        for language in LANGUAGES:
            for screen in SCREENS:
                take_screen(browser, site, (language, screen), only)
        browser.close()


def take_screen(browser: Browser, site: str, kind: tuple[str, str], only: str) -> None:
    """Take every picture of one language on one screen."""
    language, screen = kind
    width, height = SCREENS[screen]
    context = browser.new_context(
        base_url=site,
        viewport={"width": width, "height": height},
        locale=language,
        device_scale_factor=1,
        has_touch=screen == "phone",
    )
    page = context.new_page()
    for shot in chosen(VISITOR, only):
        take(page, shot, kind)
    sign_in(page, context, language)
    for shot in chosen(OPERATOR, only):
        take(page, shot, kind)
    if not only or "driver".startswith(only) or only.startswith("driver"):
        take_driver(page, kind)
    context.close()


def chosen(shots: tuple[Shot, ...], only: str) -> list[Shot]:
    """Return the pages whose name begins with a text."""
    return [shot for shot in shots if shot.name.startswith(only)]


def take(page: Page, shot: Shot, kind: tuple[str, str]) -> None:
    """Go to a page and take its picture, the whole length of it."""
    path, link = (shot.path, shot.link)
    if path == "@charger":
        path = first_link(page, "/admin/chargers", OPERATOR[3].link) or "/admin/chargers"
    page.goto(path)
    if link:
        target = first_link(page, path, link)
        if target is None:
            print(f"{shot.name}: nothing to show")
            return
        page.goto(target)
    save(page, shot.name, kind)


def save(page: Page, name: str, kind: tuple[str, str]) -> None:
    """Write the picture once the page stands still."""
    page.wait_for_timeout(400)
    page.screenshot(path=SHOTS / f"{name}.{kind[1]}.{kind[0]}.png", full_page=True)


def first_link(page: Page, path: str, selector: str) -> str | None:
    """Return where the first such link within the content of a page leads."""
    if not page.url.endswith(path):
        page.goto(path)
    found = page.locator(f"main {selector}")
    return found.first.get_attribute("href") if found.count() else None


def sign_in(page: Page, context: BrowserContext, language: str) -> None:
    """Sign in as the demo's admin, in a language."""
    page.goto("/admin/sign-in")
    page.fill("[name=name]", scenery.OPERATOR)
    page.fill("[name=password]", scenery.OPERATOR_PASSWORD)
    page.click("main button:not([name=language])")
    page.wait_for_url("**/admin/")
    post_language(page, language)


def post_language(page: Page, language: str) -> None:
    """Switch the language as the page's own button does."""
    button = page.locator(f"button[name=language][value={language}]").first
    if button.is_visible():
        button.click()
    else:
        page.locator(".menu-button").click()
        button.click()
    page.wait_for_load_state()


def take_driver(page: Page, kind: tuple[str, str]) -> None:
    """Follow a QR code as a driver: price, sign-in, offer."""
    slug = first_slug(page)
    if slug is None:
        return
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "csms_language", "value": kind[0], "url": page.url}])
    page.goto(slug)
    save(page, "driver-connector", kind)
    page.goto(f"/driver/sign-in?next={slug}")
    fields = page.locator("main input:not([type=hidden])")
    if fields.count() < 2:
        return
    fields.nth(0).fill(scenery.GUEST_CARD)
    fields.nth(1).fill(scenery.GUEST_PIN)
    page.locator("main form:has(input:not([type=hidden])) button").first.click()
    page.wait_for_load_state()
    save(page, "driver-offer", kind)
    page.goto("/driver/account")
    save(page, "driver-account", kind)


def first_slug(page: Page) -> str | None:
    """Return the page behind the first QR code of the sheet."""
    page.goto("/admin/qr")
    found = re.search(r"/c/[A-Za-z0-9_-]{6,}", page.content())
    return found[0] if found else None


@contextmanager
def demo_site() -> Iterator[str]:
    """Run the demo in a folder of its own until the pictures are taken."""
    with tempfile.TemporaryDirectory(prefix="csms-shots-") as folder:
        command = [sys.executable, "-m", "onprem_csms", "demo", "--data-dir", folder, "--port", "8098"]
        process = subprocess.Popen(command, cwd=ROOT)
        try:
            wait_for("http://127.0.0.1:8098/healthz", process)
            print(f"Waiting {LIVELY_S} s for cars to come …", flush=True)
            time.sleep(LIVELY_S)
            yield "http://127.0.0.1:8098"
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the site answers; SystemExit when it ends before."""
    for _ in range(240):
        if process.poll() is not None:
            raise SystemExit("The demo site ended; its lines above say why.")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("The demo site does not answer.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
