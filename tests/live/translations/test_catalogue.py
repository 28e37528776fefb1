"""Every text that customers read is there in every language."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.core.management import CommandError, call_command

from live.translations.catalogue import (
    CatalogueFiles,
    compiled_texts,
    is_translated,
    missing_translations,
    read_catalogue,
    update_catalogue,
)
from live.translations.sources import customer_texts

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
TAG = re.compile(r"</?\w+>")


def forms(text: object) -> list[str]:
    return [text] if isinstance(text, str) else list(text)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_untranslated(language: str) -> None:
    assert missing_translations(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_and_tags_are_the_same_in_every_form(language: str) -> None:
    for message in read_catalogue(language):
        if not message.id or not is_translated(message.string):
            continue
        wanted = {value for form in forms(message.id) for value in PLACEHOLDER.findall(form)}
        for form in forms(message.string):
            assert set(PLACEHOLDER.findall(form)) <= wanted, form
            assert TAG.findall(form) == TAG.findall(forms(message.id)[0]), form
        assert set(PLACEHOLDER.findall(forms(message.string)[-1])) == set(PLACEHOLDER.findall(forms(message.id)[-1]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_django_reads_is_what_the_file_says(language: str) -> None:
    compiled = compiled_texts(language)
    for message in read_catalogue(language):
        if message.id:
            key = message.id if isinstance(message.id, str) else tuple(message.id)
            stored = compiled[key, message.context]
            assert forms(stored) == forms(message.string), message.id


def test_texts_of_templates_of_code_and_of_choices_are_found() -> None:
    texts = {message.id if isinstance(message.id, str) else message.id[0] for message in customer_texts() if message.id}
    assert {"Where to connect", "Order placed.", "A server of its own", "Dear %(name)s,"} <= texts
    assert "VAT breakdown" not in texts  # the name of a field, for staff


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    """A place for a catalogue that knows one text, and one that is no longer used."""
    settings.LOCALE_PATHS = [tmp_path]
    files = CatalogueFiles(language="nl")
    files.text.parent.mkdir(parents=True)
    files.text.write_text('msgid "Orders"\nmsgstr "Bestellingen"\n\nmsgid "No longer said"\nmsgstr "Weg"\n')
    return tmp_path


def test_an_update_keeps_translations_adds_texts_and_drops_old_ones(folder: Path) -> None:
    catalogue = update_catalogue("nl")
    assert catalogue.get("Orders").string == "Bestellingen"  # type: ignore[union-attr]
    assert catalogue.get("Invoices").string == ""  # type: ignore[union-attr]
    assert catalogue.get("No longer said") is None
    first = CatalogueFiles(language="nl").text.read_text()
    update_catalogue("nl")
    assert CatalogueFiles(language="nl").text.read_text() == first
    assert compiled_texts("nl")["Orders", None] == "Bestellingen"


def test_the_command_names_what_is_missing(folder: Path) -> None:
    with pytest.raises(CommandError, match="nl: Invoices"):
        call_command("translations", stdout=StringIO())
