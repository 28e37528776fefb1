"""YAML read strictly, so that what is judged is what Docker Compose will run; with the line of every value. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.utils.translation import gettext as _

from core.errors import Refusal
from core.text.plain_text import FORBIDDEN, is_plain_text

LONGEST = 256 * 1024
MOST_VALUES = 50_000
"""With every alias written out: a few lines of YAML can stand for billions of values."""
DEEPEST = 100
LONGEST_NUMBER = 100
NUMBER = "tag:yaml.org,2002:int"
MERGE = "tag:yaml.org,2002:merge"


class CompositionError(Refusal):
    """The compose file cannot be used; `problems` says why, one sentence each."""

    code = "bad_composition"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems), field="compose")
        self.problems = tuple(problems)


class YamlError(ValueError):
    """The text cannot be used as YAML; `line` is where it stops making sense, where that is known."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class StrictLoader(yaml.SafeLoader):
    """Plain YAML: no tags, and a key that is given twice is a mistake, as it is to Docker Compose."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise yaml.composer.ComposerError(
                None, None, f"tags such as “{event.tag}” are not allowed", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = set()
        for key, _value in node.value:
            name = str(key.value)
            if name in names:
                raise yaml.constructor.ConstructorError(None, None, f"“{name}” is given twice", key.start_mark)
            names.add(name)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its values, and where they are."""

    path: str
    data: Any
    node: yaml.Node | None = field(repr=False, default=None)

    def line_of(self, place: str) -> tuple[int, int | None]:
        """How much of a place such as `services.web.ports[0]` is in the file, and the line of the deepest part."""
        return _descend(self.node, place, 0, None)

    def scalars(self) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """Every value that is neither a list nor a mapping, with the keys and positions that lead to it."""
        if isinstance(self.data, Mapping):
            yield from _scalars(self.data, ())


def place_of(path: tuple[str | int, ...]) -> str:
    """The path as it would be written: `services.web.ports[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def read_document(path: str, text: str) -> Document:
    """The only document in `text`; raises YamlError with a sentence that says what is wrong."""
    if len(text) > LONGEST:
        raise YamlError(_("The file is larger than %(size)s kB.") % {"size": LONGEST // 1024})
    if (unfit := FORBIDDEN.search(text)) is not None:
        raise _unfit(text.count("\n", 0, unfit.start()) + 1)
    try:
        loader = StrictLoader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                _weigh(node)
            data = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _yaml_error(error) from error
    except YamlError:
        raise
    except (RecursionError, ValueError) as error:  # PyYAML lets impossible dates and bottomless lists through
        raise YamlError(_("This is not valid YAML: a value in it cannot be read.")) from error
    return Document(path, data, node)


def load_yaml(text: str) -> Any:
    """The value in `text`; raises ValueError with a sentence that says where it stumbles."""
    return read_document("", text).data


def check_services(data: Any) -> None:
    """Raises CompositionError unless the document has services, or includes files that may have some."""
    services = data.get("services") if isinstance(data, Mapping) else None
    if not services and isinstance(data, Mapping) and data.get("include"):
        return
    if not isinstance(services, Mapping) or not services:
        raise CompositionError([_("services: there are none.")])
    odd = [
        _("services.%(name)s: is not a service.") % {"name": name}
        for name, service in services.items()
        if not isinstance(service, Mapping) or not isinstance(name, str)
    ]
    if odd:
        raise CompositionError(odd)


def _yaml_error(error: yaml.YAMLError) -> YamlError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or _("it is not text")
    if mark is None:
        return YamlError(_("This is not valid YAML: %(problem)s.") % {"problem": problem})
    message = _("This is not valid YAML, line %(line)s: %(problem)s.")
    return YamlError(message % {"line": mark.line + 1, "problem": problem}, line=mark.line + 1)


def _unfit(line: int) -> YamlError:
    """A character as it stands in the file, or written as an escape such as `\\0`."""
    return YamlError(_("A text contains a control character or one that changes the direction of text."), line=line)


def _weigh(root: yaml.Node) -> None:
    """Raises YamlError when the document would be too large or endless with its aliases written out."""
    weights: dict[int, int] = {}
    open_nodes: set[int] = set()

    def weigh(node: yaml.Node, depth: int) -> int:
        line = node.start_mark.line + 1
        if id(node) in weights:
            return weights[id(node)]
        if id(node) in open_nodes:
            raise YamlError(_("This is not valid YAML: an alias stands for itself."), line=line)
        if depth > DEEPEST:
            raise YamlError(_("The file is nested more than %(depth)s deep.") % {"depth": DEEPEST}, line=line)
        if node.tag == NUMBER and len(node.value) > LONGEST_NUMBER:
            raise YamlError(_("This is not valid YAML: a number is too long; put it in quotes."), line=line)
        if isinstance(node, yaml.ScalarNode) and not is_plain_text(node.value):
            raise _unfit(line)
        open_nodes.add(id(node))
        children = [child for pair in node.value for child in pair] if isinstance(node, yaml.MappingNode) else []
        children = node.value if isinstance(node, yaml.SequenceNode) else children
        weight = 1 + sum(weigh(child, depth + 1) for child in children)
        open_nodes.discard(id(node))
        if weight > MOST_VALUES:
            message = _("The file holds more than %(count)s values once its aliases are written out.")
            raise YamlError(message % {"count": MOST_VALUES}, line=line)
        weights[id(node)] = weight
        return weight

    weigh(root, 0)


def _descend(node: yaml.Node | None, place: str, depth: int, line: int | None) -> tuple[int, int | None]:
    """`depth` counts the characters of the place that were found so far."""
    best = (depth, line)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            if key.tag == MERGE:
                merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
                found = max((_descend(each, place, depth, line) for each in merged), key=lambda pair: pair[0])
                best = max(best, found, key=lambda pair: pair[0])
            elif place == name or (place.startswith(name) and place[len(name)] in ".["):
                rest = place[len(name) :].removeprefix(".")
                found = _descend(value, rest, depth + len(name), key.start_mark.line + 1)
                best = max(best, found, key=lambda pair: pair[0])
    elif isinstance(node, yaml.SequenceNode) and place.startswith("["):
        number, _bracket, rest = place[1:].partition("]")
        if number.isdigit() and int(number) < len(node.value):
            child = node.value[int(number)]
            return _descend(child, rest.removeprefix("."), depth + len(number) + 2, child.start_mark.line + 1)
    return best


def _scalars(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _scalars(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _scalars(inner, (*path, number))
    else:
        yield path, value
