"""WMS 1.3.0 and 1.1.1 over the sandbox's map."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from django.http import HttpResponse
from django.template.loader import render_to_string

from infrastructure.sandbox.ogc.drawing import SEA, MapRequest, draw_map, mercator
from infrastructure.sandbox.ogc.sample_map import BOUNDS, LAYER_NAMES, LAYERS

LARGEST = 2048
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}
MERCATOR = frozenset({"EPSG:3857", "EPSG:900913"})
DEGREES = frozenset({"EPSG:4326", "CRS:84"})
_COLOUR = re.compile(r"0x[0-9a-fA-F]{6}")


class ServiceError(ValueError):
    """The request cannot be met; `code` is one of the standard's own, or empty."""

    def __init__(self, message: str, *, code: str = "", locator: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.locator = locator


def version_of(asked: Mapping[str, str]) -> str:
    """1.1.1 for whoever asks for 1.1.1 or older, else 1.3.0."""
    version = asked.get("version") or asked.get("wmtver") or "1.3.0"
    return "1.1.1" if version < "1.3" else "1.3.0"


def answer_wms(asked: Mapping[str, str], *, address: str, title: str) -> HttpResponse:
    """The answer to a WMS request; `asked` has lower-case names."""
    version = version_of(asked)
    try:
        match asked.get("request", "").lower():
            case "getcapabilities" | "capabilities":
                return _capabilities(version, address, title)
            case "getmap" | "map":
                request = map_request(asked, version)
                return HttpResponse(draw_map(request), content_type=f"image/{request.form.lower()}")
        raise ServiceError("The request is not supported.", code="OperationNotSupported")
    except ServiceError as error:
        context = {"message": str(error), "code": error.code, "version": version}
        text = render_to_string("sandbox/wms_exception.xml", context)
        return HttpResponse(text, content_type="application/vnd.ogc.se_xml" if version < "1.3" else "text/xml")


def _capabilities(version: str, address: str, title: str) -> HttpResponse:
    west, south, east, north = BOUNDS
    corners = mercator((west, south)), mercator((east, north))
    context = {
        "address": address,
        "title": title,
        "layers": LAYERS,
        "formats": list(FORMATS),
        "largest": LARGEST,
        "bounds": {"west": west, "south": south, "east": east, "north": north},
        "metres": dict(zip(("west", "south", "east", "north"), (*corners[0], *corners[1]), strict=True)),
    }
    text = render_to_string(f"sandbox/wms_{version.replace('.', '_')}.xml", context)
    kind = "application/vnd.ogc.wms_xml" if version == "1.1.1" else "text/xml"
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8")


def map_request(asked: Mapping[str, str], version: str) -> MapRequest:
    """What GetMap asks for; raises ServiceError with what is wrong."""
    crs = (asked.get("crs") or asked.get("srs") or "").upper()
    if crs not in MERCATOR | DEGREES:
        raise ServiceError(f"The reference system “{crs[:40]}” is not offered.", code="InvalidCRS")
    form = asked.get("format", "image/png").partition(";")[0].strip().lower()
    if form not in FORMATS:
        raise ServiceError("The format is not offered.", code="InvalidFormat")
    is_transparent = asked.get("transparent", "").lower() == "true" and form == "image/png"
    colour = asked.get("bgcolor", "")
    return MapRequest(
        bounds=_bounds(asked.get("bbox", ""), is_swapped=version == "1.3.0" and crs == "EPSG:4326"),
        width=_pixels(asked.get("width", "")),
        height=_pixels(asked.get("height", "")),
        layers=_layers(asked.get("layers", "")),
        is_mercator=crs in MERCATOR,
        is_transparent=is_transparent,
        background=f"#{colour[2:]}" if _COLOUR.fullmatch(colour) else SEA,
        form=FORMATS[form],
    )


def _bounds(text: str, *, is_swapped: bool) -> tuple[float, float, float, float]:
    """In WMS 1.3.0 EPSG:4326 has its latitude first."""
    try:
        first, second, third, fourth = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ServiceError("BBOX takes four numbers.", code="MissingParameterValue") from error
    west, south, east, north = (second, first, fourth, third) if is_swapped else (first, second, third, fourth)
    if not all(map(math.isfinite, (west, south, east, north))) or east <= west or north <= south:
        raise ServiceError("BBOX encloses no area.", code="InvalidParameterValue")
    return west, south, east, north


def _pixels(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= LARGEST:
        raise ServiceError(f"WIDTH and HEIGHT take numbers from 1 to {LARGEST}.", code="InvalidParameterValue")
    return int(text)


def _layers(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ServiceError("LAYERS is missing.", code="MissingParameterValue")
    wanted: list[str] = []
    for name in names:
        if name != "map" and name not in LAYER_NAMES:
            raise ServiceError(f"There is no layer “{name[:40]}”.", code="LayerNotDefined")
        wanted += [inner for inner in (LAYER_NAMES if name == "map" else (name,)) if inner not in wanted]
    return wanted
