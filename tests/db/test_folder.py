"""The data folder: made once, also when killed on the way; closed to others; what is wrong with it is a sentence."""

import json
import os
import sys
from pathlib import Path
from types import FrameType

import pytest

from onprem_csms.db.engine import keys
from onprem_csms.db.engine.connection import open_raw
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.db.engine.migrate import check_schema
from onprem_csms.errors import Conflict, Invalid, StoreError

KILLED = 9


def create_in_a_process(folder: DataFolder, calls: int) -> tuple[bool, str]:
    """Make the installation in a process that dies before its n-th call of the system or the database.

    Returns whether it died, and what recovery key it showed.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        left = calls

        def die(_: FrameType, event: str, called: object) -> None:
            nonlocal left
            module, name = getattr(called, "__module__", ""), getattr(called, "__name__", "")
            if event == "c_call" and (module == "posix" or name in {"execute", "close"}):
                left -= 1
                if left < 0:
                    os._exit(KILLED)

        sys.setprofile(die)
        keys.create(folder, lambda shown: (os.write(writes, shown.encode()), None)[1])
        sys.setprofile(None)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as said:
        shown = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED, shown


def test_init_is_killed_at_any_point_and_can_be_repeated(tmp_path: Path) -> None:
    calls, died = 0, True
    while died:
        folder = DataFolder(tmp_path / str(calls))
        died, shown = create_in_a_process(folder, calls)
        if not folder.database.exists():
            assert not folder.folder.exists() or keys.is_new(folder), f"killed at {calls}"
            shown = keys.create(folder)
        elif died:
            with pytest.raises(Conflict):
                keys.create(folder)
        raw = open_raw(folder.database, keys.unlock(folder), read_only=False)
        check_schema(raw, folder.database)
        raw.close()
        keys.recover(folder, shown)
        calls += 1 if calls < 12 else 7
    assert calls > 60


def test_an_init_that_repeats_a_killed_one_is_killed_too_and_the_third_is_whole(tmp_path: Path) -> None:
    left = DataFolder(tmp_path / "left")
    keys.create(left)
    left.database.rename(left.database.with_suffix(".db.new"))
    for calls in range(24):
        folder = DataFolder(tmp_path / str(calls))
        folder.folder.mkdir(mode=0o700)
        for file in left.folder.iterdir():
            (folder.folder / file.name).write_bytes(file.read_bytes())
        died, _ = create_in_a_process(folder, calls)
        assert died
        assert keys.is_new(folder), f"killed at {calls}: {list(folder.folder.iterdir())}"
        keys.create(folder)
        keys.unlock(folder)


@pytest.mark.parametrize("left", ["csms.db-wal", "csms.db-shm", "csms.head", "keys.json", "machine.key"])
def test_what_is_left_of_an_installation_is_never_taken_for_a_new_folder(tmp_path: Path, left: str) -> None:
    folder = DataFolder(tmp_path)
    (tmp_path / left).write_bytes(b"x")
    assert not keys.is_new(folder)
    with pytest.raises(StoreError, match=f"no database in .* but {left}"):
        keys.create(folder)
    with pytest.raises(StoreError, match=f"no database in .* but {left}"):
        keys.unlock(folder)
    assert (tmp_path / left).read_bytes() == b"x"


def test_files_are_their_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = DataFolder(tmp_path / "a" / "data")
        keys.create(folder)
        raw = open_raw(folder.database, keys.unlock(folder), read_only=False)
        raw.execute("UPDATE meta SET value = value")
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.folder.iterdir()}
        raw.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}
    assert "csms.db-wal" in modes
    assert folder.folder.stat().st_mode & 0o777 == 0o700


def test_open_files_and_an_open_folder_are_closed(folder: DataFolder) -> None:
    folder.folder.chmod(0o755)
    for file in folder.folder.iterdir():
        file.chmod(0o644)
    keys.unlock(folder)
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.folder.iterdir()} == {0o600}


def test_an_open_folder_that_holds_other_things_is_refused_untouched(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "letter.txt").write_text("not ours")
    with pytest.raises(StoreError, match="open to others"):
        keys.create(DataFolder(shared))
    assert shared.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in shared.iterdir()] == ["letter.txt"]


WRAPPED = [
    b"",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b"7",
    b'"text"',
    b"{}",
    b'{"wrapped": null}',
    b'{"wrapped": []}',
    b'{"wrapped": {}}',
    b'{"wrapped": {"machine": null, "recovery": null}}',
    b'{"wrapped": {"machine": 5, "recovery": 5}}',
    b'{"wrapped": {"machine": "zz", "recovery": "zz"}}',
    b'{"wrapped": {"machine": ["00"], "recovery": {}}}',
    b"[" * 60_000,
    b"0" * 1_000_000,
    json.dumps({"wrapped": {"machine": "00" * 40, "recovery": "00"}}).encode(),
    json.dumps({"wrapped": {"machine": "", "recovery": ""}}).encode(),
]


@pytest.mark.parametrize("content", WRAPPED, ids=lambda content: content[:30].decode("ascii", "replace"))
def test_wrapped_keys_of_any_wrong_shape_are_a_sentence(tmp_path: Path, content: bytes) -> None:
    folder = DataFolder(tmp_path / "data")
    recovery = keys.create(folder)
    folder.wrapped.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged|not the one"):
        keys.unlock(folder)
    with pytest.raises((StoreError, Invalid), match=r"damaged|not the one"):
        keys.recover(folder, recovery)
    assert folder.wrapped.read_bytes() == content


@pytest.mark.parametrize("name", ["keys.json", "machine.key"])
def test_a_key_file_that_is_none_is_a_sentence(folder: DataFolder, name: str) -> None:
    (folder.folder / name).unlink()
    with pytest.raises(StoreError, match=name):
        keys.unlock(folder)
    os.mkfifo(folder.folder / name, 0o600)
    with pytest.raises(StoreError, match=name):
        keys.unlock(folder)
    (folder.folder / name).unlink()
    (folder.folder / name).mkdir()
    with pytest.raises(StoreError, match=name):
        keys.unlock(folder)
