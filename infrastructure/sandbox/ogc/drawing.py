"""Draws the sandbox's map as a picture. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from infrastructure.sandbox.ogc.sample_map import LAYERS, PLACES, Layer, Point

SEA = "#d5e8f2"
NOTE = "SANDBOX"
EARTH_RADIUS = 6378137.0
FINE_UP_TO = 1024
"""Pixels: larger pictures are drawn without smoothing, which takes four times the memory."""

Project = Callable[[Point], Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRequest:
    """What is to be drawn."""

    bounds: tuple[float, float, float, float]
    """In the request's own projection: smallest x and y, largest x and y."""
    width: int
    height: int
    layers: Sequence[str]
    is_mercator: bool = False
    is_transparent: bool = False
    background: str = SEA
    form: str = "PNG"


def draw_map(request: MapRequest) -> bytes:
    """The picture's bytes."""
    scale = 2 if max(request.width, request.height) <= FINE_UP_TO else 1
    size = (request.width * scale, request.height * scale)
    background = (0, 0, 0, 0) if request.is_transparent else request.background
    image = Image.new("RGBA", size, background)
    draw = ImageDraw.Draw(image)
    project = _projection(request, size)
    weight = max(size[0] / 800, 0.6 * scale)
    for layer in (layer for name in request.layers for layer in LAYERS if layer.name == name):
        _draw_layer(draw, layer, project, weight)
    if "places" in request.layers:
        _draw_places(draw, project, weight)
    font = ImageFont.load_default(11 * scale)
    draw.text((size[0] - 6 * scale, size[1] - 4 * scale), NOTE, fill="#7a8894", font=font, anchor="rs")
    if scale > 1:
        image = image.resize((request.width, request.height), Image.Resampling.LANCZOS)
    written = BytesIO()
    (image if request.form == "PNG" else image.convert("RGB")).save(written, request.form)
    return written.getvalue()


def _projection(request: MapRequest, size: tuple[int, int]) -> Project:
    """From longitude and latitude to a pixel of the picture."""
    west, south, east, north = request.bounds

    def project(point: Point) -> Point:
        x, y = mercator(point) if request.is_mercator else point
        return (x - west) / (east - west) * size[0], (north - y) / (north - south) * size[1]

    return project


def mercator(point: Point) -> Point:
    """Longitude and latitude in EPSG:3857."""
    longitude, latitude = point
    y = math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))
    return EARTH_RADIUS * math.radians(longitude), EARTH_RADIUS * y


def _draw_layer(draw: ImageDraw.ImageDraw, layer: Layer, project: Project, weight: float) -> None:
    for shape in layer.shapes:
        corners = [_within_reason(project(point)) for point in shape]
        if layer.is_area:
            draw.polygon(corners, fill=layer.colour, outline="#b9b39c" if layer.name == "land" else None)
        else:
            draw.line(corners, fill=layer.colour, width=max(1, round(layer.width * weight)), joint="curve")


def _draw_places(draw: ImageDraw.ImageDraw, project: Project, weight: float) -> None:
    font = ImageFont.load_default(14 * weight)
    for place in PLACES:
        x, y = _within_reason(project(place.at))
        radius = (5 if place.population > 10_000 else 3.5) * weight
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill="#ffffff", outline="#23303d")
        halo = max(1, round(2 * weight))
        where = (x + radius + 3 * weight, y)
        draw.text(where, place.name, fill="#23303d", font=font, anchor="lm", stroke_width=halo, stroke_fill="#ffffff")


def _within_reason(pixel: Point) -> Point:
    """Far outside the picture it does not matter where exactly; huge numbers would overflow."""
    return max(-1e5, min(1e5, pixel[0])), max(-1e5, min(1e5, pixel[1]))
