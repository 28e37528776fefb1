"""What differs between two releases of a product, as people compare them. Pure values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Text = str | Promise
# What a section of its own shows; the rest of a service is its configuration.
SHOWN_APART = ("image", "build", "environment", "volumes")


class DiffKind(StrEnum):
    """How one line differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One difference; `before` is empty for what is added, `after` for what is removed."""

    kind: DiffKind
    name: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffSection:
    """The differences of one kind, and what they mean."""

    key: str
    title: Text
    lines: tuple[DiffLine, ...]
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseContent:
    """A release as far as it is compared."""

    compose: str
    manifest: Mapping[str, Any]


def compare_releases(old: ReleaseContent, new: ReleaseContent) -> list[DiffSection]:
    """What changes between two releases, section by section; sections without a difference are left out."""
    before, after = _services(old.compose), _services(new.compose)
    sections = [
        _section("images", gettext_lazy("Services and images"), _texts(before, _image), _texts(after, _image)),
        _section("configuration", gettext_lazy("Service configuration"), _configuration(before), _configuration(after)),
        _section("environment", gettext_lazy("Environment"), _environment(before), _environment(after)),
        _section(
            "volumes",
            gettext_lazy("Volumes"),
            _volumes(old.compose),
            _volumes(new.compose),
            note=gettext_lazy("Volumes keep their names and their data; one that is no longer used is kept too."),
        ),
        _section("endpoints", gettext_lazy("Endpoints"), _endpoints(old.manifest), _endpoints(new.manifest)),
        _section("inputs", gettext_lazy("Settings"), _labels(old.manifest, "inputs"), _labels(new.manifest, "inputs")),
        _section(
            "secrets", gettext_lazy("Secrets"), _labels(old.manifest, "secrets"), _labels(new.manifest, "secrets")
        ),
    ]
    return [section for section in sections if section.lines]


def compare_texts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[DiffLine, ...]:
    """The names that were added, removed or changed, in the alphabet's order."""
    return tuple(_lines(before, after))


def _lines(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[DiffLine]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield DiffLine(kind=DiffKind.ADDED, name=name, after=after[name])
        elif name not in after:
            yield DiffLine(kind=DiffKind.REMOVED, name=name, before=before[name])
        elif before[name] != after[name]:
            yield DiffLine(kind=DiffKind.CHANGED, name=name, before=before[name], after=after[name])


def _section(
    key: str, title: Text, before: Mapping[str, str], after: Mapping[str, str], *, note: Text = ""
) -> DiffSection:
    return DiffSection(key=key, title=title, lines=compare_texts(before, after), note=note)


def _services(compose: str) -> Mapping[str, Mapping[str, Any]]:
    document = yaml.safe_load(compose) or {}
    return {name: service or {} for name, service in (document.get("services") or {}).items()}


def _texts(services: Mapping[str, Mapping[str, Any]], text_of: Callable[[Mapping[str, Any]], str]) -> dict[str, str]:
    return {name: text_of(service) for name, service in services.items()}


def _image(service: Mapping[str, Any]) -> str:
    return _("built from the release") if "build" in service else str(service.get("image", ""))


def _configuration(services: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Everything else that a service is given, one line per key."""
    return {
        f"{name} · {key}": _plain(value)
        for name, service in services.items()
        for key, value in service.items()
        if key not in SHOWN_APART
    }


def _environment(services: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {
        f"{name} · {key}": value
        for name, service in services.items()
        for key, value in _pairs(service.get("environment") or {})
    }


def _pairs(environment: Mapping[str, Any] | Iterable[str]) -> Iterator[tuple[str, str]]:
    """The variables of either spelling that Compose knows."""
    if isinstance(environment, Mapping):
        yield from ((str(key), "" if value is None else str(value)) for key, value in environment.items())
    else:
        yield from ((key, value) for key, _sign, value in (str(item).partition("=") for item in environment))


def _volumes(compose: str) -> dict[str, str]:
    """The named volumes, with where the services mount them."""
    document = yaml.safe_load(compose) or {}
    mounts: dict[str, list[str]] = {str(name): [] for name in document.get("volumes") or ()}
    for name, service in _services(compose).items():
        for volume in service.get("volumes") or ():
            source, target = _mount(volume)
            if source in mounts:
                mounts[source].append(f"{name}:{target}")
    return {name: ", ".join(sorted(places)) for name, places in mounts.items()}


def _mount(volume: Any) -> tuple[str, str]:
    if isinstance(volume, Mapping):
        return str(volume.get("source", "")), str(volume.get("target", ""))
    source, _sign, rest = str(volume).partition(":")
    return source, rest.partition(":")[0]


def _endpoints(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(endpoint["application"]): _("%(service)s:%(port)s%(path)s, checked at %(check)s")
        % {**endpoint, "check": endpoint["check"]["path"]}
        for endpoint in manifest.get("endpoints", ())
    }


def _labels(manifest: Mapping[str, Any], part: str) -> dict[str, str]:
    return {str(spec["key"]): str(spec.get("label", "")) for spec in manifest.get(part, ())}


def _plain(value: Any) -> str:
    """A value of the compose file on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=True).removesuffix("\n...\n").strip()
