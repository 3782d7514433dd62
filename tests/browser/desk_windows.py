"""The real Chromium before the whole program: the clerk's window and the driver's phone."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from tests.browser.patience import patient
from tests.desk.site import DeskSite, running

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}


@dataclass
class Windows:
    """A site and a browser that opens windows on it."""

    site: DeskSite
    browser: Browser
    axe: str

    async def clerk(self, size: dict[str, int] = DESKTOP, language: str = "en") -> Page:
        """Open the clerk's window."""
        return await self._open(size, language, csms_operator=await self.site.operator_secret())

    async def driver(self, uid: str | None = None, size: dict[str, int] = PHONE, **options: Any) -> Page:
        """Open a phone, signed in with a card if one is named."""
        cookies = {"csms_driver": await self.site.driver_secret(uid)} if uid else {}
        return await self._open(size, options.pop("language", "en"), options, **cookies)

    async def _open(
        self, size: dict[str, int], language: str, options: dict[str, Any] | None = None, **cookies: str
    ) -> Page:
        context = await self.browser.new_context(viewport=size, **(options or {}))  # type: ignore[arg-type]
        wanted = {"csms_language": language, **cookies}
        await context.add_cookies(
            [{"name": name, "value": value, "url": self.site.base} for name, value in wanted.items()]
        )
        page = await context.new_page()
        patient(context)
        page.on("pageerror", _fail)
        return page

    async def faults(self, page: Page) -> list[str]:
        """What axe finds on a page, and whether it is wider than its window."""
        await page.evaluate(self.axe)
        found = await page.evaluate("axe.run({preload: false, resultTypes: ['violations']})")
        faults = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return faults + (["wider than its window"] if wide else [])


def _fail(error: Exception) -> None:
    raise AssertionError(f"a script of the page failed: {error}")


async def type_like_a_reader(page: Page, number: str) -> None:
    """Press keys 4 ms apart, Enter last, after a pause, as a reader that is a keyboard does.

    The moments are told with the keys: however late a loaded machine delivers them, they were pressed then.
    """
    keyboard = await page.context.new_cdp_session(page)
    pressed = time.time() + 1
    for key in [*number, "\r"]:
        pressed += 0.004
        for kind in ("keyDown", "keyUp"):
            named = (
                {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
                if key == "\r"
                else {"key": key}
            )
            text = {"text": key} if kind == "keyDown" else {}
            event = {"type": kind, "timestamp": pressed, **named, **text}
            await keyboard.send("Input.dispatchKeyEvent", event)
    await keyboard.detach()


@contextlib.asynccontextmanager
async def opened(
    folder: Path, chromium: str, arguments: list[str], axe: str, start_timeout: int = 90
) -> AsyncIterator[Windows]:
    """Run the program and the browser."""
    async with running(folder, start_timeout) as site, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            yield Windows(site, browser, axe)
        finally:
            await browser.close()
