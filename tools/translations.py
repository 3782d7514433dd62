"""Keeps the languages of the product: compiles them, collects new texts, tells what isn't translated.

    python tools/translations.py            compile every messages.po that is newer than its .mo
    python tools/translations.py update     collect all texts and bring the .po files up to date
    python tools/translations.py check      say what is missing; exit code 1 if anything is

A text is an English sentence in a template (``{{ _('…') }}``, ``{% trans %}``) or in Python (``_("…")``,
``N_("…")``, or the sentence of one of the six errors, which pages and API translate). There is no catalogue for
English: the sentences are the English.
"""

import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "onprem_csms"
LOCALE = PACKAGE / "web" / "locale"
ERRORS = ("AppError", "Invalid", "NotFound", "Conflict", "Forbidden", "Unauthenticated", "PeerError")
KEYWORDS = DEFAULT_KEYWORDS | dict.fromkeys((*ERRORS, "N_"))
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.svg", "jinja2")]
OPTIONS = {pattern: {"extensions": "jinja2.ext.i18n", "silent": "false"} for pattern, _ in METHODS}
PLACE = re.compile(r"%\((\w+)\)[sd]|\{(\w*)[^}]*\}")
HEADER = "# Translations of onprem-csms. Collected by ./dev translate; write the msgstr lines by hand."


def po_files() -> list[Path]:
    """The committed catalogues, one for each language that isn't English."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/messages.po"))


def read(path: Path) -> Catalog:
    """One catalogue, with faults of its syntax raised."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name, abort_invalid=True)


def collect() -> Catalog:
    """Every text of the product as it is in the code now, in the order of the files."""
    found = Catalog(charset="utf-8")
    texts = extract_from_dir(PACKAGE, METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",))
    for name, _, message, comments, context in sorted(texts, key=lambda text: (text[0], text[1])):
        found.add(message, None, [(f"onprem_csms/{name}", 0)], auto_comments=comments, context=context)
    return found


def compile_all() -> None:
    """Writes the .mo beside each .po that changed since."""
    for source in po_files():
        target = source.with_suffix(".mo")
        if target.is_file() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with target.open("wb") as file:
            write_mo(file, read(source))


def update() -> None:
    """Brings each catalogue up to the code: new texts with an empty translation, gone ones dropped."""
    texts = collect()
    for path in po_files():
        catalogue = read(path)
        catalogue.update(texts, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        catalogue.header_comment = HEADER
        with path.open("wb") as file:
            write_po(file, catalogue, width=110, include_lineno=False, ignore_obsolete=True)


def forms(text: str | list[str] | tuple[str, ...]) -> list[str]:
    """The singular and plural forms of a text; one form of most."""
    return [text] if isinstance(text, str) else list(text)


def places(text: str) -> set[str]:
    """The names of the values that a sentence takes."""
    return {named or braced for named, braced in PLACE.findall(text)}


def faults_of(message: Message) -> list[str]:
    """What is wrong with one translation, as sentences."""
    translations = forms(message.string or "")
    if message.fuzzy or not all(translations):
        return ["is not translated"]
    # Hungarian has one form for both English ones, so a plural's places are those of all forms together.
    wanted = set().union(*(places(form) for form in forms(message.id)))
    used = set().union(*(places(form) for form in translations))
    return [] if used == wanted else [f"takes {sorted(wanted)}, its translation {sorted(used)}"]


def check() -> list[str]:
    """Everything that keeps a language from being whole, one sentence each; empty when all is well."""
    faults = []
    texts = collect()
    for path in po_files():
        language = path.parent.parent.name
        catalogue = read(path)
        for text in texts:
            if not text.id:
                continue
            translated = catalogue.get(text.id, text.context)
            where = f"{language}: {forms(text.id)[0]!r} ({text.locations[0][0]})"
            if translated is None:
                faults.append(f"{where} is not in the catalogue")
            else:
                faults += [f"{where} {fault}" for fault in faults_of(translated)]
    return faults


def main(arguments: list[str]) -> int:
    """Does what the first argument says; the exit code."""
    match arguments:
        case []:
            compile_all()
        case ["update"]:
            update()
            compile_all()
        case ["check"]:
            faults = check()
            print("\n".join(faults) or "Every text is translated.")
            return 1 if faults else 0
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
