"""What every test may use, whichever part it is about. Each folder adds its own."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# On a shared machine one example may take long for no reason of ours; the test's timeout bounds what is slow.
settings.register_profile("project", deadline=None, print_blob=True)
settings.load_profile("project")


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real browser; without one the test is skipped, except on CI, where it fails."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        message = "There is no Chromium here; ./dev test installs it where it may."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def chromium_arguments() -> list[str]:
    """How it is started: without calls to the outside.

    Without its sandbox too: a container gives it neither root's nor a user's means to make one, and the pages
    are our own.
    """
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    return ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", *quiet]


@pytest.fixture(scope="session")
def axe_script(root: Path) -> str:
    """axe-core as text, to be evaluated in a page (a strict CSP refuses it as a script tag)."""
    return (root / "build" / "frontend" / "axe.js").read_text(encoding="utf-8")
