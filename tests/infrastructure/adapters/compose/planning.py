"""What a launch would be made from: Docker Compose's own program asked twice, as a launch asks it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.outside.compose_binary import compose_binary
from infrastructure.adapters.compose.folder import Folder, held_folder, write_launched, write_release
from infrastructure.adapters.compose.plan import LaunchPlan, launch_text, plan_of
from infrastructure.contracts.runtime import Composition
from products.adapters.compose.config import ComposeConfig


def plan_in(folder: Folder, composition: Composition) -> LaunchPlan:
    """The plan of a composition that is written into the folder."""
    write_release(folder, composition)
    resolved = ComposeConfig().read_folder(folder.product, env_file=folder.env_file, project=composition.key.lower())
    return plan_of(resolved.model, composition, folder.product)


def plan(composition: Composition, work_dir: Path) -> LaunchPlan:
    with held_folder(work_dir, composition.key) as folder:
        return plan_in(folder, composition)


def launched(composition: Composition, work_dir: Path, *, files_root: str = "/files", classic: bool = False) -> Any:
    """The services as Compose reads them from the file that is launched."""
    with held_folder(work_dir, composition.key) as folder:
        text = launch_text(
            plan_in(folder, composition), composition, product=folder.product, files_root=files_root, classic=classic
        )
        write_launched(folder, text)
        command = [str(compose_binary()), "-p", composition.key.lower(), "--env-file", str(folder.env_file)]
        command += ["-f", str(folder.launched), "config", "--format", "json"]
        printed = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env={}).stdout
    return _undoubled(json.loads(printed))["services"]


def _undoubled(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {name: _undoubled(inner) for name, inner in value.items()}
    return [_undoubled(inner) for inner in value] if isinstance(value, list) else value
