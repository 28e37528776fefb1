"""A release's compose file as text: read strictly, so that what is judged is what Docker Compose will run. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import yaml
from django.utils.translation import gettext as _

from core.errors import Refusal

LONGEST = 512 * 1024


class CompositionError(Refusal):
    """The compose file cannot be used; `problems` says why, one sentence each."""

    code = "bad_composition"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems), field="compose")
        self.problems = tuple(problems)


class StrictLoader(yaml.SafeLoader):
    """Plain YAML in which a key that is given twice is a mistake, as it is to Docker Compose."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"“{name}” is given twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> Any:
    """The document in `text`; raises ValueError with a sentence that says where it stumbles."""
    if len(text) > LONGEST:
        raise ValueError(_("The file is larger than %(size)s kB.") % {"size": LONGEST // 1024})
    try:
        return yaml.load(text, Loader=StrictLoader)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or _("it is not text")
        if mark is None:
            raise ValueError(_("This is not valid YAML: %(problem)s.") % {"problem": problem}) from error
        words = _("This is not valid YAML, line %(line)s: %(problem)s.")
        raise ValueError(words % {"line": mark.line + 1, "problem": problem}) from error
    except (RecursionError, ValueError) as error:  # PyYAML lets impossible dates and bottomless lists through
        raise ValueError(_("This is not valid YAML: a value in it cannot be read.")) from error


def read_composition(text: str) -> dict[str, Any]:
    """The compose file as a mapping with at least one service; raises CompositionError."""
    try:
        document = load_yaml(text)
    except ValueError as error:
        raise CompositionError([f"compose.yaml: {error}"]) from error
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, Mapping) or not services:
        raise CompositionError([_("compose.yaml: services: there are none.")])
    odd = [
        _("compose.yaml: services.%(name)s: is not a service.") % {"name": name}
        for name, service in services.items()
        if not isinstance(service, Mapping) or not isinstance(name, str)
    ]
    if odd:
        raise CompositionError(odd)
    return dict(document)
