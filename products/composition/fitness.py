"""Whether a composition fits the product's own endpoints and files. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from products.composition.startup import Startup, instances_of

Finding = tuple[str, str]
NEEDS_A_FILE = (".file", ".dockerfile")


def endpoint_findings(
    endpoints: Collection[Mapping[str, Any]], model: Mapping[str, Any], startup: Startup
) -> Iterator[Finding]:
    """Each (place in product.yaml, sentence) about an endpoint whose port cannot be published."""
    services = model.get("services") or {}
    for number, endpoint in enumerate(endpoints):
        name, place = endpoint["service"], f"endpoints[{number}].service"
        service = services.get(name) or {}
        facts = {"service": name, "mode": service.get("network_mode"), "count": instances_of(service)}
        if name not in services:
            yield place, _("compose.yaml has no service “%(service)s”.") % facts
        elif name in startup.never:
            message = _("“%(service)s” is never started (a profile, or no replicas), so nothing can answer here.")
            yield place, message % facts
        elif service.get("network_mode"):
            message = _("“%(service)s” has no network of its own (network_mode: %(mode)s): its port cannot be reached.")
            yield place, message % facts
        elif instances_of(service) > 1:
            message = _("“%(service)s” has %(count)s replicas, and only one of them can have the published port.")
            yield place, message % facts
        elif name in startup.awaited:
            message = _("“%(service)s” has to end before other services start, so nothing can answer here.")
            yield place, message % facts


def file_findings(model: Mapping[str, Any], root: str, files: Collection[str]) -> Iterator[Finding]:
    """Each (place in the model, sentence) about a file or folder that the product does not have."""
    for place, path in _paths(model):
        relative = _below(root, path)
        if relative is None:
            continue
        if not _exists(relative, files):
            yield place, _("“%(path)s” is not in the product's folder.") % {"path": relative}
        elif place.endswith(NEEDS_A_FILE) and str(PurePosixPath(relative)) not in files:
            yield place, _("“%(path)s” is a folder; name a file.") % {"path": relative}


def _paths(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for section in ("configs", "secrets"):
        for name, item in (model.get(section) or {}).items():
            if item.get("file"):
                yield f"{section}.{name}.file", str(item["file"])
    for name, service in (model.get("services") or {}).items():
        for number, mount in enumerate(service.get("volumes") or ()):
            if mount.get("type") == "bind":
                yield f"services.{name}.volumes[{number}]", str(mount.get("source"))
        if build := service.get("build"):
            context = str(build.get("context", "."))
            yield f"services.{name}.build.context", context
            if not build.get("dockerfile_inline"):
                recipe = PurePosixPath(context, str(build.get("dockerfile") or "Dockerfile"))
                yield f"services.{name}.build.dockerfile", str(recipe)


def _below(root: str, path: str) -> str | None:
    """The path as seen from the product's folder; None for one that is elsewhere, which is judged elsewhere."""
    if path == root:
        return "."
    return path.removeprefix(f"{root}/") if path.startswith(f"{root}/") else None


def _exists(path: str, files: Collection[str]) -> bool:
    plain = str(PurePosixPath(path))
    return plain == "." or plain in files or any(name.startswith(f"{plain}/") for name in files)
