"""An installation and its store, for the tests of the store itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onprem_csms.db.engine import keys
from onprem_csms.db.engine.connection import Opener
from onprem_csms.db.engine.database import Database
from onprem_csms.db.engine.keys import DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A new installation."""
    made = DataFolder(tmp_path / "data")
    keys.create(made)
    return made


@pytest.fixture
def opener(folder: DataFolder) -> Opener:
    """How the installation's file is opened for reading."""
    return Opener(folder.database, keys.unlock(folder), read_only=True)


@pytest.fixture
async def store(folder: DataFolder) -> AsyncIterator[Database]:
    """The installation's store, open."""
    opened = await Database.open(folder.database, keys.unlock(folder))
    yield opened
    await opened.close()
