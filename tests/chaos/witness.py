"""What a worker does to show that it is at work."""

from __future__ import annotations

import os
import time
from pathlib import Path


def sign(folder: str, seconds: float) -> None:
    """The process has left its number in `folder`, and takes `seconds`, so that other processes get their turn."""
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(seconds)
