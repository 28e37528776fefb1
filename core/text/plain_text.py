"""The one rule for text from outside: it can be stored in PostgreSQL, shown on a page, and put into XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

# What XML 1.0 forbids (https://www.w3.org/TR/xml/#charsets), and the control characters that it only discourages.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def is_plain_text(text: str) -> bool:
    """True when `text` holds no control character, no NUL and no half of a surrogate pair."""
    return FORBIDDEN.search(text) is None


def plain_text_message() -> str:
    """What to tell someone whose text breaks the rule."""
    return _("Remove the control characters from this text.")


def unfit_paths(value: Any, path: str = "") -> Iterator[str]:
    """Where in a JSON value texts or keys break the rule, as dotted names."""
    if isinstance(value, str):
        if not is_plain_text(value):
            yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not is_plain_text(str(key)):
                yield path
            else:
                yield from unfit_paths(inner, f"{path}.{key}".strip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from unfit_paths(inner, path)
