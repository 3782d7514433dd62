"""Every text that a person can read is there in every language."""

from pathlib import Path

import pytest
from babel.messages.catalog import Message

from tools import translations


def test_every_text_is_translated() -> None:
    assert translations.check() == []


def test_hungarian_is_one_of_the_languages() -> None:
    assert "hu" in {path.parent.parent.name for path in translations.po_files()}


def test_a_translation_has_the_places_of_its_text() -> None:
    assert translations.faults_of(Message("{n} of {m}", "{m}-ból {n}")) == []
    assert translations.faults_of(Message("{n} of {m}", "{m}-ból")) != []
    assert translations.faults_of(Message("%(n)s cards", "%(n)s kártya")) == []
    assert translations.faults_of(Message("%(n)s cards", "{n} kártya")) == []
    assert translations.faults_of(Message("One thing.", "")) != []


def test_texts_are_collected_from_errors_templates_and_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.py").write_text(
        'raise Invalid("From an error.", path="x")\nLABEL = N_("From a table.")\n'
    )
    (tmp_path / "two.html").write_text("{{ _('From a page.') }}{% trans %}From a block.{% endtrans %}")
    monkeypatch.setattr(translations, "PACKAGE", tmp_path)
    found = {message.id for message in translations.collect()}
    assert {"From an error.", "From a table.", "From a page.", "From a block."} <= found
