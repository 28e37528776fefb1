"""Everything that is wrong with one state of a product, found at once, with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from products.adapters.bundle import MANIFEST, unpack
from products.adapters.compose.config import ComposeConfig
from products.adapters.folder.catalogue import read_product
from products.composition.inspection import Inspection
from products.composition.problems import Problem
from products.composition.sources import COMPOSE
from products.composition.text import Document, YamlError, read_document
from products.contracts import ComposeReader, DamagedSource, ProductSource
from products.manifest import ManifestError, clean_manifest, usable_parts
from products.pictures.icon import BadIcon, Icon, is_icon_file, read_icon
from products.pictures.outline import outline_of

_PLACED = re.compile(r"([\w-]+(?:\[\d+\]|\.[\w-]+)*): (.+)", re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSource:
    """What a check found; with errors, `manifest`, `icon` and `outline` are empty."""

    manifest: Mapping[str, Any]
    icon: Icon | None = None
    outline: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def check_source(
    source: ProductSource | DamagedSource, *, is_trusted: bool = False, reader: ComposeReader | None = None
) -> CheckedSource:
    """The clean manifest, or all that is wrong with the manifest, the composition and how they fit."""
    if isinstance(source, DamagedSource):
        return CheckedSource(manifest={}, errors=(Problem(file="", message=source.problem),))
    files = {**unpack(source.bundle), MANIFEST: source.manifest_text.encode(), COMPOSE: source.compose_text.encode()}
    document, problems = _read_manifest(source.manifest_text)
    parts = usable_parts(document.data) if document else {}
    inspection = Inspection(files=files, manifest=parts, reader=reader or ComposeConfig(), is_trusted=is_trusted)
    found = inspection.run()
    manifest: dict[str, Any] = {}
    icon: Icon | None = None
    if document is not None:
        try:
            manifest = clean_manifest(source.manifest_text, services=_services_of(inspection))
        except ManifestError as error:
            problems += list(_placed(error, document))
        try:
            icon = _icon_of(document.data, files)
        except BadIcon as error:
            problems.append(Problem(file=MANIFEST, place="icon", message=str(error)))
    problems = [_with_line(problem, document) for problem in (*problems, *found)]
    errors = _once(problem for problem in problems if not problem.is_warning)
    warnings = tuple(problem for problem in problems if problem.is_warning)
    if errors:
        return CheckedSource(manifest={}, errors=errors, warnings=warnings)
    outline = outline_of(inspection.model.model, inspection.model.root) if inspection.model else {}
    return CheckedSource(manifest=manifest, icon=icon, outline=outline, warnings=warnings)


def _icon_of(manifest: Any, files: Mapping[str, bytes]) -> Icon | None:
    """The picture that the manifest names; None where it names a symbol, or what the schema refuses."""
    name = manifest.get("icon") if isinstance(manifest, Mapping) else None
    if not isinstance(name, str) or not is_icon_file(name):
        return None
    if name not in files:
        raise BadIcon(_("“%(path)s” is not in the product's folder.") % {"path": name})
    return read_icon(name, files[name])


def check_folder(path: Path, *, is_trusted: bool = False) -> dict[Path, CheckedSource]:
    """What is wrong with each product below `path`: one product's folder, or a catalogue; empty when it has none."""
    folders = [path] if _is_product(path) else []
    for parent in (path / "products", path):
        if not folders and parent.is_dir():
            folders = sorted(child for child in parent.iterdir() if child.is_dir() and child.name[0] not in "._")
            folders = [child for child in folders if parent.name == "products" or _is_product(child)]
    return {folder: check_source(_source_in(folder), is_trusted=is_trusted) for folder in folders}


def _source_in(folder: Path) -> ProductSource | DamagedSource:
    """The folder's name is the product's only within a catalogue: a checkout may be called anything."""
    resolved = folder.resolve()
    return read_product(resolved, slug=resolved.name if resolved.parent.name == "products" else "product")


def _is_product(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (MANIFEST, COMPOSE))


def _read_manifest(text: str) -> tuple[Document | None, list[Problem]]:
    try:
        return read_document(MANIFEST, text), []
    except YamlError as error:
        return None, [Problem(file=MANIFEST, line=error.line, message=str(error))]


def _services_of(inspection: Inspection) -> list[str] | None:
    """The names that endpoints may point at; None where compose.yaml alone does not tell."""
    for document in inspection.sources.documents:
        if document.path == COMPOSE and isinstance(document.data, Mapping) and not document.data.get("include"):
            services = document.data.get("services")
            return [str(name) for name in services] if isinstance(services, Mapping) else None
    return None


def _placed(error: ManifestError, document: Document) -> Iterator[Problem]:
    """The sentences of a bad manifest, with the place that each begins with taken apart."""
    for problem in error.problems:
        text = problem.removeprefix(f"{MANIFEST}: ")
        found = _PLACED.fullmatch(text)
        place, message = (found[1], found[2]) if found else ("", text)
        yield Problem(file=MANIFEST, place=place, message=message, line=document.line_of(place)[1])


def _with_line(problem: Problem, document: Document | None) -> Problem:
    if problem.file != MANIFEST or document is None:
        return problem
    line = document.line_of(problem.place)[1]
    return Problem(file=MANIFEST, place=problem.place, message=problem.message, line=line)


def _once(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    """One sentence for each place of a file: the manifest's own and the composition's may be about the same."""
    kept: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        kept.setdefault((problem.file, problem.place or problem.message), problem)
    return tuple(sorted(kept.values(), key=lambda problem: (problem.file, problem.line or 0)))
