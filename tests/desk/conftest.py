"""The desk and the drivers' site: the whole program, over a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desk.site import DeskSite, Pages, pages, running


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[DeskSite]:
    """The program with a clerk, prices and a charger that isn't connected."""
    async with running(tmp_path) as one:
        yield one


@pytest.fixture
async def desk(site: DeskSite) -> AsyncIterator[Pages]:
    """The clerk's browser."""
    async with pages(site, csms_operator=await site.operator_secret()) as one:
        yield one


@pytest.fixture
async def visitor(site: DeskSite) -> AsyncIterator[Pages]:
    """The browser of somebody who has not signed in."""
    async with pages(site) as one:
        yield one
