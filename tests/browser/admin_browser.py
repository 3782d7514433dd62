"""A real browser before the operators' site; remembers whatever went wrong in it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

from tests.browser.patience import patient
from tests.web.site import PASSWORD, Site

# Not wait_for_function: it evaluates text inside the page, which our policy forbids.
SETTLED = """new Promise(done =>
    window.settled ? done() : document.addEventListener('live:updated', () => done(), {once: true}))"""


@dataclass
class Window:
    """A page with its complaints: console errors, refusals of the policy, requests that leave our address."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        """Go to a page of the site."""
        await self.page.goto(self.base + path)

    async def sign_in(self, name: str = "admin") -> None:
        """Sign in as an operator."""
        await self.go("/admin/sign-in")
        await self.page.fill("[name=name]", name)
        await self.page.fill("[name=password]", PASSWORD)
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_url("**/admin/")

    async def axe(self, script: str) -> list[str]:
        """Run axe-core: every finding as a sentence. What axe itself tries (inline styles) is no complaint."""
        heard = len(self.complaints)
        await self.page.evaluate(script)
        found: list[dict[str, Any]] = await self.page.evaluate("axe.run().then(result => result.violations)")
        del self.complaints[heard:]
        return [
            f"{one['id']}: {one['help']} ({one['nodes'][0]['target']}: {one['nodes'][0]['failureSummary']})"
            for one in found
        ]

    async def width(self) -> int:
        """How wide the content is."""
        width: int = await self.page.evaluate("document.documentElement.scrollWidth")
        return width

    async def settle(self) -> None:
        """Wait until the stream has spoken and the page has caught up once."""
        await self.page.evaluate(SETTLED)

    def watch(self) -> None:
        """Begin to note complaints."""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _asked(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in ("data", "blob") and asked.netloc != urlsplit(self.base).netloc:
            self.complaints.append(f"{self.page.url} asked for {request.url}")


@contextlib.asynccontextmanager
async def started(path: str, arguments: list[str]) -> AsyncIterator[Browser]:
    """Start the browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


async def window(browser: Browser, site: Site, **options: Any) -> Window:
    """Open a window with cookies of its own."""
    context: BrowserContext = await browser.new_context(**{"locale": "en", **options})
    patient(context)
    await context.add_init_script("document.addEventListener('live:updated', () => (window.settled = true))")
    one = Window(await context.new_page(), site.base)
    one.watch()
    return one
