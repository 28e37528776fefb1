"""Hosts over SSH: what they are, how far their first boot has come, and what one command says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import TransientError
from infrastructure.adapters.ssh.client import HostKeyChanged, SshTarget, posix, run
from infrastructure.adapters.ssh.keys import KeyPair, fingerprint, new_key_pair

__all__ = (
    "Bootstrap",
    "HostFacts",
    "HostKeyChanged",
    "KeyPair",
    "SshTarget",
    "ask",
    "bootstrap_of",
    "facts_of",
    "fingerprint",
    "new_key_pair",
)

STATE_FILE = "/var/lib/live/bootstrap"
LOG_FILE = "/var/log/live-bootstrap.log"
LOG_BYTES = 4096

# First line the state, the rest the log. Without our mark, a host counts by what it can do.
_BOOTSTRAP = f"""
mark=$(cat {STATE_FILE} 2>/dev/null)
first_boot=$(cloud-init status --format json 2>/dev/null | sed -n 's/^ *"status": *"\\([a-z ]*\\)".*/\\1/p' | head -n 1)
log={LOG_FILE}
[ -s "$log" ] || log=/var/log/cloud-init-output.log
works() {{ [ -S /var/run/docker.sock ]; }}
case "$mark/$first_boot" in
  done/*) echo done ;;
  failed/*) echo failed ;;
  running/error|running/done|running/disabled) echo failed; why="first boot ended before the bootstrap did" ;;
  running/*) echo running ;;
  /running|/not*) echo running ;;
  *) if works; then echo done; else echo failed; why="host without Docker, and no bootstrap of ours ran there"; fi ;;
esac
tail -c {LOG_BYTES} "$log" 2>/dev/null
[ -z "$why" ] || echo "$why"
"""

_FACTS = """
root=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
[ -d "$root" ] || root=/
echo "docker=$(docker version --format '{{.Server.Version}}' 2>/dev/null)"
echo "compose=$(docker compose version --short 2>/dev/null)"
echo "cpus=$(nproc)"
echo "ram=$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
df -Pk "$root" | awk 'NR == 2 { print "disk=" $2; print "free=" $4 }'
. /etc/os-release 2>/dev/null
echo "system=$PRETTY_NAME"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """How far a host's first boot has come, and the end of its log."""

    state: Literal["running", "done", "failed"]
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What a host is; `docker` and `compose` are versions, empty where there is none."""

    docker: str
    compose: str
    cpus: int
    ram_gb: float
    disk_gb: float
    disk_free_gb: float
    """On the disk where Docker keeps images and volumes."""
    system: str


def ask(target: SshTarget, command: str, *, timeout: float = 20) -> str:
    """What one command writes on the host. A command line is no place for a secret."""
    return run(target, command, timeout=timeout)


def bootstrap_of(target: SshTarget) -> Bootstrap:
    """How far the host's first boot has come; one with Docker and without cloud-init is done."""
    state, _, log = ask(target, posix(_BOOTSTRAP)).partition("\n")
    match state.strip():
        case "running" | "done" | "failed" as known:
            return Bootstrap(state=known, log=log.strip()[-LOG_BYTES:])
    raise TransientError(f"{target} does not say how far its first boot has come: {state[:100]}")


def facts_of(target: SshTarget) -> HostFacts:
    """What the host is and has."""
    answer = ask(target, posix(_FACTS))
    told = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    return HostFacts(
        docker=told.get("docker", ""),
        compose=told.get("compose", ""),
        cpus=int(told.get("cpus") or 0),
        ram_gb=_gigabytes(told.get("ram", "")),
        disk_gb=_gigabytes(told.get("disk", "")),
        disk_free_gb=_gigabytes(told.get("free", "")),
        system=told.get("system", ""),
    )


def _gigabytes(kibibytes: str) -> float:
    return round(int(kibibytes or 0) * 1024 / 1000**3, 1)
