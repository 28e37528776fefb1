"""The one rule for text from outside: it can be stored in PostgreSQL, shown on a page, and put into XML.

What people send us is refused by it; what other systems answer is cleaned by it, because nobody is there to correct it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

# What XML 1.0 forbids (https://www.w3.org/TR/xml/#charsets), the control characters that it only discourages, and
# those that change the direction of the text around them (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing).
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
TERMINAL_CODE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
LONGEST_MESSAGE = 4_000
"""Characters of an outside system's message that are kept."""
LONGEST_VALUE = 100_000


def is_plain_text(text: str) -> bool:
    """True when `text` holds no control character, no NUL, no change of direction and no half of a surrogate pair."""
    return FORBIDDEN.search(text) is None


def clean_text(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """`text` without what the rule forbids and without a terminal's colours; what is too long ends in “…”."""
    if not is_plain_text(text):
        # Halves that belong together are a letter; the others cannot be encoded.
        complete = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = FORBIDDEN.sub("", TERMINAL_CODE.sub("", complete))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def clean_value(value: Any) -> Any:
    """A JSON value of an outside system with each of its texts and keys cleaned."""
    if isinstance(value, str):
        return clean_text(value, LONGEST_VALUE)
    if isinstance(value, Mapping):
        return {clean_text(str(key), LONGEST_VALUE): clean_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean_value(inner) for inner in value]
    return value


def clean_fields(instance: object, **longest: int) -> None:
    """The texts of a frozen dataclass are cleaned and no longer than given; for its `__post_init__`."""
    for name, limit in longest.items():
        object.__setattr__(instance, name, clean_text(getattr(instance, name), limit))


def read_json(body: bytes | bytearray | str) -> Any:
    """The JSON value that another system sent, cleaned; raises ValueError for whatever is not JSON."""
    try:
        return clean_value(json.loads(body, parse_constant=_refuse_constant))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


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
