"""The resource usage of containers and of their machine, from one command on the engine's machine.

The engine's API gives usage and start time for one container per call, and nothing about the machine's disk.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.errors import TransientError
from infrastructure.adapters.compose.labels import KEY_LABEL
from infrastructure.adapters.ssh.hosts import SshTarget, ask
from infrastructure.contracts.runtime import Machine

TIMEOUT = 45
COMMAND_TIMEOUT = 20  # of each docker command: without it a hanging engine would leave processes behind
EPOCH = 1970  # Docker writes the year 1 for "never"

# Only a container that is removed between two commands is missing from the second one's output.
SCRIPT = f"""
command -v timeout >/dev/null || timeout() {{ shift; "$@"; }}
docker() {{ timeout {COMMAND_TIMEOUT} docker "$@"; }}
ours=$(docker ps --all --quiet --no-trunc --filter label={KEY_LABEL})
[ -z "$ours" ] || docker inspect --format 'made {{{{.Id}}}} {{{{.RestartCount}}}} {{{{.HostConfig.Memory}}}} \
{{{{.State.StartedAt}}}}' $ours 2>/dev/null
[ -z "$ours" ] || docker stats --no-stream --no-trunc --format 'used {{{{.ID}}}} {{{{.CPUPerc}}}} {{{{.MemUsage}}}}' \
2>/dev/null
docker info --format 'engine {{{{.NCPU}}}} {{{{.MemTotal}}}} {{{{.ServerVersion}}}}' 2>/dev/null
root=$(docker info --format '{{{{.DockerRootDir}}}}' 2>/dev/null)
[ -d "$root" ] || root=/
df -Pk "$root" | awk 'NR == 2 {{ print "disk", $2, $4 }}'
awk '$1 == "MemAvailable:" {{ print "free", $2 }}' /proc/meminfo
"""

UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3} | {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The usage of one container; None where it is not running or the value is not available."""

    restarts: int | None = None
    started_at: datetime | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFigures:
    """The usage of containers by their ids, and their machine."""

    by_id: Mapping[str, Usage] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)


def figures_of(*, ssh: SshTarget | None, engine: str) -> UsageFigures:
    """The figures of the engine at that address: over SSH, or on this machine."""
    return read_figures(ask(ssh, f"sh -c {shlex.quote(SCRIPT)}", timeout=TIMEOUT) if ssh else _run_here(engine))


def _run_here(engine: str) -> str:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "DOCKER_HOST": engine, "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603  (a fixed script)
            ["/bin/sh", "-c", SCRIPT],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TransientError(f"Docker Engine at {engine} did not return its figures within {TIMEOUT} s") from error
    return done.stdout


def read_figures(text: str) -> UsageFigures:
    """The figures from the script's output; unreadable lines are ignored."""
    containers: dict[str, Usage] = {}
    usages: dict[str, tuple[float, int]] = {}
    values_of: dict[str, list[str]] = {}
    for line in text.splitlines():
        match line.split():
            case ["made", container_id, restarts, limit, started] if restarts.isdigit() and limit.isdigit():
                moment = _moment(started)
                containers[container_id] = Usage(
                    restarts=int(restarts), memory_limit_bytes=int(limit) or None, started_at=moment
                )
            case ["used", container_id, cpu, memory, *_] if (busy := _percent(cpu)) is not None:
                if (size := _bytes(memory)) is not None:
                    usages[container_id] = (busy, size)
            case ["engine" | "disk" | "free" as subject, *values]:
                values_of[subject] = values
    by_id = {container_id: _with_usage(usage, usages.get(container_id)) for container_id, usage in containers.items()}
    return UsageFigures(by_id=by_id, machine=_machine(values_of))


def _with_usage(usage: Usage, used: tuple[float, int] | None) -> Usage:
    return replace(usage, cpu_percent=used[0], memory_bytes=used[1]) if used else usage


def _machine(values_of: Mapping[str, list[str]]) -> Machine:
    cpus, ram, version = (*values_of.get("engine", ()), "", "", "")[:3]
    disk, disk_free = (*values_of.get("disk", ()), "", "")[:2]
    free = (*values_of.get("free", ()), "")[0]
    return Machine(
        version=version,
        cpus=int(cpus) or None if cpus.isdigit() else None,
        ram_gb=_gigabytes(ram, 1) or None,
        ram_free_gb=_gigabytes(free, 1024),
        disk_gb=_gigabytes(disk, 1024),
        disk_free_gb=_gigabytes(disk_free, 1024),
    )


def _gigabytes(amount: str, unit: int) -> float | None:
    return round(int(amount) * unit / 1000**3, 1) if amount.isdigit() else None


def _percent(text: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    return float(found[1]) if found else None


def _bytes(text: str) -> int | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]+)", text)
    return round(float(found[1]) * UNITS[found[2]]) if found and found[2] in UNITS else None


def _moment(text: str) -> datetime | None:
    """Nanoseconds are cut off: Python's datetime has microseconds."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z", text)
    moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None
    return moment if moment and moment.year >= EPOCH else None
