"""Building blocks of the safe list: rules that look at one value of Compose's model and yield what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

Model = Mapping[str, Any]
Finding = tuple[str, str]
"""A path below the value that was looked at (empty for the value itself), and a sentence."""

RESERVED_LABELS = ("live.", "com.docker.compose.")
REPOSITORY = re.compile(r"^github\.com/|\.git(#|$)")
"""What Compose takes for a repository although it has no scheme."""
PLATFORM_IMAGE = re.compile(r"(?:(?:index\.)?docker\.io/)?(?:library/)?live-[a-z0-9_-]+(:|@|$)", re.I)
"""How images are called that are built for orders: `live-<order>-<service>`, of no registry."""
IMAGE_ID = re.compile(r"(sha256:)?[0-9a-f]{64}", re.I)
PLATFORM_HOST = re.compile(r"^live-[a-z0-9_-]+\.build[=:]", re.I)
NO_DEVICES = gettext_noop("devices of the host cannot be used.")
NO_NAMESPACE = gettext_noop("“%(value)s” would share what belongs to the host or to another container.")
NO_NAME = gettext_noop("a fixed name can be given to one container only, not to one of every order; leave it out.")
NO_PRIVILEGE = gettext_noop("a privileged container controls the whole server.")
NO_SOCKET = gettext_noop("the Docker socket would give the container control of the whole server.")
NO_STRANGERS = gettext_noop("containers outside the composition cannot be used.")
NO_ADDRESS = gettext_noop("a fixed address can be used by one order only; leave it out and use the service's name.")

NO_VALUE: tuple[object, ...] = (None, False, "", [], {}, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What rules have to know of the composition around the value."""

    project: str = ""
    """The project's name: resources that the composition does not name are called `<project>_<key>`."""
    root: str = ""
    """The product's folder as it is written in the model; empty when the model's paths are relative."""
    services: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()


Rule = Callable[[Any, Context], Iterator[Finding]]


def under(path: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings with `path` in front of theirs."""
    for inner, message in findings:
        yield (f"{path}.{inner}" if inner and inner[0] != "[" else f"{path}{inner}"), message


def unknown(key: object) -> str:
    """The sentence about a key that no rule knows."""
    return _("“%(key)s” is not allowed: it is not on the list of safe settings (docs/catalogue.md).") % {"key": key}


def mapping_of(rules: Mapping[str, Rule]) -> Rule:
    """A mapping in which each key has its rule; keys without one are refused, but for `x-` extensions."""

    def rule(value: Any, context: Context) -> Iterator[Finding]:
        if value is None:
            return
        if not isinstance(value, Mapping):
            yield "", _("this has to be a mapping.")
            return
        for key, inner in value.items():
            name = str(key)
            if name in rules:
                yield from under(name, rules[name](inner, context))
            elif not name.startswith("x-"):
                yield name, unknown(name)

    return rule


def each(rule: Rule) -> Rule:
    """The rule holds for each member of a list or a mapping of names."""

    def members(value: Any, context: Context) -> Iterator[Finding]:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from under(str(name), rule(inner, context))
        elif value is not None:
            for number, inner in enumerate(value if isinstance(value, list) else [value]):
                yield from under(f"[{number}]", rule(inner, context))

    return members


def anything(value: Any, context: Context) -> Iterator[Finding]:
    """Harmless whatever it is."""
    yield from ()


def never(message: str) -> Rule:
    """Nothing but an empty or false value passes."""

    def rule(value: Any, context: Context) -> Iterator[Finding]:
        if value not in NO_VALUE:
            yield "", _(message)

    return rule


def only(*allowed: Any, message: str, services: bool = False) -> Rule:
    """One of `allowed` passes, and another service of the composition where `services` says so."""

    def rule(value: Any, context: Context) -> Iterator[Finding]:
        is_service = services and str(value).removeprefix("service:") in context.services
        if value not in (None, "") and value not in allowed and not (is_service and str(value).startswith("service:")):
            yield "", _(message) % {"value": value}

    return rule


def labels(value: Any, context: Context) -> Iterator[Finding]:
    """No label has a name that the platform or Compose uses itself."""
    items = value if isinstance(value, list) else ([] if value is None else [value])
    names = value if isinstance(value, Mapping) else [str(item).partition("=")[0] for item in items]
    for name in names:
        if str(name).strip().lower().startswith(RESERVED_LABELS):
            yield str(name), _("labels that begin with “live.” or “com.docker.compose.” are reserved for the platform.")


def own_name(value: Any, context: Context) -> Iterator[Finding]:
    """Only Compose's own name passes: any other could be another order's."""
    if value and not (context.project and str(value).startswith(f"{context.project}_")):
        yield "", _("a fixed name could belong to another order; leave it out.")


def inside(value: Any, context: Context) -> Iterator[Finding]:
    """A path of the product's folder, below it or the folder itself."""
    if not is_inside(value, context):
        yield "", outside(value)


def is_inside(path: Any, context: Context) -> bool:
    """True of a path that stays in the product's folder."""
    text = str(path)
    if context.root and (text == context.root or text.startswith(f"{context.root}/")):
        text = f".{text[len(context.root) :]}"
    elif context.root:
        return False
    return is_relative_path(text)


def is_relative_path(text: str) -> bool:
    """True of a plain path that leads down from where it begins, and of nothing that Compose reads as an address."""
    if not text or any(sign in text for sign in ("$", "~", "\\", ":", "@", "\0")) or REPOSITORY.search(text):
        return False
    path = PurePosixPath(text)
    return not path.is_absolute() and ".." not in path.parts


def outside(path: Any) -> str:
    """The sentence about a path that leads out of the product's folder."""
    return _("“%(path)s” is outside the product's folder.") % {"path": path}


def hosts(value: Any, context: Context) -> Iterator[Finding]:
    """No name leads to the server itself."""
    items = [f"{name}={inner}" for name, inner in value.items()] if isinstance(value, Mapping) else value or ()
    for number, item in enumerate(items):
        if "host-gateway" in str(item):
            yield f"[{number}]", _("“host-gateway” would lead to the server itself.")
        elif PLATFORM_HOST.match(str(item)):
            yield f"[{number}]", _("names such as “live-….build” are reserved for the platform.")


def is_platform_image(name: str) -> bool:
    """True of an image that an order built, in the short form or in the one that Docker makes of it."""
    return PLATFORM_IMAGE.match(name) is not None


def image(value: Any, context: Context) -> Iterator[Finding]:
    """No image is another order's, nor whatever the engine happens to have under an id."""
    if is_platform_image(str(value or "")):
        yield "", _("“%(image)s” is how images of orders are called; use an image of a registry.") % {"image": value}
    elif IMAGE_ID.fullmatch(str(value or "")):
        yield "", _("an image is named by its repository, not by an id of one engine.")
