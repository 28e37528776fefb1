"""The safe list for how a service's image is built. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext_noop

from products.composition.safe_list.rules import (
    NO_NAMESPACE,
    NO_PRIVILEGE,
    Context,
    Finding,
    Rule,
    anything,
    hosts,
    image,
    inside,
    is_inside,
    labels,
    mapping_of,
    never,
    only,
    outside,
    under,
)


def _dockerfile(value: Any, build: Mapping[str, Any], context: Context) -> Iterator[Finding]:
    """Compose reads the path from the context's folder."""
    path = str(PurePosixPath(str(build.get("context", ".")), str(value)))
    if value and not is_inside(path, context):
        yield "dockerfile", outside(value)


def build(value: Any, context: Context) -> Iterator[Finding]:
    build = value if isinstance(value, Mapping) else {"context": value}
    yield from BUILD(build, context)
    if "context" not in {place.partition(".")[0] for place, _message in BUILD(build, context)}:
        yield from _dockerfile(build.get("dockerfile"), build, context)


def _other_contexts(value: Any, context: Context) -> Iterator[Finding]:
    for name, path in (value or {}).items():
        is_service = str(path).startswith("service:") and str(path).removeprefix("service:") in context.services
        if str(path).startswith("docker-image://"):
            yield from under(str(name), image(str(path).removeprefix("docker-image://"), context))
        elif not is_service and not is_inside(path, context):
            yield str(name), outside(path)


BUILD: Rule = mapping_of(
    {
        "additional_contexts": _other_contexts,
        "args": anything,
        "cache_from": never(gettext_noop("caches of other builds cannot be used.")),
        "cache_to": never(gettext_noop("caches of other builds cannot be used.")),
        "context": inside,
        "dockerfile": anything,
        "dockerfile_inline": anything,
        "entitlements": never(NO_PRIVILEGE),
        "extra_hosts": hosts,
        "labels": labels,
        "network": only("none", "default", message=NO_NAMESPACE),
        "no_cache": anything,
        "platforms": anything,
        "privileged": never(NO_PRIVILEGE),
        "pull": anything,
        "secrets": anything,
        "shm_size": anything,
        "tags": never(gettext_noop("a fixed image name could belong to another order; leave it out.")),
        "target": anything,
        "ulimits": anything,
    }
)
