"""The map in docs/architecture.md, drawn from the contracts that import-linter holds.

`python -m tests.docs.architecture_map` writes it anew.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- map: begin -->", "<!-- map: end -->"
WIDTH = 26


def purpose_of(module: str) -> str:
    """The first sentence of what a package or module says of itself."""
    path = ROOT / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    return text.split("\n", 1)[0].split(". ", 1)[0].rstrip(".")


def drawn(contract: dict[str, Any]) -> str:
    """One contract as a table of floors: what stands higher may import what stands lower."""
    prefix = f"{contract['containers'][0]}." if contract.get("containers") else ""
    floors = []
    for layer in contract["layers"]:
        rooms = [room.strip() for room in re.split(r"[|:]", layer)]
        side_by_side = "side by side, may import each other" if ":" in layer else "side by side, strangers"
        lines = [f"  {room:<{WIDTH}}{purpose_of(prefix + room)}" for room in rooms]
        head = [f"  ({side_by_side})"] if len(rooms) > 1 else []
        floors.append("\n".join(head + lines))
    rule = "-" * 100
    return f"{contract['name']}\n{rule}\n" + f"\n{rule}\n".join(floors) + f"\n{rule}"


def map_of_the_house() -> str:
    """Every layers contract of pyproject.toml, as the page shows it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    drawings = [drawn(contract) for contract in contracts if contract["type"] == "layers"]
    return "```text\n" + "\n\n".join(drawings) + "\n```"


def page_with_map(page: str) -> str:
    """The page with the map as it is now."""
    before, rest = page.split(BEGIN, 1)
    _old, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n{map_of_the_house()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with_map(PAGE.read_text()))
