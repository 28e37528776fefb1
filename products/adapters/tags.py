"""Which tags of a config-repo are versions: `v1.2` of every product, `<slug>/v1.2` of one. Pure."""

from __future__ import annotations

import re

_TAG = re.compile(r"(?:(?P<slug>[a-z0-9][a-z0-9-]*)/)?(?P<version>v\d[\w.+-]*)")


def version_of(tag: str) -> tuple[str, str] | None:
    """(slug or nothing, version); None for any other tag."""
    found = _TAG.fullmatch(tag)
    return (found["slug"] or "", found["version"]) if found else None


def natural_key(tag: str) -> list[tuple[int, str]]:
    """Sorts tags by the numbers in them: `v9` before `v10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", tag)]
