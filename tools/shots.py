"""Pictures of every page: phone and desktop, English and Hungarian, to build/shots/.

    ./dev shots [--only PART] [--out FOLDER] [--site http://localhost:8080]

Starts the demo (unless --site names a running one), signs in as operator and as driver, follows the links, and
takes one picture of every kind of page that the route tables know. On the way it looks for what a picture
doesn't show: findings of axe, errors in the console, pages that are wider than the screen, pages that no link
leads to. Exit code 1 if there are any.
"""

import argparse
import contextlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from onprem_csms.demo import scenery
from tools import addresses

ROOT = Path(__file__).resolve().parent.parent
AXE = ROOT / "build" / "frontend" / "axe.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
NARROWEST = 320
LANGUAGES = ("en", "hu")
HREF = re.compile(r'href="(/[^"#]*)"')
# Streams, files, and addresses that only lead on; the first set-up has a start of its own.
NO_PAGE = re.compile(
    r"/events$|\.(json|svg|png)$|^/admin$|/order$|/tap$|^/setup/|^/desk/settings$|/\{(form|command)\}$"
)
NEW_CARD = "04AABBCCDDEE01"
SEVERAL = {
    "/desk/cards/{uid}/{form}": 6,
    "/admin/sessions/{id}": 2,
    "/admin/chargers/{id}": 2,
    "/c/{slug}": 3,
}
# The demo is worth a picture once cars have come.
LIVELY_AFTER_S = 40
AXE_RUN = "axe.run().then(result => result.violations)"


@dataclass(slots=True)
class Tour:
    """What is gone through: where, to where, and what was found on the way."""

    base: str
    out: Path
    only: str
    found: list[str] = field(default_factory=list)
    taken: int = 0
    # axe and the screenshot put styles of theirs into the page, which its policy rightly refuses.
    listening: bool = True

    def note(self, where: str, what: str) -> None:
        """Keep a finding, once."""
        line = f"{where}: {what}"
        if line not in self.found:
            self.found.append(line)


# --- The program ---------------------------------------------------------------------------------


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether the product is up."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except OSError:
        return False


@contextlib.contextmanager
def program(command: str, within_s: float = 120) -> Iterator[tuple[str, Path]]:
    """The product in a folder that is thrown away; gives its address and the file of what it prints."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="csms-shots-") as folder:
        printed = Path(folder) / "printed"
        arguments = [command, "--data-dir", f"{folder}/data", "--port", str(port)]
        with printed.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "onprem_csms", *arguments], cwd=ROOT, stdout=sink, stderr=sink
            )
        try:
            latest = time.monotonic() + within_s
            while not answers(url):
                if process.poll() is not None or time.monotonic() > latest:
                    sys.exit(printed.read_text())
                time.sleep(0.2)
            yield url, printed
        finally:
            process.terminate()
            process.wait(30)


# --- Finding the pages ---------------------------------------------------------------------------


def links_of(context: BrowserContext, base: str, path: str) -> set[str] | None:
    """The addresses that a page names; None where it only leads on, to a sign-in for instance."""
    response = context.request.get(base + path, max_redirects=5)
    if urlsplit(response.url).path != urlsplit(path).path:
        return None
    return {link.replace("&amp;", "&") for link in HREF.findall(response.text())}


def find_pages(context: BrowserContext, tour: Tour, starts: tuple[str, ...]) -> dict[str, list[str]]:
    """Follows links from some pages; which addresses there are of every kind of page."""
    kinds = [address for address in addresses.pages() if address.method == "GET"]
    samples: dict[str, list[str]] = {}
    waiting, known = list(starts), set(starts)
    while waiting:
        path = waiting.pop(0)
        bare = urlsplit(path).path
        kind = next((kind for kind in kinds if kind.pattern.fullmatch(bare)), None)
        if kind is None or NO_PAGE.search(kind.path):
            continue
        enough = len(samples.get(kind.path, ())) >= SEVERAL.get(kind.path, 1)
        links = None if enough else links_of(context, tour.base, path)
        if links is None:
            continue
        samples.setdefault(kind.path, []).append(path)
        waiting += sorted(links - known)
        known |= links
    return samples


# --- Looking at one ------------------------------------------------------------------------------


def look(page: Page, tour: Tour, path: str, name: str) -> None:
    """Pictures of one page, and what is wrong with it."""
    tour.listening = True
    page.goto(tour.base + path, wait_until="load")
    page.wait_for_timeout(500)
    tour.listening = False
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(200)
        check_width(page, tour, path)
        page.screenshot(path=tour.out / f"{name}-{size}.png", full_page=True)
        tour.taken += 1
        check_with_axe(page, tour, f"{path} ({size})")
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    check_width(page, tour, path)


def check_width(page: Page, tour: Tour, path: str) -> None:
    """A page must never be wider than the screen."""
    wide, screen = page.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
    if wide > screen:
        tour.note(path, f"is {wide} px wide on a screen of {screen}")


def check_with_axe(page: Page, tour: Tour, where: str) -> None:
    """Everything that axe-core knows to find."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for violation in page.evaluate(AXE_RUN):
        nodes = ", ".join(str(node["target"][0]) for node in violation["nodes"][:3])
        tour.note(where, f"axe {violation['id']}: {violation['help']} ({nodes})")


