"""The vocabulary: names that say nothing are banned from the code, old phrases from everything that people read."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROOMS = ("live", "billing", "monitoring", "infrastructure", "orders", "customers", "products", "core")
BANNED_NAMES = frozenset(
    {"told", "seen", "said", "words", "one", "some", "mine", "standing", "beside", "known", "past", "whole"}
)
BANNED_MODULES = frozenset({"words", "utils", "helpers", "common", "misc"})
MODULES_PER_FOLDER = 15
SAME_NAME = frozenset(
    {
        "Service",  # as an engine shows it, and the row that keeps it
        "Problem",  # in the files of a product, and at the monitoring backend
    }
)
PHRASES = (
    "needs a person",
    "need a person",
    "on their way",
    "on its way",
    "how much there is",
    "just happened",
    "is owed",
    "stays owed",
    "errand",
    "who watches",
    "whoever watches",
    "days of availability",
    "second factor",
    "catalogue reading",
    "in the order of arrival",
    "last said",
    "by the plan's own rule",
    "asked sandbox for",
    "answer as promised",
    "goes on.",
    "is looked at again",
    "not there yet",
    "we keep at it",
    "rehearsal",
    "rehearse",
    "show them",
    "we note that you looked",
    "end this order",
    "take the link back",
    "is told about",
    "gets invoices",
    "id there",
    "known to be harmless",
    "have been told",
    "thrown away",
    "rows of the machine",
    "unless told otherwise",
    "behind our back",
    "is only a rehearsal",
    "broken promise",
)


def modules(room: str) -> list[Path]:
    """The room's Python files."""
    return sorted((ROOT / room).rglob("*.py"))


def names_in(path: Path) -> Iterator[tuple[int, str]]:
    """Every name that the file gives to a function, class, variable, parameter or attribute."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def strings_in(path: Path) -> Iterator[tuple[int, str]]:
    """Every text of the file that may reach a person: all strings but docstrings."""
    tree = ast.parse(path.read_text())
    bodies = [
        node.body
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    docs = {id(line.value) for body in bodies for line in body if isinstance(line, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def phrases_in(text: str) -> list[str]:
    """The banned phrases that stand in `text`."""
    plain = " ".join(text.lower().split())
    return [phrase for phrase in PHRASES if re.search(rf"(?<!\w){re.escape(phrase)}", plain)]


@pytest.mark.parametrize("room", [*ROOMS, "tests"])
def test_no_name_in_the_code_is_on_the_ban_list(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in modules(room)
        if path.parent.name != "migrations"  # final once shipped
        for line, name in names_in(path)
        if name.strip("_").lower() in BANNED_NAMES
    ]
    assert found == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_is_called_by_what_it_holds(room: str) -> None:
    files = [path for path in modules(room) if path.stem in BANNED_MODULES | BANNED_NAMES]
    assert [str(path.relative_to(ROOT)) for path in files] == []


def test_no_two_classes_have_the_same_name() -> None:
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for path in (
        path for room in ROOMS for path in modules(room) if path.parent.name not in {"migrations", "commands"}
    ):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                rooms[node.name].add(str(path.relative_to(ROOT)))
    assert {name: files for name, files in rooms.items() if len(files) > 1 and name not in SAME_NAME} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_no_folder_has_more_than_fifteen_modules(room: str) -> None:
    folders = {path.parent for path in modules(room) if path.parent.name != "migrations"}
    counts = {folder: sum(1 for path in folder.glob("*.py") if path.name != "__init__.py") for folder in folders}
    assert {str(folder.relative_to(ROOT)): n for folder, n in counts.items() if n > MODULES_PER_FOLDER} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_no_string_in_the_code_has_an_old_phrase(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {phrase}"
        for path in modules(room)
        if path.parent.name != "migrations"
        for line, text in strings_in(path)
        if not re.fullmatch(r"[a-z0-9_.:/-]*", text)  # a dotted name or a slug, which nobody reads
        for phrase in phrases_in(text)
    ]
    assert found == []


def test_no_template_has_an_old_phrase() -> None:
    files = [path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")]
    found = [f"{path.relative_to(ROOT)}: {phrase}" for path in files for phrase in phrases_in(path.read_text())]
    assert found == []


def test_no_page_of_the_docs_has_an_old_phrase() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    found = [
        f"{page.relative_to(ROOT)}: {phrase}"
        for page in sorted(pages)
        for phrase in phrases_in(re.sub(r"`[^`\n]*`", "", page.read_text()))
    ]
    assert found == []
