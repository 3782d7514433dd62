"""The command line as an admin types it, each command in a process of its own."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from onprem_csms.config import example
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.connection import open_raw
from onprem_csms.db.engine.keys import DataFolder
from tests.program.conftest import Program, csms, started

ROOT = Path(__file__).parents[2]


def attempt(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command that may fail."""
    command = [sys.executable, "-m", "onprem_csms", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def failing(*arguments: str | Path) -> str:
    """Run a command that must fail with status 1, and return what it said of it."""
    done = attempt(*arguments)
    assert done.returncode == 1, done
    return done.stderr.strip()


def test_init_shows_the_recovery_key_once_and_refuses_to_overwrite(tmp_path: Path) -> None:
    said = csms("init", "--data-dir", tmp_path / "data")
    assert said.startswith("Recovery key: ")
    again = attempt("init", "--data-dir", tmp_path / "data")
    assert again.returncode == 1
    assert "already a database" in again.stderr


def test_a_lost_machine_key_is_recovered(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    recovery = csms("init", "--data-dir", folder).splitlines()[0].removeprefix("Recovery key: ")
    (folder / "machine.key").unlink()
    lost = attempt("verify", "--data-dir", folder)
    assert lost.returncode == 1
    assert "onprem-csms recover" in lost.stderr
    csms("recover", "--data-dir", folder, "--recovery-key", recovery)
    assert csms("verify", "--data-dir", folder) == "0 entries, 0 sessions: no faults\n"


def test_a_new_recovery_key_is_made_by_a_person_and_ends_the_one_before(tmp_path: Path) -> None:
    first = csms("init", "--data-dir", tmp_path).splitlines()[0].removeprefix("Recovery key: ")
    second = csms("recovery-key", "--data-dir", tmp_path).splitlines()[0].removeprefix("Recovery key: ")
    assert "not the one" in failing("recover", "--data-dir", tmp_path, "--recovery-key", first)
    csms("recover", "--data-dir", tmp_path, "--recovery-key", second)


def test_a_first_start_tells_no_recovery_key_and_leaves_no_picture_of_its_memory(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "onprem_csms",
        "serve",
        "--data-dir",
        str(tmp_path / "data"),
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = ""
        while "openapi.json" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        process.terminate()
        said += process.stdout.read()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
    assert not re.search(r"(\w{4}-){8}\w{4}", said)
    assert "onprem-csms recovery-key" in said


def test_the_api_key_is_printed_alone(tmp_path: Path) -> None:
    csms("init", "--data-dir", tmp_path)
    said = csms("api-key", "create", "--data-dir", tmp_path, "--name", "meter", "--role", "admin")
    assert len(said.split()) == 1
    assert said.startswith("csms_")


def test_operators_are_added_listed_and_get_new_passwords(tmp_path: Path) -> None:
    csms("init", "--data-dir", tmp_path)
    password = "correct horse battery"
    csms("operator", "add", "--data-dir", tmp_path, "anna", "--role", "desk", stdin=password + "\n")
    assert csms("operator", "list", "--data-dir", tmp_path).split("\t")[:2] == ["anna", "desk"]
    csms("operator", "passwd", "--data-dir", tmp_path, "anna", stdin=password + "r\n")
    short = attempt("operator", "passwd", "--data-dir", tmp_path, "anna", stdin="x\n")
    assert short.returncode == 1
    nobody = attempt("operator", "passwd", "--data-dir", tmp_path, "bela", stdin=password + "\n")
    assert nobody.returncode == 1
    assert "bela" in nobody.stderr


def test_a_command_on_a_folder_without_a_database_makes_none(tmp_path: Path) -> None:
    done = attempt("verify", "--data-dir", tmp_path / "typo")
    assert done.returncode == 1
    assert "There is no database" in done.stderr
    assert not (tmp_path / "typo").exists()


def test_every_fault_of_a_configuration_is_said_in_one_run(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[ocpp]\nunknown_chargers = "maybe"\nheartbeat = 5\n[site]\ntimezone = "Mars"\n'
        '[server]\nport = 99999\n[printer]\nname = "x"\n[[readers]]\nid = "desk"\ndecoder = "magic"\n'
    )
    done = attempt("check-config", file)
    assert done.returncode == 1
    ours = ("ocpp.unknown_chargers", "ocpp.heartbeat", "site.timezone", "server.port", "printer")
    for path in (*ours, "readers.1.port"):
        assert f"\n{path}: " in done.stderr, path
    file.write_text("[site\n")
    assert "is not TOML" in attempt("check-config", file).stderr
    assert "can't be read" in attempt("check-config", tmp_path / "none.toml").stderr


def test_the_example_holds_every_key_with_its_default(tmp_path: Path) -> None:
    written = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    assert written == example() == csms("check-config", "--example")
    assert csms("check-config", ROOT / "config.example.toml") == "The configuration is good.\n"


def test_serve_refuses_half_an_installation(tmp_path: Path) -> None:
    csms("init", "--data-dir", tmp_path)
    (tmp_path / "csms.db").unlink()
    done = attempt("serve", "--data-dir", tmp_path, "--port", "0")
    assert done.returncode == 1
    assert "There is no database" in done.stderr
    assert not (tmp_path / "csms.db").exists()


async def test_health_is_good_once_the_database_answers(program: Program) -> None:
    async with program.http.get(f"{program.base}/healthz") as response:
        assert response.status == 200


async def test_keys_can_be_made_while_the_program_runs(program: Program) -> None:
    key = csms("api-key", "create", "--data-dir", program.folder, "--name", "b", "--role", "viewer").strip()
    async with program.http.get(
        f"{program.base}/api/v1/sessions", headers={"Authorization": f"Bearer {key}"}
    ) as response:
        assert response.status == 200


async def test_a_port_in_use_is_a_sentence(program: Program, tmp_path: Path) -> None:
    done = attempt("serve", "--data-dir", tmp_path / "second", "--port", str(program.port))
    assert done.returncode == 1
    assert str(program.port) in done.stderr
    assert "Traceback" not in done.stderr


async def test_the_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    async with started(tmp_path) as program:
        assert program.folder.stat().st_mode & 0o077 == 0


async def test_a_request_header_that_never_ends_does_not_hold_its_connection(program: Program) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
    writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\nHost: csms\r\n")
    assert await reader.read() == b""
    writer.close()


async def test_a_second_program_on_a_folder_that_is_served_refuses(program: Program) -> None:
    done = await asyncio.to_thread(failing, "serve", "--data-dir", program.folder, "--port", "0")
    assert done == f"Another onprem-csms serves the folder {program.folder} already."
    csms("verify", "--data-dir", program.folder)


def test_a_database_that_was_emptied_is_not_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    csms("init", "--data-dir", folder)
    (folder / "csms.db").write_bytes(b"")
    for command in ("serve", "verify"):
        assert "is empty. Restore a backup" in failing(command, "--data-dir", folder)
    assert (folder / "csms.db").stat().st_size == 0


def test_a_damaged_database_and_a_folder_that_is_none_are_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    csms("init", "--data-dir", folder)
    (folder / "csms.db").write_bytes(b"not a database".ljust(4096))
    assert failing("verify", "--data-dir", folder).count("\n") == 0
    file = tmp_path / "file"
    file.write_text("in the way")
    assert failing("init", "--data-dir", file) == f"{file}: File exists"


async def test_health_is_bad_while_nothing_can_be_written_and_good_again_afterwards(program: Program) -> None:
    folder = DataFolder(program.folder)
    other = open_raw(folder.database, keys.unlock(folder), read_only=False)
    other.execute("BEGIN IMMEDIATE")
    async with program.http.get(f"{program.base}/healthz") as response:
        assert response.status == 503
        assert "did not write and read" in (await response.json())["detail"]
    other.execute("ROLLBACK")
    other.close()
    while True:
        async with program.http.get(f"{program.base}/healthz") as response:
            if response.status == 200:
                break


def test_no_command_but_serve_touches_a_database_of_another_schema(tmp_path: Path) -> None:
    csms("init", "--data-dir", tmp_path)
    folder = DataFolder(tmp_path)
    raw = open_raw(folder.database, keys.unlock(folder), read_only=False)
    for number, sentence in ((0, "is not what its number"), (4000, "made by a newer release")):
        raw.execute(f"PRAGMA user_version = {number}")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        before = folder.database.read_bytes()
        for command in (("verify",), ("api-key", "create", "--name", "x"), ("operator", "list"), ("serve",)):
            assert sentence in failing(*command, "--data-dir", tmp_path)
        assert folder.database.read_bytes() == before
    raw.close()
