"""The command line ``onprem-csms``: one small function per command."""

import argparse
import asyncio
import getpass
import logging
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from onprem_csms import __version__, config, logs
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.db.money import head as heads
from onprem_csms.errors import AppError, Conflict, Invalid, StoreError
from onprem_csms.rfid import registry
from onprem_csms.services.access import api_keys, operators
from onprem_csms.services.site import verify

log = logging.getLogger(__name__)

DEFAULT_FOLDER = "data"
Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 a fault that is said, 2 wrong usage."""
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (AppError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(_sentence(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _sentence(error: OSError) -> str:
    if error.filename is None:
        return f"The system refuses: {error.strerror or error}. Nothing was lost."
    return f"{error.filename}: {error.strerror}"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; every command with its help stands here."""
    parser = argparse.ArgumentParser(
        prog="onprem-csms", description="Charging stations, cards and money, on your own server."
    )
    parser.add_argument("--version", action="version", version=f"onprem-csms {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serve_ = _command(commands, "serve", serve, "start the product; the first start sets the data folder up")
    _serving(serve_)
    demo_ = _command(commands, "demo", demo, "start a lively site with simulated chargers")
    _serving(demo_)
    _command(commands, "init", init, "make the database and its keys, and show the recovery key once")
    _command(commands, "recovery-key", recovery_key, "make a new recovery key, and show it once")
    recover_ = _command(commands, "recover", recover, "make a new machine key by the recovery key")
    recover_.add_argument("--recovery-key", help="asked for when not given")
    check = _command(
        commands, "check-config", check_config, "say every fault of a configuration file", folder=False
    )
    check.add_argument("file", type=Path, nargs="?", help="the file; without it, the defaults are checked")
    check.add_argument(
        "--example", action="store_true", help="print a file with every setting and its default"
    )
    _command(
        commands, "verify", verify_books, "count every balance and bill again and prove the chain of hashes"
    )
    _operator(commands)
    _api_key(commands)
    return parser


def _command(
    commands: Any, name: str, run: Command, text: str, *, folder: bool = True
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text.capitalize() + "."
    )
    parser.set_defaults(run=run)
    if folder:
        parser.add_argument(
            "--data-dir", type=Path, default=Path(DEFAULT_FOLDER), metavar="DIR", help="the data folder"
        )
    return parser


def _serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, metavar="N", help="the port, instead of the configured one")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration file")


def _operator(commands: Any) -> None:
    group = commands.add_parser("operator", help="the people who sign in to the admin site")
    actions = group.add_subparsers(title="actions", required=True, metavar="ACTION")
    add = _command(
        actions, "add", operator_add, "add an operator; the password is asked for, or read from the input"
    )
    add.add_argument("name")
    add.add_argument("--role", choices=["admin", "desk", "viewer"], default="admin")
    passwd = _command(actions, "passwd", operator_passwd, "set an operator's password")
    passwd.add_argument("name")
    _command(actions, "list", operator_list, "list the operators")


def _api_key(commands: Any) -> None:
    group = commands.add_parser("api-key", help="keys for the HTTP API")
    actions = group.add_subparsers(title="actions", required=True, metavar="ACTION")
    create = _command(
        actions, "create", api_key_create, "make a key and print it alone; it is not shown again"
    )
    create.add_argument("--name", required=True, help="what the key is for")
    create.add_argument("--role", choices=["admin", "desk", "viewer"], default="viewer")


def serve(options: argparse.Namespace) -> int:
    """Run the product until it is told to stop."""
    from onprem_csms import app  # noqa: PLC0415 - the other commands start faster without the web and OCPP

    settings = _configured(options)
    folder = DataFolder(options.data_dir)
    # A picture of the memory would hold the database's key.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if keys.is_new(folder):
        # Shown to nobody: what this process says is kept in logs. A person asks for a recovery key of their own.
        keys.create(folder)
        log.warning("There is no recovery key yet. Make one and write it down: onprem-csms recovery-key")
    try:
        uvloop.run(app.serve(settings, folder))
    except OSError as error:
        if error.filename is not None:
            raise
        place = f"{settings.server.host}:{settings.server.port}"
        raise Conflict(
            "The address {place} can't be listened on: {why}.", place=place, why=error.strerror
        ) from error
    return 0


