"""Texts that exist in several languages: the reader's where there is one, else what was written first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language


def in_reader_language(translations: Mapping[str, Any]) -> Any:
    """What `translations` holds for the active language (`nl` for `nl-be` too), or nothing."""
    language = (get_language() or "").lower()
    return translations.get(language) or translations.get(language.partition("-")[0]) or {}
