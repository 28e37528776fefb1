"""The site starts without what only some requests and workers need."""

from __future__ import annotations

import os
import subprocess
import sys

LOADED_WHEN_NEEDED = (
    *("aiohttp", "docker", "openpyxl", "markdown_it", "segno", "gitlab"),
    *("weasyprint", "saxonche", "facturx", "pypdfium2"),
)


def test_start_of_the_site_loads_no_heavy_library() -> None:
    """Together they take a second and tens of megabytes in every process."""
    script = f"import sys, live.wsgi; print(*(name for name in {LOADED_WHEN_NEEDED} if name in sys.modules))"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
