"""Boxes in layers: no two overlap, and no line crosses a box."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from products.pictures.layout import MOST_ACROSS, Box, Layout, arrange

KEYS = [f"s{number}" for number in range(9)]


def boxes(*keys: str) -> list[Box]:
    """Boxes of one width and of different heights."""
    return [Box(key=key, width=100, height=40 + 10 * number) for number, key in enumerate(keys)]


def crossings(layout: Layout) -> list[tuple[str, tuple[str, str]]]:
    """Each box that a line leads through."""
    found = []
    for link, points in layout.lines.items():
        for (x, y), (to_x, to_y) in pairwise(points):
            for key, box in layout.boxes.items():
                is_level = max(min(y, to_y), box.y) < min(max(y, to_y), box.y + box.height)
                if is_level and (x != to_x or box.x < x < box.x + box.width):
                    found.append((key, link))
    return found


def test_what_is_needed_is_below_what_needs_it() -> None:
    layout = arrange(boxes("web", "app", "database"), [("web", "app"), ("app", "database"), ("web", "database")])
    tops = [layout.boxes[key].y for key in ("web", "app", "database")]
    assert tops == sorted(set(tops))
    assert crossings(layout) == []


def test_circle_is_drawn_without_the_line_that_closes_it() -> None:
    layout = arrange(boxes("a", "b", "c"), [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    assert set(layout.lines) == {("a", "b"), ("b", "c")}


def test_line_to_a_box_that_is_not_there_is_left_out() -> None:
    assert arrange(boxes("a"), [("a", "ghost"), ("ghost", "a")]).lines == {}


def test_boxes_of_the_last_layer_are_below_all_others() -> None:
    layout = arrange(boxes("a", "b", "volume"), [("a", "volume"), ("a", "b")], below=["volume"])
    assert layout.boxes["volume"].y > layout.boxes["b"].y + layout.boxes["b"].height


def test_many_boxes_make_several_rows() -> None:
    layout = arrange(boxes(*KEYS), [])
    rows = [sum(box.y == y for box in layout.boxes.values()) for y in {box.y for box in layout.boxes.values()}]
    assert max(rows) <= MOST_ACROSS


def test_nothing_makes_an_empty_drawing() -> None:
    assert arrange([], []).boxes == {}


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=24), st.sets(st.sampled_from(KEYS)))
def test_any_composition_can_be_drawn(links: set[tuple[str, str]], below: set[str]) -> None:
    layout = arrange(boxes(*KEYS), [link for link in links if link[0] not in below], below=sorted(below))
    for first, second in combinations(layout.boxes.values(), 2):
        apart = first.x + first.width <= second.x or second.x + second.width <= first.x
        assert apart or first.y + first.height <= second.y or second.y + second.height <= first.y
    assert crossings(layout) == []
    for box in layout.boxes.values():
        assert 0 <= box.x <= box.x + box.width <= layout.width
        assert 0 <= box.y <= box.y + box.height <= layout.height
    assert all(points[0][1] < points[-1][1] for points in layout.lines.values())
