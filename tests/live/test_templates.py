"""What every template of monitoring keeps to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "templates"
PATHS = sorted(path for folder in ("monitoring", "admin/monitoring") for path in (ROOT / folder).rglob("*.*"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_include_says_what_it_is_given_and_gets_no_more(path: Path) -> None:
    loose = [tag for tag in re.findall(r"{% include .*?%}", path.read_text()) if not tag.endswith(" only %}")]
    assert loose == []
