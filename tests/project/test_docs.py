"""What the documents say is what the code does: a setting, command or OCPP action without a line fails."""

import argparse
import dataclasses
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from onprem_csms import cli, config
from onprem_csms.ocpp.versions import VERSIONS, Version
from tools import addresses

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
PATH_IN_TEXT = re.compile(r"`((?:[a-z_0-9]+/)+[A-Za-z_0-9.]*|[a-z_0-9/]+\.(?:py|sh|sql|toml|html))`")


def documents(root: Path) -> list[Path]:
    return [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "bench").glob("*.md")]


# --- Configuration -------------------------------------------------------------------------------


def test_the_example_holds_every_key_with_its_default(root: Path) -> None:
    written = (root / "config.example.toml").read_text(encoding="utf-8")
    assert written == config.example(), (
        "write it anew: ./dev csms check-config --example > config.example.toml"
    )
    assert config.parse(tomllib.loads(written)) == config.Config()


def test_every_key_has_a_sentence_that_explains_it() -> None:
    keys = set(config.SECTIONS) | set(config.TABLES)
    for section, kind in {**config.SECTIONS, **config.TABLES}.items():
        keys |= {f"{section}.{setting.name}" for setting in dataclasses.fields(kind)}
    assert {key for key in keys if not config.HELP.get(key, "").strip()} == set()
    assert set(config.HELP) - keys == set(), "explained, but not there"


# --- Command line --------------------------------------------------------------------------------


def commands(
    parser: argparse.ArgumentParser, prefix: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its words, down to those that have none below them."""
    below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    for action in below:
        for name, child in action.choices.items():
            yield from commands(child, f"{prefix} {name}".strip())
    if not below:
        yield prefix, parser


def options(parser: argparse.ArgumentParser) -> set[str]:
    names = {name for action in parser._actions for name in action.option_strings if name.startswith("--")}
    return names - {"--help"}


def section_of(text: str, heading: str) -> str:
    """The text under one heading, up to the next."""
    match = re.search(
        rf"^## `onprem-csms {re.escape(heading)}`$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
    )
    return match[1] if match else ""


def test_every_command_and_every_option_is_documented(root: Path) -> None:
    text = (root / "docs" / "command-line.md").read_text(encoding="utf-8")
    missing = []
    for name, parser in commands(cli.build_parser()):
        section = section_of(text, name)
        if not section.strip():
            missing.append(name)
        missing += [f"{name} {option}" for option in options(parser) if f"`{option}" not in section]
    assert missing == []


def test_no_command_is_documented_that_does_not_exist(root: Path) -> None:
    text = (root / "docs" / "command-line.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^## `onprem-csms ([^`]+)`$", text, re.MULTILINE))
    assert documented == {name for name, _ in commands(cli.build_parser())}


def test_every_command_of_dev_is_in_its_own_help(root: Path) -> None:
    source = (root / "dev").read_text(encoding="utf-8")
    named = set(re.findall(r'^    "(\w+)": command_\w+,$', source, re.MULTILINE))
    assert len(named) > 5
    assert {name for name in named if f"    ./dev {name} " not in source} == set()


# --- OCPP ----------------------------------------------------------------------------------------


def rows(text: str) -> set[str]:
    """What the tables of docs/ocpp.md begin their lines with."""
    return set(re.findall(r"^\| `([A-Z]\w+)` ", text, re.MULTILINE))


def section_of_version(text: str, heading: str, version: Version) -> str:
    """The table of one version in one direction, up to the next heading."""
    found = re.search(
        rf"^### {heading} the charger, {re.escape(version.name)}$(.*?)(?=^##|\Z)",
        text,
        re.MULTILINE | re.DOTALL,
    )
    return found[1] if found else ""


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_every_action_of_each_version_is_documented(root: Path, version: Version) -> None:
    text = (root / "docs" / "ocpp.md").read_text()
    assert rows(section_of_version(text, "From", version)) == set(version.actions)
    assert rows(section_of_version(text, "To", version)) == set(version.commands)


def test_no_action_is_documented_that_does_not_exist(root: Path) -> None:
    known = {action for version in VERSIONS.values() for action in (*version.actions, *version.commands)}
    assert rows((root / "docs" / "ocpp.md").read_text()) - known == set()


# --- Addresses -----------------------------------------------------------------------------------


def test_every_page_is_documented_with_its_guard(root: Path) -> None:
    text = (root / "docs" / "pages.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(/[^`]*)` \| ([^|]+) \|", text, re.MULTILINE))
    pages = {(page.path, page.guard) for page in addresses.pages() if page.method == "GET"}
    assert pages - {(path, guard.strip()) for path, guard in documented} == set(), "not documented"
    assert {(path, guard.strip()) for path, guard in documented} - pages == set(), "documented, but not there"


def test_every_resource_of_the_api_is_documented(root: Path) -> None:
    text = (root / "docs" / "api.md").read_text(encoding="utf-8")
    resources = {path.split("/")[3] for _, path in addresses.api_paths()}
    assert {name for name in resources if f"`/{name}" not in text} == set()


# --- The documents themselves --------------------------------------------------------------------


def test_every_link_in_a_document_leads_somewhere(root: Path) -> None:
    links = [(path, target) for path in documents(root) for target in LINK.findall(path.read_text())]
    inside = [(path, target) for path, target in links if "://" not in target]
    assert [f"{path.name}: {target}" for path, target in inside if not (path.parent / target).exists()] == []


def test_every_file_that_a_document_names_is_there(root: Path) -> None:
    """Paths in backquotes, from the project's folder or from the package."""
    made_later = ("build/", "dist/", "web/static/vendor/", "onprem_csms/web/static/vendor/")
    gone = []
    for path in documents(root):
        for name in PATH_IN_TEXT.findall(path.read_text(encoding="utf-8")):
            places = (root / name, root / "onprem_csms" / name, path.parent / name)
            if not name.startswith(made_later) and not any(place.exists() for place in places):
                gone.append(f"{path.relative_to(root)}: {name}")
    assert gone == []


def test_every_room_stands_in_the_tree_of_the_architecture(root: Path) -> None:
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = text.split("```")[1]
    package = root / "onprem_csms"
    rooms = [path.name for path in package.glob("*.py")] + [
        path.parent.name for path in package.glob("*/*.py")
    ]
    rooms = [name for name in rooms if name != "__init__.py"]
    assert {name for name in rooms if not re.search(rf"\b{re.escape(name)}\b", tree)} == set()


def test_the_readme_begins_with_the_two_commands(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\./dev \w+$", text, re.MULTILINE)[:2] == ["./dev run", "./dev test"]
