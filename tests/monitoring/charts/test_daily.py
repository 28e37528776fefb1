"""Bars and lines, as numbers."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.charts.daily import HEIGHT, Day, bars, line, runs, width
from monitoring.rules.availability import Figures

FIRST = date(2026, 3, 1)


def drawn(figures: Figures) -> list[tuple[str, int]]:
    """Tone and height of each block of one bar."""
    (bar,) = bars([Day(day=FIRST, figures=figures)])
    return [(block.tone, block.height) for block in bar.blocks]


def test_good_day_is_one_colour() -> None:
    assert drawn(Figures(up=86400)) == [("up", HEIGHT)]


def test_five_minutes_are_seen() -> None:
    (tone, height), _rest = drawn(Figures(up=86100, down=300))
    assert tone == "down"
    assert height >= 5


def test_day_without_figures_is_not_shown_as_up() -> None:
    assert drawn(Figures()) == [("unknown", HEIGHT)]
    assert drawn(Figures(unknown=86400)) == [("unknown", HEIGHT)]


@given(st.builds(Figures, **dict.fromkeys(("up", "down", "maintenance", "unknown"), st.integers(0, 90000))))
def test_bar_is_filled_exactly_and_shows_all_that_happened(figures: Figures) -> None:
    (bar,) = bars([Day(day=FIRST, figures=figures)])
    edges = [0]
    for block in bar.blocks:
        assert block.y == edges[-1]
        assert block.height >= 5
        edges.append(block.y + block.height)
    assert edges[-1] == HEIGHT


def test_ninety_bars_are_as_wide_as_the_picture() -> None:
    days = [Day(day=FIRST + timedelta(days=n)) for n in range(90)]
    assert bars(days)[-1].x + 5 == width(90) == 628


def test_days_that_look_alike_are_one_run_and_the_others_stay_alone() -> None:
    good, bad, silent = Figures(up=86400), Figures(up=86100, down=300), Figures()
    looks = [silent, silent, good, good, good, bad, bad, good]
    drawing = runs(bars([Day(day=FIRST + timedelta(days=n), figures=figures) for n, figures in enumerate(looks)]))
    assert [(run.first.x // 7, run.last.x // 7, run.width, run.is_plain) for run in drawing] == [
        (0, 1, 12, True),
        (2, 4, 19, True),
        (5, 5, 5, False),
        (6, 6, 5, False),
        (7, 7, 5, True),
    ]
    assert runs([]) == ()


def test_days_that_were_down_all_day_are_no_run_with_days_under_maintenance() -> None:
    looks = [Figures(down=86400), Figures(maintenance=86400), Figures(up=40000), Figures(up=86400)]
    drawing = runs(bars([Day(day=FIRST + timedelta(days=n), figures=figures) for n, figures in enumerate(looks)]))
    assert [[block.tone for block in run.first.blocks] for run in drawing] == [["down"], ["maintenance"], ["up"]]


def test_line_breaks_where_nothing_answered() -> None:
    times = [0.2, 0.4, None, 0.1]
    days = [
        Day(day=FIRST + timedelta(days=n), seconds_mean=time or 0.0, answers=1 if time else 0)
        for n, time in enumerate(times)
    ]
    drawing = line(days)
    assert drawing is not None
    assert drawing.top == 0.4
    assert drawing.paths == ("M2.5 32.0 L9.5 4.0", "M23.5 46.0 L23.5 46.0")


def test_no_answers_make_no_line() -> None:
    assert line([Day(day=FIRST)]) is None
