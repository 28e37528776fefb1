"""The page of the API's description: light enough to load, and every operation is explained."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from live.static_files import NOT_COLLECTED, StaticFilesStorage

HEAVIEST = 700_000  # bytes over the wire on a first visit; browsers keep them, named by their content
VERBS = ("get", "post", "put", "patch", "delete")


@pytest.mark.django_db
def test_scripts_and_styles_of_the_page_are_small_when_compressed() -> None:
    page = Client().get("/api/docs/").content.decode()
    names = set(re.findall(rf'(?:src|href)="{settings.STATIC_URL}([^"?]+)"', page))
    assert any(name.endswith(".js") for name in names)
    weight = 0
    for name in names:
        path = finders.find(name)
        assert path, name
        weight += len(gzip.compress(Path(str(path)).read_bytes()))
    assert weight < HEAVIEST


def test_static_files_are_stored_compressed(tmp_path: Path) -> None:
    text = tmp_path / "page.js"
    text.write_text("let x = 1;\n" * 1000)
    storage = StaticFilesStorage(location=tmp_path, base_url="/static/")
    written = [Path(path).name for path in storage.create_compressor(quiet=True).compress(str(text))]
    assert written == ["page.js.gz"]
    assert (tmp_path / "page.js.gz").stat().st_size < 200
    assert "swagger-ui-es-*" in NOT_COLLECTED


def test_every_operation_has_a_summary_and_what_it_answers() -> None:
    paths: dict[str, dict[str, Any]] = yaml.safe_load((settings.BASE_DIR / "docs/openapi.yaml").read_text())["paths"]
    operations = {f"{verb} {path}": paths[path][verb] for path in paths for verb in VERBS if verb in paths[path]}
    assert len(operations) > 70
    assert [name for name, operation in operations.items() if not operation.get("summary", "").strip()] == []
    assert [name for name, operation in operations.items() if not operation["responses"]] == []
