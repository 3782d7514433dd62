"""The page about readers holds what the code has."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from onprem_csms import config
from onprem_csms.domain.cards.numbers import NUMBER_FORMATS
from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.rfid.registry import DECODERS, faults


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "readers.md").read_text(encoding="utf-8")


def rows(text: str, heading: str) -> list[str]:
    """What the lines of the first table after a heading begin with."""
    table = text.split(heading, 1)[1].split("|---", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def test_every_key_decoder_and_number_format_has_its_line(page):
    assert rows(page, "## A reader on a serial line") == [
        "id",
        "port",
        *(setting.name for setting in dataclasses.fields(ReaderConfig) if setting.name not in {"id", "port"}),
    ]
    assert rows(page, "### Decoders") == list(DECODERS)
    assert rows(page, "### Number formats") == list(NUMBER_FORMATS)


def test_the_written_defaults_are_those_of_the_code(page):
    written = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page.split("### Decoders")[0], re.MULTILINE))
    defaults = {
        setting.name: str(setting.default)
        for setting in dataclasses.fields(ReaderConfig)
        if setting.default not in {dataclasses.MISSING, ""}
    }
    assert written == defaults


def test_the_example_of_the_page_is_a_good_configuration(page):
    example = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert example is not None
    readers = config.parse(tomllib.loads(example[1])).readers
    assert [reader.name for reader in readers] == ["Front desk"]
    assert faults(readers) == []
