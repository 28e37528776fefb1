"""The folder in which this site keeps its files, closed to the other users of the machine."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

SHARED = "lab"
"""Services of `make lab` run as other users and have their files in here: they pass through, and see nothing else."""
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def close_folder(folder: Path) -> None:
    """Only this user can read the folder and what is in it; files of other owners are left as they are."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_passed = (folder / SHARED).exists()
    with suppress(PermissionError):
        folder.chmod(0o711 if is_passed else 0o700)
    for item in folder.iterdir():
        if item.name != SHARED and not item.is_symlink():
            with suppress(PermissionError, FileNotFoundError):
                item.chmod(stat.S_IMODE(item.stat().st_mode) & ~OTHERS)
