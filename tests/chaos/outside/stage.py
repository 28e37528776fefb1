"""Which outside parts are on the stage of a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from tests.chaos.outside import engine, gitlab, whmcs, zabbix
from tests.chaos.outside.part import NotOnStage, OutsidePart

PARTS: dict[str, Callable[[Path], AbstractContextManager[OutsidePart]]] = {
    "zabbix": zabbix.on_stage,
    "engine": engine.on_stage,
    "gitlab": gitlab.on_stage,
    "whmcs": whmcs.on_stage,
}
"""How each part is started: it gets a folder of its own, or raises `NotOnStage`."""


def enter_parts(stack: ExitStack, folder: Path) -> dict[str, OutsidePart]:
    """The parts that are to be had here, by name; those that are not are named in the output."""
    parts = dict[str, OutsidePart]()
    for name, start in PARTS.items():
        own = folder / name
        own.mkdir()
        try:
            parts[name] = stack.enter_context(start(own))
        except NotOnStage as reason:
            print(f"not on the stage: {name}: {reason}")  # noqa: T201
    return parts