def name_of(kind: str, language: str, count: int) -> str:
    """A file name that sorts by site, then page."""
    bare = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-") or "landing"
    return f"{bare}{f'-{count + 1}' if count else ''}-{language}"


def take_all(context: BrowserContext, tour: Tour, samples: dict[str, list[str]]) -> None:
    """Every page in every language."""
    for language in LANGUAGES:
        context.add_cookies([{"name": "csms_language", "value": language, "url": tour.base}])
        page = context.new_page()
        listen(page, tour)
        for kind, paths in samples.items():
            for count, path in enumerate(paths):
                if tour.only in path or tour.only in kind:
                    look(page, tour, path, name_of(kind, language, count))
        page.close()


def listen(page: Page, tour: Tour) -> None:
    """Errors of scripts and of the Content-Security-Policy are findings."""
    page.on("pageerror", lambda error: tour.note(urlsplit(page.url).path, f"script: {error}"))
    page.on("console", lambda said: heard(tour, page, said))


def heard(tour: Tour, page: Page, said: ConsoleMessage) -> None:
    """An error in the console, unless it is the page of an address that doesn't exist."""
    path = urlsplit(page.url).path
    if tour.listening and said.type == "error" and path != "/nowhere":
        tour.note(path, said.text)


# --- The tour ------------------------------------------------------------------------------------


def sign_in(context: BrowserContext, tour: Tour, path: str, typed: tuple[str, str]) -> None:
    """Fills in the two fields of a sign-in page."""
    page = context.new_page()
    page.goto(tour.base + path)
    fields = page.locator("main input:not([type=hidden])")
    for number, value in enumerate(typed):
        fields.nth(number).fill(value)
    fields.nth(1).press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.close()


def order(context: BrowserContext, tour: Tour, slugs: list[str]) -> tuple[str, ...]:
    """The driver starts at the first connector that lets them; the page of the session that comes of it."""
    page = context.new_page()
    for path in slugs:
        page.goto(tour.base + path)
        button = page.locator("form[action$='/order'] button:not([disabled])").first
        if button.count():
            button.click()
            look_while_starting(page, tour)
            page.wait_for_url("**/driver/sessions/*", timeout=60_000)
            break
    session = urlsplit(page.url).path
    page.close()
    return (session,)


def look_while_starting(page: Page, tour: Tour) -> None:
    """Pictures of the order, which is there for the seconds until the charger begins."""
    page.wait_for_url("**/driver/orders/*")
    for language in LANGUAGES:
        page.context.add_cookies([{"name": "csms_language", "value": language, "url": tour.base}])
        page.reload()
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            if "/driver/orders/" in page.url:
                page.screenshot(path=tour.out / f"driver-orders-id-{language}-{size}.png", full_page=True)
                tour.taken += 1
    if "/driver/orders/" in page.url:
        check_with_axe(page, tour, "/driver/orders/{id}")


