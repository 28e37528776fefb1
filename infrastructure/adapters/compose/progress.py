"""The stage of a launch, from the output of `docker compose` so far. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BUILDING = re.compile(r"^ (?:Service )?(\S+)  (Building|Built)\s*$", re.M)
_PULLING = re.compile(r"^ (\S+) {1,2}(Pulling|Pulled|Error|Skipped)\b", re.M)
_CONTAINER = re.compile(r"^ Container (\S+)  ([A-Z]\w+)", re.M)
_STEP = re.compile(r"^Step (\d+)/(\d+) : ", re.M)
_BUILDKIT_STEP = re.compile(r"^#\d+ \[(\S+)(?: \S+)? +(\d+)/(\d+)\] ", re.M)
_BEGUN = frozenset({"Started", "Running", "Healthy", "Exited", "Waiting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The stage of a launch."""

    message: str
    """With counts, for the current state."""
    progress_note: str
    """Without counts: the same for as long as the stage lasts."""


PREPARING = Stage(message="Preparing the launch", progress_note="")


def stage_of(output: str, errors: str, *, project: str) -> Stage:
    """The latest stage in the output: images are pulled and built before containers start."""
    if containers := dict(_CONTAINER.findall(errors)):
        return _starting({_service(name, project): state for name, state in containers.items()})
    building = _open(_BUILDING.findall(errors), "Building")
    if step := _BUILDKIT_STEP.findall(errors):
        service, number, of = step[-1]
        return _building(service, f" (step {number} of {of})")
    if building:
        steps = _STEP.findall(output[output.rfind("Sending build context") :])
        return _building(building, f" (step {steps[-1][0]} of {steps[-1][1]})" if steps else "")
    if pulling := _open(_PULLING.findall(errors), "Pulling"):
        return Stage(message=f"Downloading {pulling}", progress_note=f"Downloading {pulling}")
    return PREPARING


def _building(service: str, how_far: str) -> Stage:
    return Stage(message=f"Building {service}{how_far}", progress_note=f"Building {service}")


def _starting(services: dict[str, str]) -> Stage:
    begun = sum(state in _BEGUN for state in services.values())
    waiting = sorted(name for name, state in services.items() if state == "Waiting")
    message = f"Starting {begun} of {len(services)} services"
    if waiting:
        message += f"; waiting for {', '.join(waiting)} to be healthy"
    return Stage(message=message, progress_note="Starting the services")


def _open(lines: list[tuple[str, str]], state: str) -> str:
    """The name that entered `state` last and has not left it."""
    still = [name for name, last in dict(lines).items() if last == state]
    return still[-1] if still else ""


def _service(container: str, project: str) -> str:
    return re.sub(r"-\d+$", "", container.removeprefix(f"{project}-"))
