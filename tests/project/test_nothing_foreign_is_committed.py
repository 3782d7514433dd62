"""Nothing of others, of one machine or of the outside world is in the repository.

The forbidden words stand here as [w]ords, so that this file isn't its own first finding.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TEXT_LIMIT = 1_000_000
MINIFIED_LINE = 2_000  # characters in one line of JavaScript or CSS: nobody wrote that by hand
REGISTRY_HOSTS = re.compile(r"([p]ypi|[p]ythonhosted|[n]pmjs|[d]ebian)\.(org|com|net)")
THIS_MACHINE = re.compile(r"/[w]ork/(main|shared|steering|[.])|/[r]oot/[.]|/[f]arm/")
OUTSIDE = re.compile(r"""https?://(?P<host>[^\s/"'`<>)\]}:]+)""")
PRODUCT = ("onprem_csms/", "installer/", "systemd/")
# Names that no program ever asks for: namespaces, examples, this machine, and places in format strings.
HARMLESS_HOSTS = re.compile(
    r"""(localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?|[\w.-]*\bexample(\.\w+)?|([\w-]+\.)*test|[\w-]+\.(local|lan)
        |www\.w3\.org|json-schema\.org|\$?\{.*|%.*|\.\.\.|…)""",
    re.VERBOSE,
)
# A link that a reader may click and nothing fetches: file → hosts, with the reason.
LINKS: dict[str, set[str]] = {}


def committed(root: Path) -> list[Path]:
    """The files that are, or with the next `git add .` would be, in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
    return [root / name for name in names if name and (root / name).is_file()]


def text_of(path: Path) -> str:
    data = path.read_bytes()[:TEXT_LIMIT]
    return "" if b"\0" in data else data.decode("utf-8", errors="replace")


def hits(paths: list[Path], pattern: re.Pattern[str], root: Path) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if pattern.search(line):
                yield f"{path.relative_to(root)}:{number}: {line.strip()[:120]}"


@pytest.fixture(scope="module")
def files(root: Path) -> list[Path]:
    return committed(root)


def test_no_file_of_another_project_is_committed(files: list[Path], root: Path) -> None:
    folders = {"vendor", "third_party", "node_modules", "site-packages"}
    found = [
        str(path.relative_to(root))
        for path in files
        if folders & set(path.relative_to(root).parts)
        or re.search(r"\.min\.\w+$|\.(ttf|woff2?|mo)$", path.name)
    ]
    assert found == []


def test_no_minified_script_or_style_sheet_is_committed(files: list[Path], root: Path) -> None:
    found = [
        str(path.relative_to(root))
        for path in files
        if path.suffix in {".js", ".css", ".mjs"}
        and any(len(line) > MINIFIED_LINE for line in text_of(path).splitlines())
    ]
    assert found == []


def test_no_registry_is_named(files: list[Path], root: Path) -> None:
    assert list(hits(files, REGISTRY_HOSTS, root)) == []


def test_the_lock_files_name_no_address(root: Path) -> None:
    for name in ("requirements.lock", "package-lock.json"):
        text = (root / name).read_text()
        assert "://" not in text, name
        assert not re.search(r"--(extra-)?index-url|--find-links|\"resolved\"", text), name


def test_no_path_of_one_machine_is_named(files: list[Path], root: Path) -> None:
    assert list(hits(files, THIS_MACHINE, root)) == []


def test_the_product_names_no_address_outside(files: list[Path], root: Path) -> None:
    """At run time nothing is fetched from outside, so nothing can be named but namespaces and examples."""
    found = []
    for path in files:
        name = path.relative_to(root).as_posix()
        if not name.startswith(PRODUCT):
            continue
        for match in OUTSIDE.finditer(text_of(path)):
            host = match["host"]
            if not HARMLESS_HOSTS.fullmatch(host) and host not in LINKS.get(name, set()):
                found.append(f"{name}: {match[0]}")
    assert found == []


@pytest.mark.parametrize(
    "host", ["cdn.example.net.evil.io", "fonts.googleapis.com", "example.com.evil", "unpkg.com"]
)
def test_an_address_outside_is_recognised(host: str) -> None:
    assert not HARMLESS_HOSTS.fullmatch(host)


@pytest.mark.parametrize(
    "host", ["localhost", "csms.example", "www.w3.org", "{host}", "csms.example.com", "csms.local"]
)
def test_a_harmless_address_is_recognised(host: str) -> None:
    assert HARMLESS_HOSTS.fullmatch(host)
