"""What a composition may ask of the server it runs on: the door for whoever imports one and whoever launches one."""

from __future__ import annotations

from collections.abc import Mapping

from products.adapters.compose.config import ComposeConfig
from products.composition.inspection import Inspection
from products.composition.safe_list.judgement import Violation, judge_model

__all__ = ["Violation", "find_violations", "judge_model"]


def find_violations(compose: str, *, trusted: bool = False, files: Mapping[str, bytes] | None = None) -> list[str]:
    """One sentence for each thing the composition may not ask, or that Docker Compose refuses.

    `files` are the product's other files; no variable but the platform's own is filled.
    """
    every_file = {**(files or {}), "compose.yaml": compose.encode("utf-8", "surrogatepass")}
    inspection = Inspection(files=every_file, manifest={}, reader=ComposeConfig(), is_trusted=trusted)
    return [
        ": ".join(part for part in (problem.place, problem.message) if part)
        for problem in inspection.run()
        if not problem.is_warning
    ]
