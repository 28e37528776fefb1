from __future__ import annotations

import ast
import subprocess
from pathlib import Path

from django.utils.module_loading import import_string

from core.engine.schedules import all_schedules

ROOT = Path(__file__).parents[3]
ROOMS = ("live", "core", "customers", "products", "orders", "infrastructure", "monitoring", "billing")


def paths_handed_to_the_queue() -> set[str]:
    """The literal first argument of every call of `enqueue` in the project."""
    listed = subprocess.run(["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths: set[str] = set()
    for name in listed.split():
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "enqueue":
                argument = node.args[0]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    paths.add(argument.value)
    return paths


def test_every_path_that_is_handed_to_the_queue_leads_to_a_function() -> None:
    paths = paths_handed_to_the_queue() | {every.task for every in all_schedules()}
    assert len(paths) > 20
    for path in paths:
        assert callable(import_string(path)), path
