"""From source code to images: names for what a product builds, and digests in place of builds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from django.utils.translation import gettext as _

from core.errors import Refusal
from products.composition.text import YamlError, read_document


class PinningRefused(Refusal):
    """The composition cannot be pinned as it is written."""

    code = "not_pinned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The composition with digests, and the images that keep their tags."""

    text: str
    left: tuple[str, ...] = ()


def image_names(compose: str, *, prefix: str, tag: str) -> dict[str, Any]:
    """A second compose file that names the image of each service that is built: `<prefix>/<service>:<tag>`."""
    built = [name for name, service in _services(compose).items() if service.get("build")]
    return {"services": {name: {"image": f"{prefix}/{name}:{tag}"} for name in built}}


def pin_images(compose: str, locks: Mapping[str, Any]) -> Pinned:
    """The composition with the images of `locks`, as `docker compose config --lock-image-digests` prints them.

    Everything else stays letter by letter. An image whose name holds a variable keeps it: its author chose so.
    """
    lines = compose.splitlines(keepends=True)
    left: list[str] = []
    edits: list[tuple[int, int, str]] = []
    services, nodes = _services(compose), _service_nodes(compose)
    for name, service in services.items():
        image = str(((locks.get("services") or {}).get(name) or {}).get("image") or "")
        if "$" in str(service.get("image") or "") or "@sha256:" not in image:
            left.append(name)
            continue
        edits += _edits(name, nodes[name], image)
    for first, last, text in sorted(edits, reverse=True):
        lines[first:last] = [text] if text else []
    return Pinned(text="".join(lines), left=tuple(left))


def _edits(name: str, node: yaml.Node, image: str) -> Iterator[tuple[int, int, str]]:
    """(first line, line after the last, what comes there) for the image and for the build of a service."""
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        message = _("services.%(name)s: write the service as a block, one key on a line.")
        raise PinningRefused(message % {"name": name})
    # Reading has put the keys of templates into the node; those are written elsewhere.
    inside = range(node.start_mark.index, node.end_mark.index)
    own = {str(key.value): (key, value) for key, value in node.value if key.start_mark.index in inside}
    place = own.get("image") or own.get("build")
    if place is None:
        message = _("services.%(name)s: its image comes from a template (<<); write it into the service.")
        raise PinningRefused(message % {"name": name})
    for key, value in filter(None, (own.get("image"), own.get("build"))):
        text = f"{' ' * key.start_mark.column}image: {image}\n" if key is place[0] else ""
        yield key.start_mark.line, _last_line(value) + 1, text


def _last_line(node: yaml.Node) -> int:
    """The line on which a value ends; a block's own mark would include the comments that follow it."""
    if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", False) or not node.value:
        return int(node.end_mark.line) - (node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line)
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _services(compose: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        data = read_document("compose.yaml", compose).data
    except YamlError as error:
        raise PinningRefused(str(error)) from error
    services = data.get("services") if isinstance(data, Mapping) else None
    if not isinstance(services, Mapping) or not all(isinstance(service, Mapping) for service in services.values()):
        raise PinningRefused(_("services: there are none."))
    return services


def _service_nodes(compose: str) -> dict[str, yaml.Node]:
    root = read_document("compose.yaml", compose).node
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "services":
            return {str(name.value): service for name, service in value.value}
    return {}
