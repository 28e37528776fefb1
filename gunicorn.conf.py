"""What gunicorn does around its workers; it reads this file by itself when it is started in this folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def on_starting(server: Any) -> None:
    """The folder in which the processes of this site count requests together is there, and empty."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        for counted in Path(folder).glob("*.db"):
            counted.unlink()
