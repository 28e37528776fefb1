"""The compose file that is adopted: read as Compose reads it, written without aliases. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from products.composition.text import StrictLoader, read_document

Path = tuple[str | int, ...]


class _ComposeLoader(StrictLoader):
    """YAML 1.2 as Compose reads it: `yes`, `22:22` and dates are text."""


_ComposeLoader.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:timestamp")
    ]
    for letter, resolvers in StrictLoader.yaml_implicit_resolvers.items()
}
_ComposeLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_ComposeLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))


class _Dumper(yaml.SafeDumper):
    """Writes repeated values in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass(slots=True)
class Notes:
    """What was changed, and what is left for a person."""

    changes: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)

    def change(self, message: str) -> None:
        """Note a change once."""
        if message not in self.changes:
            self.changes.append(message)

    def task(self, message: str) -> None:
        """Note once what a person has to do."""
        if message not in self.to_do:
            self.to_do.append(message)


def load_compose(text: str) -> dict[str, Any]:
    """The compose file's values, merge keys resolved; raises ValueError with a sentence."""
    read_document("compose.yaml", text)
    data = yaml.load(text, Loader=_ComposeLoader)  # noqa: S506  (a safe loader)
    services = data.get("services") if isinstance(data, dict) else None
    if not isinstance(services, dict) or not services:
        raise ValueError("The file has no services, so it is not a compose file.")
    if not all(isinstance(service, dict) for service in services.values()):
        raise ValueError("A service in the file is not a mapping of settings.")
    rest = {str(key): value for key, value in data.items() if key != "services" and not str(key).startswith("x-")}
    return {"services": services, **rest}


def dump_yaml(data: Any) -> str:
    """The YAML text of `data`, in its order."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def rewrite(value: Any, change: Callable[[Path, str], str], path: Path = ()) -> Any:
    """`value` with every text in it replaced by what `change` makes of it."""
    if isinstance(value, dict):
        return {key: rewrite(inner, change, (*path, str(key))) for key, inner in value.items()}
    if isinstance(value, list):
        return [rewrite(inner, change, (*path, number)) for number, inner in enumerate(value)]
    return change(path, value) if isinstance(value, str) else value


def as_list(value: Any) -> list[Any]:
    """`value` as a list: Compose takes a single value for a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_mapping(value: Any) -> dict[str, Any]:
    """Pairs that Compose takes as a list of `name=value` or as a mapping; a name without a value gives None."""
    if isinstance(value, dict):
        return {str(name): inner for name, inner in value.items()}
    pairs = [str(item).partition("=") for item in as_list(value)]
    return {name: inner if equals else None for name, equals, inner in pairs}
