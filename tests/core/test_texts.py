"""Text from outside that can be stored and shown, and quantities and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from core.text.moments import moment_in_words
from core.text.plain_text import is_plain_text, unfit_paths
from core.text.units import cpu_words


@pytest.mark.parametrize("text", ["", "Zürich", "two\nlines\tand a tab", "東京", "🗺"])
def test_ordinary_text_is_plain(text: str) -> None:
    assert is_plain_text(text)


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31m", "\x7f", "\ud800", "\ufffe", "\x9b"])
def test_controls_and_halves_of_letters_are_not(text: str) -> None:
    assert not is_plain_text(text)


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ({"name": "a\x00", "city": "Delft"}, ["name"]),
        ({"a": {"b": ["fine", "\x01", {"c": "\x02"}]}}, ["a.b", "a.b.c"]),
        ({"\x00": "fine"}, [""]),
        ({"a": {"\x00": "fine"}}, ["a"]),
        ([1, None, True, "fine"], []),
        ("\x00", [""]),
    ],
)
def test_what_is_wrong_in_a_json_value_is_named_by_its_path(value: Any, paths: list[str]) -> None:
    assert list(unfit_paths(value)) == paths


@pytest.mark.parametrize(("cpus", "text"), [(1, "1 CPU"), (4, "4 CPUs"), (0, "0 CPUs"), (None, "? CPUs")])
def test_cpus_are_counted_in_the_plural(cpus: int | None, text: str) -> None:
    assert cpu_words(cpus) == text


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (datetime(2026, 7, 1, 8, 0, tzinfo=UTC), "14:30 CEST"),
        (datetime(2026, 7, 2, 8, 0, tzinfo=UTC), "1 Jul 2026, 14:30 CEST"),
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), "1 Jul 2026, 14:30 CEST"),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), "14:30 CEST"),  # the reader's day has begun already
    ],
)
def test_a_time_has_its_date_unless_it_is_today_for_the_reader(now: datetime, text: str) -> None:
    moment = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("Europe/Amsterdam")), translation.override("en"):
        assert moment_in_words(moment, now) == text