def demo(options: argparse.Namespace) -> int:
    """Run the product with a furnished site and simulated chargers."""
    from onprem_csms.demo import run  # noqa: PLC0415 - only the demo needs it

    uvloop.run(run.run_demo(_configured(options), DataFolder(options.data_dir)))
    return 0


def _configured(options: argparse.Namespace) -> config.Config:
    settings = _load(options.config)
    logs.begin(settings.log.level)
    return settings if options.port is None else config.on_port(settings, options.port)


def _load(file: Path | None) -> config.Config:
    return config.load(file, registry.faults)


def init(options: argparse.Namespace) -> int:
    """Make a new installation."""
    keys.create(DataFolder(options.data_dir), _say_recovery_key)
    return 0


def _say_recovery_key(recovery_key: str) -> None:
    print(f"Recovery key: {recovery_key}")
    print("Write it down and keep it away from this machine. It is shown only now.", flush=True)


def recovery_key(options: argparse.Namespace) -> int:
    """Make the recovery key anew."""
    _say_recovery_key(keys.renew_recovery(DataFolder(options.data_dir)))
    return 0


def recover(options: argparse.Namespace) -> int:
    """Make the machine's key anew."""
    keys.recover(DataFolder(options.data_dir), options.recovery_key or input("Recovery key: "))
    print("The machine has a new key.")
    return 0


def check_config(options: argparse.Namespace) -> int:
    """Say every fault of a configuration file."""
    if options.example:
        print(config.example(), end="")
        return 0
    _load(options.file)
    print("The configuration is good.")
    return 0


def verify_books(options: argparse.Namespace) -> int:
    """Count the books again; exit status 1 when something does not agree."""
    # Before the view begins: what is booked beside this is then in the view, too.
    head = heads.read(heads.path_of(DataFolder(options.data_dir).database))
    found = _with_store(options, lambda store: store.examine(lambda tx: verify.verify(tx, head)))
    findings = found.result or verify.Findings()
    for fault in (*found.damage, *findings.faults):
        print(fault)
    faults = len(found.damage) + len(findings.faults)
    print(f"{findings.entries} entries, {findings.sessions} sessions: {faults or 'no'} faults")
    return 1 if faults else 0


def operator_add(options: argparse.Namespace) -> int:
    """Add an operator."""
    new = operators.NewOperator(options.name, _password(), options.role)
    _with_store(options, lambda store: operators.add(store, new))
    print(f"{options.name} may sign in.")
    return 0


def operator_passwd(options: argparse.Namespace) -> int:
    """Set an operator's password."""
    password = _password()

    async def change(store: Database) -> None:
        operator = await store.read(operators.by_name, options.name)
        await operators.set_password(store, operator.id, password)

    _with_store(options, change)
    print(f"{options.name} has a new password.")
    return 0


def operator_list(options: argparse.Namespace) -> int:
    """List the operators."""
    for operator in _with_store(options, lambda store: store.read(operators.find)):
        print(f"{operator.name}\t{operator.role}\t{'disabled' if operator.disabled_at else 'active'}")
    return 0


def api_key_create(options: argparse.Namespace) -> int:
    """Make an API key and print it alone."""
    made = _with_store(options, lambda store: store.write(api_keys.create, options.name, options.role))
    print(made.secret)
    return 0


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise Invalid("The two passwords differ.", path="password")
    return password


def _with_store(options: argparse.Namespace, work: Callable[[Database], Awaitable[Any]]) -> Any:
    folder = DataFolder(options.data_dir)

    async def run() -> Any:
        store = await Database.open(folder.database, keys.unlock(folder))
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())
