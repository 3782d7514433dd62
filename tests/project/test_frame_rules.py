"""Rules of the frame that a reader relies on: one owner for each table, rows that stay in ``db``, no OCPP inside."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from onprem_csms.db.engine.migrate import migrations

WRITING = re.compile(
    r"\b(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM)\s+([a-z_]{3,})\b"
)
# ``meta`` is key and value: each key has its owner.
SHARED_TABLES = {"meta"}
# Words of OCPP that are words of the field too, or names of ours.
OF_THE_FIELD: set[str] = set()


@pytest.fixture(scope="module")
def package(root: Path) -> Path:
    return root / "onprem_csms"


def texts_in(source: str) -> Iterator[tuple[int, str]]:
    """Every text of a module that is not a docstring, with its line; of an f-string its fixed parts."""
    tree = ast.parse(source)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            documentation.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def tables() -> set[str]:
    """Every table that the migrations make."""
    return {name for each in migrations() for name in re.findall(r"CREATE TABLE (?:\w+\.)?(\w+)", each.sql)}


def test_a_table_is_written_by_one_module_alone(package: Path) -> None:
    writers = defaultdict(set)
    for path in package.rglob("*.py"):
        for _, text in texts_in(path.read_text(encoding="utf-8")):
            for table in WRITING.findall(text):
                writers[table].add(path.relative_to(package).as_posix())
    known = tables()
    assert {name for name in writers if name in known} >= {"sessions", "cards", "entries"}
    several = {
        name: sorted(paths)
        for name, paths in writers.items()
        if name in known - SHARED_TABLES and len(paths) > 1
    }
    assert several == {}


def test_every_writer_of_a_table_stands_in_db(package: Path) -> None:
    outside = [
        f"{path.relative_to(package)}:{line}"
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] != "db"
        for line, text in texts_in(path.read_text(encoding="utf-8"))
        if WRITING.search(text)
    ]
    assert outside == []


def test_no_row_of_the_database_leaves_its_package(package: Path) -> None:
    """Whoever imports the row type, or asks a value for a column by name as rows are asked."""
    found = []
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0]
        if room == "db":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom | ast.Subscript):
                continue
            imported = isinstance(node, ast.ImportFrom) and any(alias.name == "Row" for alias in node.names)
            asked = (
                isinstance(node, ast.Subscript)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("row", "session", "order", "card")
                and isinstance(node.slice, ast.Constant)
                and isinstance(node.slice.value, str)
            )
            from_db = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("onprem_csms.db")
            if (imported and from_db) or (asked and room == "services"):
                found.append(f"{path.relative_to(package)}:{node.lineno}")
    assert found == []


def words_of_ocpp() -> set[str]:
    """Action names, keys and enumerations of the versions' schemas that are written as only OCPP writes words."""
    words: set[str] = set()
    for version in ("v16", "v201"):
        folder = resources.files("ocpp") / version / "schemas"
        for file in folder.iterdir():
            if file.name.endswith(".json"):
                words.add(file.name.removesuffix(".json").removesuffix("Request").removesuffix("Response"))
                _collect(json.loads(file.read_text(encoding="utf-8-sig")), words)
    return {word for word in words if re.search(r"[a-z][A-Z]", word)}


def _collect(node: object, words: set[str]) -> None:
    if isinstance(node, dict):
        words.update(node.get("properties", {}) if isinstance(node.get("properties"), dict) else {})
        words.update(word for word in node.get("enum", ()) if isinstance(word, str))
        for each in node.values():
            _collect(each, words)
    elif isinstance(node, list):
        for each in node:
            _collect(each, words)


def test_domain_and_services_hold_no_word_of_ocpp(package: Path) -> None:
    words = words_of_ocpp() - OF_THE_FIELD
    assert {"connectorId", "StartTransaction", "TransactionEvent", "SuspendedEV"} <= words
    found = [
        f"{path.relative_to(package)}:{line}: {text}"
        for room in ("domain", "services")
        for path in sorted((package / room).rglob("*.py"))
        for line, text in texts_in(path.read_text(encoding="utf-8"))
        if text in words
    ]
    assert found == []


def test_domain_and_services_know_no_version(package: Path) -> None:
    version = re.compile(r"\bv16\b|\bv2\b|\bv201\b|^ocpp\d|^(?:1\.6J?|2\.0\.1|2\.1)$")
    found = [
        f"{path.relative_to(package)}:{line}: {text}"
        for room in ("domain", "services")
        for path in sorted((package / room).rglob("*.py"))
        for line, text in texts_in(path.read_text(encoding="utf-8"))
        if version.search(text)
    ]
    assert found == []
