"""The names of the images that a composition builds.

Engines are shared: an image built under a public name, such as `postgis/postgis:16`, would be what the next order
starts. So what an order builds is named after the order, and the composition's other services find it there. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Model = Mapping[str, Any]


def own_images(services: Mapping[str, Model], project: str) -> dict[str, str]:
    """By service, the order's own name for an image that the composition builds under a name of its own choice."""
    built: dict[str, str] = {}
    for name, service in services.items():
        if service.get("build") and service.get("image"):
            built.setdefault(_plain(service["image"]), name)
    own = {}
    for name, service in services.items():
        builder = name if service.get("build") else built.get(_plain(service.get("image")))
        if service.get("image") and builder:
            own[name] = f"{project}-{builder}"
    return own


def pulled_images(services: Mapping[str, Model]) -> dict[str, str]:
    """By service, the images that come from a registry and are named without variables."""
    built = {_plain(service["image"]) for service in services.values() if service.get("build") and service.get("image")}
    named = {name: str(service["image"]) for name, service in services.items() if service.get("image")}
    return {
        name: image
        for name, image in named.items()
        if "build" not in services[name] and "$" not in image and _plain(image) not in built
    }


def _plain(image: Any) -> str:
    return str(image or "").removesuffix(":latest")
