"""The pages of the operators' site, by the whole program over a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.site import Site, Visitor, running_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The running program with three operators and a small site."""
    async with running_site(tmp_path / "data") as one:
        yield one


@pytest.fixture
async def empty_site(tmp_path: Path) -> AsyncIterator[Site]:
    """The running program as it is at its first start."""
    async with running_site(tmp_path / "data", furnished=False) as one:
        yield one


@pytest.fixture
async def admin(site: Site) -> Visitor:
    """The browser of an admin."""
    return await site.signed_in("admin")


@pytest.fixture
async def viewer(site: Site) -> Visitor:
    """The browser of an operator who may only look."""
    return await site.signed_in("viewer")
