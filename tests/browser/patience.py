"""How long a test waits for what a browser has to show: until it is there. A guard against hanging, no limit."""

from playwright.async_api import BrowserContext, expect

PATIENCE_MS = 300_000
expect.set_options(timeout=PATIENCE_MS)


def patient(context: BrowserContext) -> BrowserContext:
    """Let a window wait as long as a loaded machine needs."""
    context.set_default_timeout(PATIENCE_MS)
    return context
