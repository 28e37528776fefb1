"""Texts that were stored in English, such as the timeline's, in the reader's language."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from django.utils.translation import get_language, gettext

from live.translations.catalogue import CatalogueFiles, compiled_texts

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
SHORTEST = 8  # letters of its own that a text needs to be recognised with values in it


def in_readers_language(text: str) -> str:
    """The text as its catalogue has it, values in place; unchanged where it is not one of ours."""
    language = (get_language() or "en").split("-")[0]
    return text if language == "en" or not text else _translated(language, text)


@functools.lru_cache(maxsize=4096)
def _translated(language: str, text: str) -> str:
    if (found := _found(language, text)) is not None:
        return found
    first, dot, rest = text.partition(". ")  # a fixed sentence, then a reason that a person typed
    translated = _found(language, f"{first}.") if dot else None
    return text if translated is None else f"{translated} {rest}"


def _found(language: str, text: str) -> str | None:
    if (translated := gettext(text)) != text:
        return translated
    for pattern, translation in _patterns(language):
        if match := pattern.fullmatch(text):
            return translation % match.groupdict()
    return None


@functools.cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The texts with placeholders as patterns, the most telling first."""
    if not CatalogueFiles(language=language).compiled.exists():
        return ()
    pairs: dict[str, str] = {}
    for key, string in compiled_texts(language).items():
        pairs |= _forms(key[0], string)
    telling = sorted(pairs.items(), key=lambda pair: -len(_own_letters(pair[0])))
    return tuple((_pattern(text), string) for text, string in telling if len(_own_letters(text)) >= SHORTEST)


def _forms(text: str | tuple[str, ...], string: str | tuple[str, ...]) -> Mapping[str, str]:
    originals = (text,) if isinstance(text, str) else text
    translations = (string,) if isinstance(string, str) else string
    forms = zip(originals, translations, strict=False)  # a language may have more plural forms than English
    # Values are read back as text, numbers too.
    return {form: PLACEHOLDER.sub(r"%(\1)s", translated) for form, translated in forms if PLACEHOLDER.search(form)}


def _own_letters(text: str) -> str:
    return PLACEHOLDER.sub("", text)


def _pattern(text: str) -> re.Pattern[str]:
    """A placeholder that comes twice has to hold the same both times."""
    parts, position, names = [], 0, set()
    for match in PLACEHOLDER.finditer(text):
        parts.append(re.escape(text[position : match.start()].replace("%%", "%")))
        name = match[1]
        parts.append(f"(?P={name})" if name in names else f"(?P<{name}>.+?)")
        names.add(name)
        position = match.end()
    parts.append(re.escape(text[position:].replace("%%", "%")))
    return re.compile("".join(parts), re.DOTALL)
