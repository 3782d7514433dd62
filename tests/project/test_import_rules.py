"""Who may import whom. The rules are those of docs/architecture.md; a new room needs a rule here."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "onprem_csms"
SHARED = {"errors", "events", "clock"}
EVERYTHING = {
    "domain",
    "services",
    "db",
    "ocpp",
    "rfid",
    "web",
    "config",
    "app",
    "demo",
    "cli",
    "keyring",
    "listening",
    "logs",
}
ALLOWED = {
    "errors": set(),
    "events": set(),
    "clock": set(),
    "domain": set(),
    "db": {"domain"},
    "services": {"domain", "db"},
    "ocpp": {"domain", "services"},
    "rfid": {"domain", "services"},
    "web": {"domain", "services"},
    "config": {"domain"},
    "listening": {"domain"},
    "logs": set(),
    "app": EVERYTHING,
    "demo": EVERYTHING,
    "cli": EVERYTHING,
    "__main__": {"cli"},
    "": set(),
}
# Between the packages of ``services``: which others each may import.
SERVICES = {
    "core": set(),
    "access": {"core"},
    "money": {"core"},
    "cards": {"core", "money"},
    "chargers": {"core"},
    "charging": {"core", "money", "cards", "chargers"},
    "desk": {"core", "money", "cards", "chargers", "charging"},
    "drivers": {"core", "money", "cards", "chargers", "charging"},
    "site": {"core", "access", "money", "cards", "chargers", "charging", "desk", "drivers"},
}
# The pure parts see no event loop, no file, no socket, no clock of the machine.
# fmt: off
IMPURE = {
    "asyncio", "concurrent", "io", "logging", "multiprocessing", "os", "pathlib", "random", "select",
    "shutil", "socket", "subprocess", "sys", "tempfile", "threading", "time",
    "aiohttp", "aiosqlite", "jinja2", "serial", "sqlcipher3", "sqlite3", "uvloop", "websockets",
}
# fmt: on
PURE_FILES = ("ocpp/rpc/frames.py", "ocpp/rpc/turns.py", "rfid/decoders.py")
# A library that one room alone knows.
ONE_ROOM_LIBRARIES = {
    "sqlcipher3": "db",
    "aiosqlite": "db",
    "ocpp": "ocpp",
    "jsonschema_rs": "ocpp",
    "serial": "rfid",
    "smartcard": "rfid",
    "jinja2": "web",
}


@dataclass(frozen=True, slots=True)
class Import:
    """One import: the room it stands in, the dotted name it asks for, and where."""

    room: str
    name: str
    where: str

    @property
    def of_ours(self) -> bool:
        return self.name == PACKAGE or self.name.startswith(f"{PACKAGE}.")

    @property
    def target_room(self) -> str:
        """The room asked for; empty for the package itself."""
        return [*self.name.split("."), ""][1]


def room_of(path: Path, package: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def names_in(tree: ast.AST, module: str) -> Iterator[tuple[str, int]]:
    """Every imported name, inside functions and under TYPE_CHECKING too; relative ones made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            # `from onprem_csms import db` names the room only in the second half.
            yield from (
                (f"{source}.{alias.name}" if source == PACKAGE else source, node.lineno)
                for alias in node.names
            )


def all_imports(package: Path) -> list[Import]:
    found = []
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package.parent)
        module = ".".join(relative.with_suffix("").parts)
        for name, line in names_in(ast.parse(path.read_text(encoding="utf-8")), module):
            found.append(Import(room_of(path, package), name, f"{relative}:{line}"))
    return found


@pytest.fixture(scope="module")
def package(root: Path) -> Path:
    return root / PACKAGE


@pytest.fixture(scope="module")
def imports(package: Path) -> list[Import]:
    return all_imports(package)


def forbidden(imports: list[Import]) -> list[str]:
    """The imports of ours that no rule allows, one sentence each."""
    return [
        f"{each.where}: {each.room} may not import {each.name}"
        for each in imports
        if each.of_ours
        and each.target_room not in ALLOWED.get(each.room, set()) | SHARED | {each.room, "__version__", ""}
    ]


def test_every_room_has_a_rule(package: Path) -> None:
    rooms = {room_of(path, package) for path in package.rglob("*.py")}
    assert rooms <= ALLOWED.keys(), "a new room needs a rule here and a line in docs/architecture.md"


def test_no_room_imports_what_its_rule_does_not_allow(imports: list[Import]) -> None:
    assert forbidden(imports) == []


def package_of(name: str, room: str) -> str:
    """The package of a room that a dotted name lies in; empty when it lies elsewhere."""
    parts = name.split(".")
    return parts[2] if parts[:2] == [PACKAGE, room] and len(parts) > 2 else ""


def test_a_package_of_the_services_imports_only_those_below_it(imports: list[Import]) -> None:
    found = []
    for each in imports:
        package = each.where.split("/")[2] if each.room == "services" and each.where.count("/") > 2 else ""
        target = package_of(each.name, "services")
        if package and target and target not in SERVICES[package] | {package}:
            found.append(f"{each.where}: services.{package} may not import {each.name}")
    assert found == []


