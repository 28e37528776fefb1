"""What a Web Map Service offers, read from its capabilities (WMS 1.3.0), and the request for a picture of it.

Plain values in, plain values out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree

LAYERS_SHOWN = 30
NAMESPACE = "{http://www.opengis.net/wms}"
PROJECTION = "EPSG:3857"
EARTH = 20037508.342789244  # half of the width of EPSG:3857 in metres
NORTHERNMOST = 85.0  # beyond it EPSG:3857 ends

Box = tuple[float, float, float, float]


class NotCapabilities(ValueError):
    """The text is not a capabilities document of a Web Map Service 1.3.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLayer:
    """One layer that can be drawn; `box` is its extent in EPSG:3857."""

    name: str
    title: str
    box: Box


def capabilities_url(address: str) -> str:
    """The request for the capabilities of the service at `address`."""
    return with_query(address, {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetCapabilities"})


def map_url(address: str, *, layer: str, box: Box, width: int, height: int) -> str:
    """The request for a picture of one layer."""
    return with_query(
        address,
        {
            "SERVICE": "WMS",
            "VERSION": "1.3.0",
            "REQUEST": "GetMap",
            "LAYERS": layer,
            "STYLES": "",
            "CRS": PROJECTION,
            "BBOX": ",".join(f"{edge:.2f}" for edge in box),
            "WIDTH": str(width),
            "HEIGHT": str(height),
            "FORMAT": "image/png",
            "TRANSPARENT": "TRUE",
        },
    )


def with_query(address: str, parameters: dict[str, str]) -> str:
    """The address with these parameters; what its own query has besides them is kept."""
    parts = urlsplit(address)
    own = {name: value for name, value in parse_qsl(parts.query) if name.upper() not in parameters}
    return urlunsplit(parts._replace(query=urlencode({**own, **parameters}, safe=",:/")))


def read_layers(document: bytes) -> list[MapLayer]:
    """The layers that can be drawn, as the document lists them; raises NotCapabilities when it lists none."""
    if b"<!ENTITY" in document:  # entities can make a small document huge
        raise NotCapabilities("The document declares entities")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  # without entities nothing can expand
    except ElementTree.ParseError as error:
        raise NotCapabilities(str(error)) from error
    top = root.find(f"{NAMESPACE}Capability/{NAMESPACE}Layer")
    if top is None:
        raise NotCapabilities("The document has no layers")
    return list(_layers(top, None))[:LAYERS_SHOWN]


def _layers(element: ElementTree.Element, inherited: Box | None) -> Iterator[MapLayer]:
    box = _box(element) or inherited
    name = (element.findtext(f"{NAMESPACE}Name") or "").strip()
    if name and box:
        title = (element.findtext(f"{NAMESPACE}Title") or name).strip()
        yield MapLayer(name=name, title=title, box=box)
    for child in element.findall(f"{NAMESPACE}Layer"):
        yield from _layers(child, box)


def _box(element: ElementTree.Element) -> Box | None:
    """The extent of a layer; None when it has none, or none that makes sense."""
    found = element.find(f"{NAMESPACE}EX_GeographicBoundingBox")
    if found is None:
        return None
    edges = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")
    try:
        west, south, east, north = (float(found.findtext(f"{NAMESPACE}{edge}", "")) for edge in edges)
    except ValueError:
        return None
    if not (west < east and south < north):
        return None
    (left, bottom), (right, top) = _projected(west, south), _projected(east, north)
    return left, bottom, right, top


def _projected(longitude: float, latitude: float) -> tuple[float, float]:
    bounded = max(-NORTHERNMOST, min(NORTHERNMOST, latitude))
    east = EARTH * max(-180.0, min(180.0, longitude)) / 180
    north = EARTH * math.log(math.tan(math.pi / 4 + math.radians(bounded) / 2)) / math.pi
    return east, north


def fitted(box: Box, *, width: int, height: int) -> Box:
    """The smallest box around `box` with the proportions of a picture."""
    left, bottom, right, top = box
    across, up = max(right - left, 1.0), max(top - bottom, 1.0)
    scale = max(across / width, up / height) * 1.05
    middle, centre = (left + right) / 2, (bottom + top) / 2
    return (
        middle - scale * width / 2,
        centre - scale * height / 2,
        middle + scale * width / 2,
        centre + scale * height / 2,
    )
