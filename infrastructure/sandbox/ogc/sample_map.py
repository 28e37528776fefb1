"""The sandbox's map: an island that does not exist, in the middle of the North Sea. Longitude, latitude (WGS 84)."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
BOUNDS = (3.0, 55.0, 4.0, 55.6)
"""West, south, east, north."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Shapes of one kind that are drawn alike."""

    name: str
    title: str
    colour: str
    shapes: tuple[tuple[Point, ...], ...] = ()
    is_area: bool = False
    width: float = 0.0
    """Of lines, in pixels of a map that is 800 wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A town of the island."""

    name: str
    population: int
    at: Point


PLACES = (
    Town(name="Sandhaven", population=48200, at=(3.42, 55.21)),
    Town(name="Northwick", population=9100, at=(3.55, 55.45)),
    Town(name="Duneside", population=5400, at=(3.27, 55.33)),
    Town(name="Eastmarsh", population=3700, at=(3.74, 55.32)),
    Town(name="Lighthouse", population=12, at=(3.8, 55.18)),
)
LAND = (
    *((3.16, 55.28), (3.2, 55.36), (3.3, 55.42), (3.36, 55.49), (3.47, 55.53), (3.6, 55.52), (3.66, 55.46)),
    *((3.78, 55.42), (3.86, 55.35), (3.84, 55.26), (3.87, 55.19), (3.79, 55.13), (3.68, 55.15), (3.58, 55.11)),
    *((3.45, 55.12), (3.35, 55.16), (3.24, 55.19)),
)
FOREST = ((3.3, 55.38), (3.37, 55.44), (3.47, 55.45), (3.49, 55.38), (3.41, 55.35))
MARSH = ((3.7, 55.36), (3.79, 55.37), (3.81, 55.3), (3.74, 55.27), (3.68, 55.3))
LAKE = ((3.5, 55.3), (3.54, 55.335), (3.6, 55.33), (3.615, 55.29), (3.56, 55.265))
RIVERS = (
    ((3.44, 55.42), (3.46, 55.38), (3.5, 55.35), (3.53, 55.325)),
    ((3.55, 55.27), (3.5, 55.24), (3.47, 55.19), (3.48, 55.12)),
)
ROADS = (
    ((3.42, 55.21), (3.35, 55.27), (3.27, 55.33), (3.33, 55.4), (3.44, 55.46), (3.55, 55.45)),
    ((3.42, 55.21), (3.53, 55.23), (3.64, 55.26), (3.74, 55.32), (3.66, 55.39), (3.55, 55.45)),
    ((3.64, 55.26), (3.72, 55.21), (3.8, 55.18)),
)
LAYERS = (
    Layer(name="land", title="Land", colour="#f1ecd9", shapes=(LAND,), is_area=True),
    Layer(name="forest", title="Forest", colour="#c5dcb4", shapes=(FOREST,), is_area=True),
    Layer(name="marsh", title="Marsh", colour="#d7e4d6", shapes=(MARSH,), is_area=True),
    Layer(name="lakes", title="Lakes", colour="#9cc7e4", shapes=(LAKE,), is_area=True),
    Layer(name="rivers", title="Rivers", colour="#7fb4d8", shapes=RIVERS, width=2.5),
    Layer(name="roads", title="Roads", colour="#c98a4b", shapes=ROADS, width=3.0),
    Layer(name="places", title="Places", colour="#23303d"),
)
LAYER_NAMES = tuple(layer.name for layer in LAYERS)
