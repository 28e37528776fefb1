"""What a customer types arrives letter by letter, whatever it looks like."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PermanentError
from infrastructure.adapters.compose.env_file import env_text
from infrastructure.contracts.runtime import Composition
from tests.infrastructure.adapters.compose.planning import launched

COMPOSE = """
services:
  web:
    image: debian:bookworm-slim
    environment: {COPY: "${VALUE}", NAMED: "a ${VALUE} b"}
"""
LOOKALIKES = [
    *("08005", "089123456", "1e3", "12e45678", "0o17", "0x1F", "1_000", "012", ".5", "-0", "+1", "0b1", "190:20:30"),
    *("~", "null", "yes", "No", "on", "OFF", "true", "y", ".nan", ".inf", "<<", "=", "2026-01-01", "!!str x", "!x"),
    *("", " ", " a ", "a: b", "a #b", "#a", "- a", "? a", "&a", "*a", "|", ">", "%a", "@a", "`a`", "{a}", "[a]", ","),
    *(
        "$",
        "$$",
        "$$$",
        "${HOME}",
        "$HOME",
        "${X:-y}",
        "${X:?z}",
        "\\",
        "\\n",
        "\\$",
        'a"b',
        "a'b",
        "''",
        '""',
        "\\u0041",
    ),
    *("a\nb", "a\n", "\n", "a\r\nb", "\t", "\x01", "\x7f", "\x85", "\u2028", "\ufeff", "Zürich", "地図", "\U0001f5fa"),
]
# What no environment variable can hold: NUL, and half a surrogate pair.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


def arrived(value: str, work_dir: Path) -> dict[str, str]:
    wanted = Composition(key="live-TRY", compose=COMPOSE, bundle=b"", digest="1", environment={"VALUE": value})
    environment: dict[str, str] = launched(wanted, work_dir)["web"]["environment"]
    return environment


def assert_literal(value: str, work_dir: Path) -> None:
    expected = {"VALUE": value, "COPY": value, "NAMED": f"a {value} b", "LIVE_SERVICE": "web"}
    assert arrived(value, work_dir) == expected


def test_what_looks_like_something_else_arrives_letter_by_letter(tmp_path: Path) -> None:
    for value in LOOKALIKES:
        assert_literal(value, tmp_path)


@settings(max_examples=25, deadline=None)
@given(value=texts)
def test_any_text_arrives_letter_by_letter(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    assert_literal(value, tmp_path_factory.mktemp("any"))


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_no_variable_can_hold_is_permanent(value: str) -> None:
    with pytest.raises(PermanentError, match="the value of TITLE holds characters"):
        env_text({"TITLE": value})


def test_no_value_is_taken_for_a_setting_of_compose_or_docker() -> None:
    assert env_text({"COMPOSE_PROFILES": "debug", "DOCKER_HOST": "tcp://x", "TITLE": "a"}) == 'TITLE="a"\n'


def test_the_workers_own_environment_fills_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_SECRET", "of this site")
    compose = "services: {web: {image: x, environment: {A: '${SITE_SECRET}', B: '${HOME}', SITE_SECRET: }}}"
    wanted = Composition(key="live-TRY", compose=compose, bundle=b"", digest="1")
    assert launched(wanted, tmp_path)["web"]["environment"] == {
        "A": "",
        "B": "",
        "SITE_SECRET": None,
        "LIVE_SERVICE": "web",
    }
