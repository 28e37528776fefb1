"""Docker Compose's own reading of a composition."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigError, TransientError
from core.outside.compose_binary import compose_binary
from products.adapters.compose import config
from products.adapters.compose.config import ComposeConfig
from products.contracts import ComposeRefused

WEB = b"services: {web: {image: debian, environment: {A: '${A:-empty}'}}}\n"


def read(text: bytes, environment: dict[str, str] | None = None) -> str | None:
    """What the service's variable A is."""
    model = ComposeConfig().read({"compose.yaml": text}, environment or {}).model
    value: str | None = model["services"]["web"]["environment"]["A"]
    return value


def script(path: Path, text: str) -> Path:
    """A program that stands for Compose."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_program_comes_with_its_package() -> None:
    assert compose_binary().is_file()


def test_nothing_of_our_own_environment_reaches_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("A", "COMPOSE_PROFILES", "COMPOSE_FILE", "COMPOSE_ENV_FILES"):
        monkeypatch.setenv(name, "ours")
    assert read(WEB) == "empty"
    assert read(WEB, {"A": "theirs"}) == "theirs"


def test_env_file_of_the_product_is_not_read_by_accident() -> None:
    model = ComposeConfig().read({"compose.yaml": WEB, ".env": b"A=accident\n"}, {}).model
    assert model["services"]["web"]["environment"]["A"] == "empty"


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=60))
def test_every_value_arrives_letter_by_letter(value: str) -> None:
    # A model is a compose file again: a dollar is doubled in it.
    assert (read(WEB, {"A": value}) or "").replace("$$", "$") == value


def test_refusal_holds_composes_words_without_our_paths() -> None:
    with pytest.raises(ComposeRefused) as refused:
        ComposeConfig().read({"compose.yaml": b"services: {web: {image: x, env_file: [a.env]}}"}, {})
    assert str(refused.value) == "env file a.env not found: stat a.env: no such file or directory"


def test_remote_files_are_not_fetched() -> None:
    for address in ("oci://registry.invalid/maps", "https://git.invalid/maps.git"):
        with pytest.raises(ComposeRefused):
            ComposeConfig().read({"compose.yaml": f"include: ['{address}']\n".encode() + WEB}, {})


def test_variables_that_nothing_fills_are_told() -> None:
    text = b"services: {web: {image: 'x:${TAG}', command: [\"$B\", '${C:-c}']}}"
    assert set(ComposeConfig().read({"compose.yaml": text}, {}).unset) == {"TAG", "B"}


def test_program_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = script(tmp_path / "slow", "exec sleep 60")
    monkeypatch.setattr(config, "compose_binary", lambda: slow)
    with pytest.raises(TransientError, match=r"did not finish within 0\.2 s"):
        ComposeConfig(timeout=0.2).read({"compose.yaml": WEB}, {})


def test_program_that_writes_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = script(tmp_path / "endless", "sleep 0.2; exec yes")
    monkeypatch.setattr(config, "compose_binary", lambda: endless)
    monkeypatch.setattr(config, "MOST_OUTPUT", 100_000)
    with pytest.raises(ComposeRefused, match="too large"):
        ComposeConfig(timeout=20).read({"compose.yaml": WEB}, {})


def test_program_that_is_missing_is_a_matter_of_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "compose_binary", lambda: tmp_path / "gone")
    with pytest.raises(ConfigError, match="cannot be run"):
        ComposeConfig().read({"compose.yaml": WEB}, {})