def test_every_package_of_the_services_has_a_rule(package: Path) -> None:
    folders = {path.name for path in (package / "services").iterdir() if (path / "__init__.py").exists()}
    assert folders == set(SERVICES)


def test_shared_modules_import_nothing_of_ours_but_each_other(imports: list[Import]) -> None:
    assert [
        each for each in imports if each.room in SHARED and each.of_ours and each.target_room not in SHARED
    ] == []


def test_the_rule_sees_every_way_to_write_an_import(tmp_path: Path) -> None:
    package = tmp_path / PACKAGE
    (package / "domain").mkdir(parents=True)
    (package / "web").mkdir()
    (package / "web" / "page.py").write_text(
        "import onprem_csms.db.sessions\n"
        "from onprem_csms import ocpp\n"
        "from onprem_csms.db import chargers\n"
        "from ..rfid import serial\n"
        "def late():\n    from onprem_csms.db.database import Database\n"
        "from onprem_csms import errors\n"
        "from onprem_csms.services import desk\n"
        "from . import other\n"
    )
    lines = [fault.split(":")[1] for fault in forbidden(all_imports(package))]
    assert lines == ["1", "2", "3", "4", "6"]


def test_the_pure_parts_import_nothing_that_does_input_or_output_or_reads_a_clock(
    imports: list[Import],
) -> None:
    pure = [
        each
        for each in imports
        if each.room == "domain" or any(each.where.startswith(f"{PACKAGE}/{name}:") for name in PURE_FILES)
    ]
    assert [each.where for each in pure if each.name.split(".")[0] in IMPURE] == []


def test_the_domain_has_no_coroutine_and_asks_no_clock(package: Path) -> None:
    found = []
    for path in sorted((package / "domain").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                found.append(f"{path.name}:{node.lineno}: async")
            if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
                found.append(f"{path.name}:{node.lineno}: {node.attr}")
    assert found == []


def test_a_service_function_is_a_plain_function_of_the_transaction(package: Path) -> None:
    """A write can't await a charger, a browser or a file in its middle; only flows around writes await."""
    found = [
        f"{path.name}:{node.lineno}: {node.name}"
        for path in sorted((package / "services").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.AsyncFunctionDef) and [each.arg for each in node.args.args][:1] == ["tx"]
    ]
    assert found == []


def test_a_library_is_known_to_one_room_alone(imports: list[Import]) -> None:
    strangers = [
        f"{each.where}: {each.name} belongs to {ONE_ROOM_LIBRARIES[library]}"
        for each in imports
        if (library := each.name.split(".")[0]) in ONE_ROOM_LIBRARIES
        and each.room not in (ONE_ROOM_LIBRARIES[library], "demo")
    ]
    assert strangers == []


# --- Circles --------------------------------------------------------------------------------------


CIRCLES_STILL_THERE = {frozenset({"db.engine.caches", "db.engine.tx"})}
"""To be taken apart; none may be added."""


def modules_of(package: Path) -> dict[str, Path]:
    """Every module by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_modules(path: Path, module: str, known: set[str]) -> set[str]:
    """The modules of ours that one imports anywhere in it, under TYPE_CHECKING and in functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = path.name == "__init__.py"
            above = module.split(".")[: len(module.split(".")) - node.level + inside] if node.level else []
            source = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            # A name may be a module of the package, or something that the package itself holds.
            found |= {
                f"{source}.{alias.name}" if f"{source}.{alias.name}" in known else source
                for alias in node.names
            }
    return found & known - {module}


def circles(package: Path) -> set[frozenset[str]]:
    """The groups of modules in which each one reaches every other over imports."""
    modules = modules_of(package)
    edges = {name: imported_modules(path, name, set(modules)) for name, path in modules.items()}
    reached = {name: reachable(name, edges) for name in edges}
    return {
        frozenset(each.removeprefix(f"{package.name}.") for each in reached[name] if name in reached[each])
        for name in edges
        if name in reached[name]
    }


def reachable(start: str, edges: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = edges[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found


def test_no_modules_import_each_other_in_a_circle(package: Path) -> None:
    assert circles(package) == CIRCLES_STILL_THERE


def test_a_circle_is_seen_however_long_it_is_and_however_it_is_written(tmp_path: Path) -> None:
    package = tmp_path / PACKAGE
    (package / "a").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "a" / "__init__.py").write_text("")
    (package / "a" / "one.py").write_text(f"from {PACKAGE}.a import two\n")
    (package / "a" / "two.py").write_text(f"def late():\n    from {PACKAGE}.a.three import x\n")
    (package / "a" / "three.py").write_text("from . import one\nfrom . import four\n")
    (package / "a" / "four.py").write_text("")
    assert circles(package) == {frozenset({"a.one", "a.two", "a.three"})}
