"""Finds the line that Docker Compose means when it refuses a composition. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from products.composition.problems import Problem
from products.composition.text import Document, place_of

_PLACE = re.compile(
    r"\b(?:services|networks|volumes|configs|secrets|models|include)\b(?:\.[\w-]+|\[[\w.-]+\])[\w.\[\]-]*"
)
_SERVICE = re.compile(r'service "([^"]+)"|^"?([\w.-]+)"? depends on|cycle detected: ([\w.-]+)')
_NAMED = re.compile(r'undefined \w+ "?([^\s":]+)"?|service "([^"]+)" not found|file (\S+) not found|open ([^\s:]+):')
_EXTRA = re.compile(r"additional properties '([^']+)'")
_LINE = re.compile(r"\byaml: (?:line|.*? at line) (\d+)|line (\d+)")


def refusal(message: str, documents: Sequence[Document]) -> Problem:
    """Compose's own words as a problem, with their place and line where they can be told."""
    text = _sentence(message)
    for document, place in _candidates(message, documents):
        line = document.line_of(place)[1]
        if line is not None:
            return Problem(file=document.path, line=line, place=place, message=text)
    line_number = _LINE.search(message)
    line = int(line_number[1] or line_number[2]) if line_number else None
    return Problem(file=documents[0].path if documents else "compose.yaml", line=line, message=text)


def _sentence(message: str) -> str:
    reason = re.sub(r"^validating \S+:\s*|: l?stat .*|: invalid compose project$", "", message).rstrip(".")
    return _("Docker Compose refuses this: %(reason)s.") % {"reason": reason}


def _candidates(message: str, documents: Sequence[Document]) -> Iterator[tuple[Document, str]]:
    """Where it may be, the nearest first: the name in the service that is meant, any such name, the service."""
    names = [next(filter(None, found)) for found in _NAMED.findall(message)]
    services = [next(filter(None, found)) for found in _SERVICE.findall(message)]
    places = [re.sub(r"\[([A-Za-z][\w.-]*)\]", r".\1", found) for found in _PLACE.findall(message)]
    places = [place.replace(".[", "[") for place in places]
    for document in documents:
        for service in services:
            for place in _holding(document, names, ("services", service)):
                yield document, place
    extra = _EXTRA.search(message)
    if extra:
        places = [f"{place}.{extra[1]}" for place in places] or [extra[1]]
    for document in documents:
        for place in places:
            if document.line_of(place)[0]:
                yield document, place.rstrip(".")
        for place in _holding(document, names, ()):
            yield document, place
    for document in documents:
        for service in services:
            if isinstance(document.data, dict) and service in (document.data.get("services") or ()):
                yield document, f"services.{service}"


def _holding(document: Document, names: Sequence[str], below: tuple[str, ...]) -> Iterator[str]:
    """The places below a path whose text, or whose last key, is one of `names` or begins with it."""
    for path, value in document.scalars():
        if path[: len(below)] != below:
            continue
        for name in names:
            if _is_about(path, value, name):
                yield place_of(path)


def _is_about(path: tuple[str | int, ...], value: Any, name: str) -> bool:
    text = str(value).removeprefix("./")
    starts = text == name or text.startswith(f"{name}:") or name.endswith(f"/{text}") or text == f"service:{name}"
    return bool(text) and (starts or name in path[2:])
