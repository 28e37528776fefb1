"""The files that Docker Compose reads of a product: compose.yaml and what it extends, includes or takes settings from.

Compose reads them on this machine, so all of them have to be the product's own, whoever is trusted. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from products.composition.problems import Problem
from products.composition.safe_list.rules import is_relative_path, outside
from products.composition.text import Document, YamlError, place_of, read_document

COMPOSE = "compose.yaml"
MOST_FILES = 50
Path = tuple[str | int, ...]


@dataclass(slots=True)
class Sources:
    """What was found, and what is wrong with it."""

    documents: list[Document] = field(default_factory=list)
    """compose.yaml first."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What Compose has to find to read the composition."""
    problems: list[Problem] = field(default_factory=list)


def read_sources(files: Mapping[str, bytes]) -> Sources:
    """compose.yaml and every local file that it leads to."""
    sources = Sources()
    waiting = [COMPOSE]
    while waiting:
        path = waiting.pop(0)
        if path in sources.files or path not in files:
            continue
        if len(sources.documents) == MOST_FILES:
            message = _("The composition has more than %(count)s compose files.") % {"count": MOST_FILES}
            sources.problems.append(Problem(file=path, message=message))
            break
        sources.files[path] = files[path]
        document = _read(path, files[path], sources)
        if document is not None:
            sources.documents.append(document)
            waiting += _follow(document, files, sources)
    return sources


def _read(path: str, content: bytes, sources: Sources) -> Document | None:
    try:
        return read_document(path, content.decode("utf-8"))
    except UnicodeDecodeError:
        sources.problems.append(Problem(file=path, message=_("The file is not text in UTF-8.")))
    except YamlError as error:
        sources.problems.append(Problem(file=path, line=error.line, message=str(error)))
    return None


def _follow(document: Document, files: Mapping[str, bytes], sources: Sources) -> list[str]:
    """The compose files that the document leads to; files with settings are taken along, and bad paths noted."""
    folder = PurePosixPath(document.path).parent
    found: list[str] = []
    for path, value, is_compose in _references(document.data):
        name = str(value)
        joined = str(folder / name)
        if not is_relative_path(name):
            place = place_of(path)
            line = document.line_of(place)[1]
            sources.problems.append(Problem(file=document.path, line=line, place=place, message=outside(name)))
        elif is_compose:
            found.append(joined)
        else:
            # Compose reads an included file's paths from the folder that `include` names, if it names one.
            plain = str(PurePosixPath(name))
            sources.files.update((path, files[path]) for path in (joined, plain) if path in files)
    # An included folder's own .env fills variables, here as at a launch.
    for name in {str(PurePosixPath(path).parent / ".env") for path in found} & files.keys():
        sources.files[name] = files[name]
    return found


def _references(data: Any) -> Iterator[tuple[Path, Any, bool]]:
    """Each path that Compose would read, with its place and whether a compose file is there."""
    if not isinstance(data, Mapping):
        return
    for number, item in enumerate(_items(data.get("include"))):
        yield from _includes(("include", number), item)
    services = data.get("services")
    for name, service in services.items() if isinstance(services, Mapping) else ():
        if not isinstance(service, Mapping):
            continue
        path: Path = ("services", str(name))
        extends = service.get("extends")
        if isinstance(extends, Mapping) and extends.get("file") is not None:
            yield (*path, "extends", "file"), extends["file"], True
        for key in ("env_file", "label_file"):
            for number, item in enumerate(_items(service.get(key))):
                value = item.get("path", "") if isinstance(item, Mapping) else item
                yield (*path, key, number), value, False


def _includes(path: Path, item: Any) -> Iterator[tuple[Path, Any, bool]]:
    if not isinstance(item, Mapping):
        yield path, item, True
        return
    for inner in _items(item.get("path")):
        yield (*path, "path"), inner, True
    for inner in _items(item.get("env_file")):
        yield (*path, "env_file"), inner, False
    if item.get("project_directory") is not None:
        yield (*path, "project_directory"), item["project_directory"], False


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
