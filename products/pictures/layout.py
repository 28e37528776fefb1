"""Where the boxes and lines of a drawing go: layers from top to bottom, no line through a box. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

MOST_ACROSS = 4
SPACE_ACROSS, SPACE_DOWN, MARGIN = 28, 52, 14
LANE = 18
"""The width that a line needs where it passes a layer of boxes."""
SWEEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Something to draw, by its size."""

    key: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The upper left corner and size of a box."""

    x: float
    y: float
    width: int
    height: int


Point = tuple[float, float]
Link = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Every box and every line of a drawing."""

    width: float
    height: float
    boxes: Mapping[str, Placed]
    lines: Mapping[Link, Sequence[Point]]
    """From the lower edge of a box to the upper edge of another, by way of the layers between."""


@dataclass(slots=True)
class _Layers:
    """Keys by layer; a lane stands for a line that passes."""

    rows: list[list[str]]
    chains: dict[Link, list[str]] = field(default_factory=dict)
    """The keys that each line visits, its two ends included."""


def arrange(boxes: Iterable[Box], links: Iterable[Link], *, below: Iterable[str] = ()) -> Layout:
    """Boxes above those that they lead to; those of `below` in the last layers.

    A line that closes a circle is left out.
    """
    sizes = {box.key: box for box in boxes}
    wanted = [(upper, lower) for upper, lower in links if upper in sizes and lower in sizes and upper != lower]
    forward = _without_circles(list(sizes), list(dict.fromkeys(wanted)))
    ranks = _ranks(list(sizes), forward)
    floor = max((ranks[key] for key in sizes if key not in set(below)), default=0) + 1
    ranks.update({key: floor for key in below if key in sizes})
    layers = _with_lanes(_narrowed(list(sizes), ranks), forward)
    _untangle(layers)
    return _coordinates(layers, sizes)


def _without_circles(keys: Sequence[str], links: Sequence[Link]) -> list[Link]:
    """The links of a walk that never leads back."""
    below: dict[str, list[str]] = {key: [] for key in keys}
    for upper, lower in links:
        below[upper].append(lower)
    kept: list[Link] = []
    state: dict[str, str] = {}
    for start in keys:
        if start in state:
            continue
        state[start] = "open"
        stack = [(start, iter(below[start]))]
        while stack:
            key, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[key] = "done"
                stack.pop()
            elif state.get(following) != "open":
                kept.append((key, following))
                if following not in state:
                    state[following] = "open"
                    stack.append((following, iter(below[following])))
    return kept


def _ranks(keys: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """The length of the longest way to each box."""
    ranks = dict.fromkeys(keys, 0)
    for _round in keys:
        longer = {lower: ranks[upper] + 1 for upper, lower in links if ranks[lower] <= ranks[upper]}
        if not longer:
            break
        ranks.update(longer)
    return ranks


def _narrowed(keys: Sequence[str], ranks: Mapping[str, int]) -> list[list[str]]:
    """The layers, each of at most `MOST_ACROSS` boxes."""
    rows: list[list[str]] = []
    for rank in sorted(set(ranks.values())):
        row = [key for key in keys if ranks[key] == rank]
        pieces = -(-len(row) // MOST_ACROSS)
        size = -(-len(row) // pieces)
        rows += [row[at : at + size] for at in range(0, len(row), size)]
    return rows


def _with_lanes(rows: list[list[str]], links: Sequence[Link]) -> _Layers:
    row_of = {key: number for number, row in enumerate(rows) for key in row}
    layers = _Layers([list(row) for row in rows])
    for upper, lower in links:
        chain = [upper]
        for number in range(row_of[upper] + 1, row_of[lower]):
            lane = f"{upper}\n{lower}\n{number}"
            layers.rows[number].append(lane)
            chain.append(lane)
        layers.chains[upper, lower] = [*chain, lower]
    return layers


def _untangle(layers: _Layers) -> None:
    """Each layer in the order of what its boxes are joined to, downwards and upwards in turn."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for chain in layers.chains.values():
        for upper, lower in pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    downwards, upwards = range(1, len(layers.rows)), range(len(layers.rows) - 2, -1, -1)
    for sweep in range(SWEEPS):
        joined, numbers = (below, upwards) if sweep % 2 else (above, downwards)
        for number in numbers:
            place = {key: (at + 0.5) / len(row) for row in layers.rows for at, key in enumerate(row)}
            middle = {key: fmean(place[other] for other in joined.get(key, [key])) for key in layers.rows[number]}
            layers.rows[number].sort(key=middle.__getitem__)


def _coordinates(layers: _Layers, sizes: Mapping[str, Box]) -> Layout:
    def width_of(key: str) -> int:
        return sizes[key].width if key in sizes else LANE

    widths = [sum(map(width_of, row)) + SPACE_ACROSS * (len(row) - 1) for row in layers.rows]
    total = max(widths, default=0)
    stops: dict[str, tuple[Point, Point, Point]] = {}
    boxes: dict[str, Placed] = {}
    y = float(MARGIN)
    for row, row_width in zip(layers.rows, widths, strict=True):
        height = max((sizes[key].height for key in row if key in sizes), default=0)
        x = MARGIN + (total - row_width) / 2
        for key in row:
            middle = x + width_of(key) / 2
            own = sizes[key].height if key in sizes else height
            # A line leaves the layer upright, or it would cross a box that is higher than its own.
            stops[key] = (middle, y), (middle, y + own), (middle, y + height)
            if key in sizes:
                boxes[key] = Placed(x=x, y=y, width=sizes[key].width, height=own)
            x += width_of(key) + SPACE_ACROSS
        y += height + SPACE_DOWN
    lines = {
        link: list(dict.fromkeys([point for key in chain for point in stops[key]][1:-2]))
        for link, chain in layers.chains.items()
    }
    return Layout(width=total + 2 * MARGIN, height=max(y - SPACE_DOWN, 0) + MARGIN, boxes=boxes, lines=lines)
