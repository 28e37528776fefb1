"""Hosts over SSH: their facts, the progress of their first boot, and the output of single commands."""

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

# The first line is the state, the rest the log. A host without our mark is done if it has Docker.
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
  *) if works; then echo done; else echo failed; why="no Docker on this host, and our bootstrap did not run"; fi ;;
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
    """The progress of a host's first boot, and the end of its log."""

    state: Literal["running", "done", "failed"]
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The facts about a host; `docker` and `compose` are versions, empty if not installed."""

    docker: str
    compose: str
    cpus: int
    ram_gb: float
    disk_gb: float
    disk_free_gb: float
    """On the disk where Docker keeps images and volumes."""
    system: str


def ask(target: SshTarget, command: str, *, timeout: float = 20) -> str:
    """The output of one command on the host. Never put a secret on a command line."""
    return run(target, command, timeout=timeout)


def bootstrap_of(target: SshTarget) -> Bootstrap:
    """The progress of the host's first boot; a host with Docker and without cloud-init is done."""
    state, _, log = ask(target, posix(_BOOTSTRAP)).partition("\n")
    match state.strip():
        case "running" | "done" | "failed" as progress:
            return Bootstrap(state=progress, log=log.strip()[-LOG_BYTES:])
    raise TransientError(f"{target} did not report the progress of its first boot: {state[:100]}")


def facts_of(target: SshTarget) -> HostFacts:
    """The facts about the host."""
    answer = ask(target, posix(_FACTS))
    facts = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    return HostFacts(
        docker=facts.get("docker", ""),
        compose=facts.get("compose", ""),
        cpus=int(facts.get("cpus") or 0),
        ram_gb=_gigabytes(facts.get("ram", "")),
        disk_gb=_gigabytes(facts.get("disk", "")),
        disk_free_gb=_gigabytes(facts.get("free", "")),
        system=facts.get("system", ""),
    )


def _gigabytes(kibibytes: str) -> float:
    return round(int(kibibytes or 0) * 1024 / 1000**3, 1)
