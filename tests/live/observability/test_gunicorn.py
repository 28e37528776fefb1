"""The site counts its requests anew at each start, whatever an earlier one has left."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings


@pytest.fixture
def on_starting() -> Any:
    return runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))["on_starting"]


def test_counts_of_an_earlier_start_are_gone(on_starting: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "counter_8.db").touch()
    (tmp_path / "notes.txt").touch()
    on_starting(None)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_missing_folder_is_created(on_starting: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "run/metrics"))
    on_starting(None)
    assert (tmp_path / "run/metrics").is_dir()


def test_a_site_of_one_process_needs_no_folder(on_starting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    on_starting(None)
