"""The tools do what ./dev says of them."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import async_playwright


def dev(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "dev"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_dev_alone_explains_every_command(root: Path) -> None:
    told = dev(root)
    assert told.returncode == 0
    for command in ("run", "test", "csms", "lint", "bench", "shots", "translate", "lock", "setup"):
        assert f"./dev {command}" in told.stdout


def test_dev_refuses_a_command_it_does_not_know_and_explains_itself(root: Path) -> None:
    told = dev(root, "tset")
    assert told.returncode == 2
    assert "./dev test" in told.stdout


@pytest.mark.browser
async def test_the_browser_starts_and_axe_runs_in_it(
    chromium: str, chromium_arguments: list[str], axe_script: str
) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=chromium_arguments)
        page = await browser.new_page()
        await page.set_content("<html><body><img src='data:,'></body></html>")
        await page.evaluate(axe_script)
        found = await page.evaluate("axe.run().then(result => result.violations.map(each => each.id))")
        await browser.close()
    assert "image-alt" in found


def test_the_files_that_pages_name_are_there_with_their_licences(root: Path) -> None:
    vendor = root / "onprem_csms" / "web" / "static" / "vendor"
    for name in ("pico.css", "uplot.js", "uplot.css"):
        assert (vendor / name).stat().st_size > 1_000, name
    assert {path.stem for path in (vendor / "licences").iterdir()} == {"pico", "uplot"}
