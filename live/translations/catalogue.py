"""One language's catalogue: brought in line with the texts, read, and compiled for Django."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings

from live.translations.sources import customer_texts

HEADER = """# What customers read. `manage.py translations` brings this file up to date and compiles it.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: {language}\\n"
"Plural-Forms: nplurals={number}; plural={rule};\\n"

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFiles:
    """The files of one language."""

    language: str

    @property
    def text(self) -> Path:
        """The file that people edit."""
        return self._folder / "django.po"

    @property
    def compiled(self) -> Path:
        """The file that Django reads."""
        return self._folder / "django.mo"

    @property
    def _folder(self) -> Path:
        return Path(settings.LOCALE_PATHS[0]) / self.language / "LC_MESSAGES"


def read_catalogue(language: str) -> Catalog:
    """The translations as they are in the file."""
    with CatalogueFiles(language=language).text.open("rb") as file:
        return read_po(file, locale=language)


def update_catalogue(language: str) -> Catalog:
    """The file holds every text of today with its translation, if it has any; what is no longer used is dropped."""
    files, before = CatalogueFiles(language=language), read_catalogue(language)
    catalogue = Catalog(locale=language, charset="utf-8", fuzzy=False)
    for message in customer_texts():
        if message.id:
            kept = before.get(message.id, message.context)
            is_plural = isinstance(message.id, tuple)
            text = kept.string if kept is not None and not kept.fuzzy else (("",) * 2 if is_plural else "")
            catalogue.add(message.id, text, context=message.context)
    with files.text.open("wb") as file:
        header = HEADER.format(language=language, number=catalogue.num_plurals, rule=catalogue.plural_expr)
        file.write(header.encode())
        write_po(file, catalogue, width=120, sort_output=True, no_location=True, omit_header=True)
    with files.compiled.open("wb") as file:
        write_mo(file, catalogue)
    return catalogue


def missing_translations(language: str) -> list[str]:
    """The texts that customers of that language would read in English, or with placeholders that do not match."""
    catalogue = read_catalogue(language)
    missing = []
    for message in customer_texts():
        if not message.id:
            continue
        translated = catalogue.get(message.id, message.context)
        if translated is None or translated.fuzzy or not translated.string or not is_translated(translated.string):
            missing.append(str(message.id))
    return missing


def is_translated(text: str | tuple[str, ...] | list[str]) -> bool:
    """True when no form of it is empty."""
    return bool(text) if isinstance(text, str) else bool(text) and all(text)


Forms = str | tuple[str, ...]


def compiled_texts(language: str) -> dict[tuple[Forms, str | None], Forms]:
    """What Django reads, by text and context."""
    with CatalogueFiles(language=language).compiled.open("rb") as file:
        messages = [message for message in read_mo(file) if message.id]
    return {(_forms(message.id), _context(message.context)): _forms(message.string) for message in messages}


def _context(context: str | bytes | None) -> str | None:
    """The context as text: `read_mo` leaves it as it is in the file."""
    return context.decode() if isinstance(context, bytes) else context


def _forms(text: Any) -> Forms:
    return text if isinstance(text, str) else tuple(text)
