"""Reads a `.env` file as Docker Compose does. Pure."""

from __future__ import annotations

import re

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:](.*)")
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t", '\\"': '"', "\\\\": "\\"}


def parse_env(text: str) -> dict[str, str]:
    """Each variable's value as a compose file would hold it: `${…}` stays, a literal dollar is doubled."""
    values: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").splitlines():
        found = _LINE.fullmatch(line)
        if found and not line.lstrip().startswith("#"):
            values[found[1]] = _value(found[2].strip())
    return values


def _value(raw: str) -> str:
    if raw.startswith("'"):
        return raw[1:].partition("'")[0].replace("$", "$$")
    if raw.startswith('"'):
        inner = re.match(r'"((?:[^"\\]|\\.)*)', raw)
        return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), inner[1] if inner else raw[1:])
    return re.split(r"\s+#", raw, maxsplit=1)[0].strip()