def sell(context: BrowserContext, tour: Tour, card: str) -> tuple[str, ...]:
    """The desk tops a card up; the page that says so, and the slip."""
    page = context.new_page()
    page.goto(f"{tour.base}/desk/cards/{card}")
    form = page.locator("form[action$='/top-up']")
    form.locator("label.tile").first.click()
    form.locator(".desk-confirm button").click()
    page.wait_for_url("**/top-ups/*")
    booked = urlsplit(page.url).path
    page.close()
    return booked, f"{booked}/slip"


def tour_of(browser: Browser, tour: Tour) -> set[str]:
    """Goes through the three sites; the kinds of pages that were seen."""
    outside = browser.new_context()
    public = find_pages(outside, tour, ("/", "/admin/sign-in", "/driver/sign-in"))
    take_all(outside, tour, public)
    take_all(outside, tour, {"not-found": ["/nowhere"]})
    card = scenery.GUEST_CARD
    operator = browser.new_context()
    sign_in(operator, tour, "/admin/sign-in", (scenery.OPERATOR, scenery.OPERATOR_PASSWORD))
    cards = (f"/desk/cards/{card}", f"/desk/cards/{NEW_CARD}", f"/admin/cards/{card}")
    sold = (*sell(operator, tour, card), f"/desk/cards/{card}/issued", "/desk/find?number=a")
    inside = find_pages(operator, tour, ("/admin/", "/desk", *cards, *sold))
    take_all(operator, tour, {kind: paths for kind, paths in inside.items() if kind not in public})
    driver = browser.new_context()
    sign_in(driver, tour, "/driver/sign-in", (card, scenery.GUEST_PIN))
    slugs = sorted(set(re.findall(r"/c/[\w-]{6,}", operator.request.get(tour.base + "/admin/qr").text())))
    started = order(driver, tour, slugs)
    theirs = find_pages(driver, tour, ("/driver", *started, *slugs))
    take_all(driver, tour, theirs)
    return {*public, *inside, *theirs, "/driver/orders/{id}"}


def tour_of_first_start(browser: Browser, tour: Tour) -> None:
    """The page that an empty product begins with."""
    with program("serve") as (url, printed):
        link = re.search(r"/setup/[\w-]+", printed.read_text())
        if link is None:
            tour.note("/setup/{token}", "no link was printed")
            return
        fresh = Tour(url, tour.out, tour.only)
        take_all(browser.new_context(), fresh, {"/setup": [link[0]]})
        tour.found += [line.replace(link[0], "/setup/{token}") for line in fresh.found]
        tour.taken += fresh.taken


def all_pictures(tour: Tour) -> None:
    """Goes through everything with one browser."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        sys.exit("There is no Chromium here.")
    quiet = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        seen = tour_of(browser, tour)
        tour_of_first_start(browser, tour)
        browser.close()
    kinds = {
        kind.path for kind in addresses.pages() if kind.method == "GET" and not NO_PAGE.search(kind.path)
    }
    for kind in sorted(kinds - seen):
        tour.note(kind, "no link leads there, so there is no picture")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="./dev shots", description="Pictures of every page.")
    parser.add_argument("--only", default="", metavar="PART", help="only pages whose address contains this")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "shots", metavar="FOLDER")
    parser.add_argument("--site", default="", help="a demo that is running; without it, one is started")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Takes the pictures and says what was found; the exit code."""
    options = parse(arguments)
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    tour = Tour(options.site.rstrip("/"), options.out, options.only)
    if tour.base:
        all_pictures(tour)
    else:
        with program("demo") as (tour.base, _):
            time.sleep(LIVELY_AFTER_S)
            all_pictures(tour)
    print("\n".join(tour.found) or "Nothing was found.")
    print(f"{tour.taken} pictures in {options.out}")
    return 1 if tour.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
