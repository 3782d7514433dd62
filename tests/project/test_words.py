"""The words are the field's: no picture of a house, its doors and its guests in code, docs, pages or translations."""

import re
from pathlib import Path

import pytest

from tools.translations import po_files, read

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "onprem_csms"
# A picture, and the word of the field that says it.
PICTURES = {
    r"houses?": "csms, central system or site",
    r"knock(s|ed|ing)?": "connection attempt",
    r"doors?": "listener, charger endpoint, page or API",
    r"(lets?|letting) (\w+ )?in(?! the)": "accept",
    r"needs you": "action required",
    r"gone since": "offline since",
    r"off the lists?": "archived",
    r"(highest|largest) price": "price cap",
    r"(lowest|least) price": "minimum price",
    r"rooms?": "package",
}
HUNGARIAN = {
    r"ajtó\w*": "Beengedésre vár",
    r"kopog\w*": "kapcsolódási kísérlet",
    r"sofőr\w*": "vezető",
    r"üzemeltető\w*": "kezelő",
    r"a töltő kész": "A töltő készen áll",
    r"innen leállítva": "távolról leállítva",
    r"tétlen\w*": "foglaltsági díj",
}
# Where the word itself is meant, and why.
ALLOWED = {
    ("onprem_csms/ocpp/v2/variables.py", "room"): "how much space a message has",
    ("onprem_csms/services/chargers/configuration.py", "room"): "how many more variables there is space for",
}


def texts() -> list[Path]:
    """Every file of ours that people read: code, SQL, templates, style, script, docs and the example."""
    kinds = ("*.py", "*.sql", "*.html", "*.css", "*.js", "*.txt", "*.svg")
    found = [path for kind in kinds for path in PACKAGE.rglob(kind) if "vendor" not in path.parts]
    found += [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "bench").glob("*")]
    return [path for path in [*found, ROOT / "config.example.toml"] if path.is_file()]


def pictures_in(text: str) -> set[str]:
    """The pictures that a text holds, in their plain form; a name such as ``house_account`` counts."""
    plain = re.sub(r"_", " ", text)
    found = (re.finditer(rf"(?<![a-z]){picture}(?![a-z])", plain, re.IGNORECASE) for picture in PICTURES)
    return {one[0].lower() for several in found for one in several}


def faults() -> dict[tuple[str, str], str]:
    """Every picture by file; the singular names its whole family."""
    found = {}
    for path in texts():
        name = path.relative_to(ROOT).as_posix()
        for word in pictures_in(path.read_text(encoding="utf-8", errors="replace")):
            family = {"houses": "house", "doors": "door", "rooms": "room"}.get(word, word)
            found[name, family] = word
    return found


def test_no_picture_stands_for_a_word_of_the_field() -> None:
    assert sorted(fault for fault in faults() if fault not in ALLOWED) == []


def test_no_exception_is_kept_longer_than_it_is_needed() -> None:
    assert sorted(ALLOWED.keys() - faults().keys()) == []


@pytest.mark.parametrize("path", po_files(), ids=lambda path: path.parent.parent.name)
def test_translations_hold_no_calque(path: Path) -> None:
    said = [str(message.string) for message in read(path) if message.id]
    calques = [
        (text, calque)
        for text in said
        for calque in HUNGARIAN
        if re.search(rf"\b{calque}\b", text, re.IGNORECASE)
    ]
    assert calques == []
