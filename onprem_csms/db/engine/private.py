"""Files and folders that their owner alone may look into, and that are on the disk when they are said to be."""

import logging
import os
import stat
from pathlib import Path

from onprem_csms.errors import StoreError

log = logging.getLogger(__name__)
_OTHERS = 0o077
_LARGEST = 64 * 1024
# What may lie in a data folder. With anything else in it, closing the folder could lock somebody else out.
_OURS = ("csms.", "keys.json", "machine.key", "config.toml", "demo", "lost+found")


def make_folder(folder: Path) -> None:
    """Make a folder with its parents, its name durable, or close the one that is there; OSError, StoreError."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part in missing:
        flush_names(part.parent)
    close_folder(folder)


def close_folder(folder: Path) -> None:
    """Close a folder to others than its owner; StoreError where that can't be done or would lock somebody out."""
    mode = folder.stat().st_mode
    if not mode & _OTHERS:
        return
    strangers = [path.name for path in folder.iterdir() if not path.name.startswith(_OURS)]
    if strangers or not _closed(folder, 0o700):
        message = (
            f"The data folder {folder} is open to others (mode {stat.S_IMODE(mode):04o}). "
            f"Close it, chmod 700 {folder}, or choose a folder that holds nothing else; nothing was changed."
        )
        raise StoreError(message)
    log.warning("The data folder %s was open to others and is closed now.", folder)


def close_files(folder: Path) -> None:
    """Close the files of a data folder to others than their owner; StoreError where that can't be done."""
    for path in folder.iterdir():
        if not path.name.startswith(_OURS[:3]) or not path.is_file() or not path.stat().st_mode & _OTHERS:
            continue
        if not _closed(path, 0o600):
            message = (
                f"The file {path} is open to others and belongs to somebody else. Close it: chmod 600 {path}."
            )
            raise StoreError(message)
        log.warning("The file %s was open to others and is closed now. Who has read it has it.", path)


def _closed(path: Path, mode: int) -> bool:
    try:
        path.chmod(mode)
    except OSError:
        return False
    return True


def read(path: Path) -> str:
    """Return the text of a small file; OSError, ValueError where it is not one."""
    if path.exists() and not path.is_file():
        message = "it is not a file"
        raise ValueError(message)
    with path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8")


def write(path: Path, content: bytes) -> None:
    """Write a file in one step that is whole and durable, or not done at all; OSError with the file's name."""
    fresh = path.with_name(path.name + ".new")
    try:
        _write_new(fresh, content)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    flush_names(path.parent)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_empty(path: Path) -> None:
    """Make an empty file of the owner's alone, its name durable; OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    flush_names(path.parent)


def remove(path: Path) -> None:
    """Remove a file, durably; nothing happens where there is none. OSError."""
    if path.exists():
        path.unlink()
        flush_names(path.parent)


def flush_names(folder: Path) -> None:
    """Have the names of a folder's files on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
