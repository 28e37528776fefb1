"""The outline of a composition: what a drawing needs of the model that Docker Compose makes of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from products.composition.startup import MUST_COMPLETE, startup_of

Outline = Mapping[str, Any]


def outline_of(model: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Services with their image, ports, volumes and what they wait for; fit for JSON."""
    startup = startup_of(model)
    services = []
    for name, service in sorted((model.get("services") or {}).items()):
        kind = "never" if name in startup.never else "job" if name in startup.jobs else "running"
        services.append(
            {
                "name": name,
                "kind": kind,
                "image": str(service.get("image") or ""),
                "build": _recipe(service.get("build"), root),
                "ports": _ports(service),
                "volumes": _volumes(service),
                "needs": _needs(service),
            }
        )
    # PostgreSQL stores no NUL.
    clean: dict[str, Any] = json.loads(json.dumps({"services": services}).replace("\\u0000", ""))
    return clean


def _recipe(build: Any, root: str) -> str:
    """The folder of the Dockerfile that the service is built from; the file itself where its name says more."""
    if not isinstance(build, Mapping):
        return ""
    if build.get("dockerfile_inline"):
        return "Dockerfile"
    path = PurePosixPath(str(build.get("context") or root), str(build.get("dockerfile") or "Dockerfile"))
    recipe = PurePosixPath(str(path).removeprefix(f"{root}/"))
    return str(recipe.parent) if recipe.name == "Dockerfile" and recipe.parent.name else str(recipe)


def _ports(service: Mapping[str, Any]) -> list[str]:
    targets = [str(port.get("target")) for port in service.get("ports") or () if isinstance(port, Mapping)]
    return list(dict.fromkeys([*(str(port) for port in service.get("expose") or ()), *targets]))


def _volumes(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The named volumes; files of the product are part of the service itself."""
    return [
        {
            "name": str(mount["source"]),
            "target": str(mount.get("target", "")),
            "read_only": bool(mount.get("read_only")),
        }
        for mount in service.get("volumes") or ()
        if mount.get("type") == "volume" and mount.get("source")
    ]


def _needs(service: Mapping[str, Any]) -> list[dict[str, str]]:
    """The services that this one depends on, shares the network of, or links to."""
    needs = {name: str((how or {}).get("condition", "")) for name, how in (service.get("depends_on") or {}).items()}
    mode = str(service.get("network_mode") or "")
    for name in [str(link).partition(":")[0] for link in service.get("links") or ()]:
        needs.setdefault(name, "")
    if mode.startswith("service:"):
        needs.setdefault(mode.removeprefix("service:"), "")
    return [{"name": name, "condition": needs[name]} for name in sorted(needs)]


def is_awaited(condition: str) -> bool:
    """True of a service that has to end before the other one starts."""
    return condition == MUST_COMPLETE
