"""The lock of the data folder: one program at a time serves it, makes it or changes its schema."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from onprem_csms.errors import Conflict


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other program off the folder; Conflict while one is on it. A kill frees it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            sentence = "Another onprem-csms serves the folder {folder} already."
            raise Conflict(sentence, folder=str(folder)) from error
        yield
    finally:
        os.close(handle)
