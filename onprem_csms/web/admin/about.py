"""About the product: its version, what it is made of, and under which licences."""

import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from aiohttp import web

from onprem_csms.web import statics
from onprem_csms.web.base import render


@dataclass(frozen=True, slots=True)
class Part:
    """A package or file of another project."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class AboutPage:
    """The version, the system it runs on and its parts."""

    version: str
    python: str
    system: str
    parts: tuple[Part, ...]
    texts: tuple[tuple[str, str], ...]


async def show(request: web.Request) -> web.StreamResponse:
    """Show what this is."""
    page = AboutPage(own_version(), platform.python_version(), platform.platform(), parts(), licence_texts())
    return render(request, "admin/about.html", page)


def own_version() -> str:
    """Return the version of this product; "?" when it runs from a folder that was never installed."""
    try:
        return version("onprem-csms")
    except PackageNotFoundError:
        return "?"


@cache
def parts() -> tuple[Part, ...]:
    """Return the Python packages that the product is built upon."""
    try:
        needed = requires("onprem-csms") or []
    except PackageNotFoundError:
        return ()
    names = sorted({_name(line) for line in needed if "extra ==" not in line})
    return tuple(part for name in names for part in [_part(name)] if part is not None)


def _name(requirement: str) -> str:
    return next((requirement[:at] for at, sign in enumerate(requirement) if sign in "<>=!~[; ("), requirement)


def _part(name: str) -> Part | None:
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return None
    said = (about[key] for key in ("License-Expression", "License") if key in about)
    licence = next(filter(None, said), "") or _classified(about.get_all("Classifier"))
    return Part(name, about["Version"], licence.split("\n")[0][:60])


def _classified(classifiers: list[str] | None) -> str:
    found = [line.rsplit(" :: ", 1)[1] for line in classifiers or [] if line.startswith("License :: ")]
    return ", ".join(found)


@cache
def licence_texts() -> tuple[tuple[str, str], ...]:
    """Return the licences that travel with the front-end files, by name."""
    folder = statics.FOLDER / "vendor" / "licences"
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    return tuple((file.stem, file.read_text(encoding="utf-8", errors="replace")) for file in files)
